"""Run `./pants run :aml -- why …`: why jobs send a file, or what to write so that one does."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from azureml_jobs.base.console import bold, print_json, print_warning
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest, suggestion
from azureml_jobs.bundle.senders import ExplainedJob, Sender
from azureml_jobs.cli.aml_parser import aml_parser
from azureml_jobs.cli.options import split_request
from azureml_jobs.imports.absence import Absence, find_absence
from azureml_jobs.imports.closure import Launch
from azureml_jobs.imports.questions import answer_from_folder
from azureml_jobs.imports.result import DECLARED
from azureml_jobs.jobfile.units import CodeUnit
from azureml_jobs.protocol import NeededFile, WhyRequest


def run_why(arguments: Sequence[str]) -> int:
    """Explain a file of the repository, which is the working folder."""
    request_file, given = split_request(arguments)
    request, options = WhyRequest.read(request_file), aml_parser().parse_args(given)
    is_not = options.words[0] == "not"
    file, job = _file_and_job(options.words[is_not:])
    repository = Path.cwd()
    path = _path_of(file, repository)
    jobs = list(_explained_jobs(request, repository))
    if job is not None:
        jobs = [_job_named(job, jobs)]
    senders = [sender for each in jobs for sender in each.senders(path)]
    sending = sorted({sender.address for sender in senders})
    others = [each for each in jobs if each.job.address not in sending]
    if is_not and others:
        found = _nearest_unit(path, others)
        absence = _absence(path, *found, request, repository)
        _print_absence(path, *found, absence, sending, options.json)
    else:
        _print_senders(path, senders, options.json)
    return 0


def _file_and_job(words: Sequence[str]) -> tuple[str, str | None]:
    if len(words) not in (1, 2):
        raise JobError(
            "why",
            "it names no file" if not words else "it names more than a file and a job",
            "Write `./pants run :aml -- why FILE`, or `why not FILE`.",
        )
    return words[0], words[1] if len(words) == 2 else None


def _path_of(file: str, repository: Path) -> str:
    """Return the path relative to the repository's root; raise `JobError` if it is no file."""
    path = posixpath.normpath(posixpath.relpath(file, repository) if file.startswith("/") else file)
    full = repository / path
    if full.is_file() and not path.startswith("../"):
        return path
    if full.is_dir():
        inner = sorted(each.name for each in full.iterdir() if each.is_file())
        example = f", such as {posixpath.join(path, inner[0])}" if inner else ""
        raise JobError(file, "this is a folder", f"Name a file in it{example}.")
    around = [each.name for each in full.parent.iterdir()] if full.parent.is_dir() else []
    close = nearest(full.name, sorted(around))
    hint = f"Did you mean {posixpath.join(posixpath.dirname(path), close)}? " if close else ""
    raise JobError(
        file, "this repository has no such file", f"{hint}Write a path relative to its root."
    )


def _explained_jobs(request: WhyRequest, repository: Path) -> Iterator[ExplainedJob]:
    """Yield the jobs that can be read, and warn of the others."""
    for job in request.jobs:
        if job.errors:
            print_warning(f"{job.address} is left out: {job.errors[0].partition(chr(10))[0]}")
        else:
            yield ExplainedJob.read(job, repository)


def _job_named(name: str, jobs: Iterable[ExplainedJob]) -> ExplainedJob:
    by_address = {job.job.address: job for job in jobs}
    address = name.removeprefix("//")
    if address not in by_address:
        raise JobError(
            name,
            "this is the address of no job",
            suggestion(address, sorted(by_address), "There is no job in this repository."),
        )
    return by_address[address]


def _nearest_unit(path: str, jobs: Iterable[ExplainedJob]) -> tuple[ExplainedJob, CodeUnit]:
    """Return the command that sends files nearest to the path, the first of several."""
    units = [
        (job, unit)
        for job in jobs
        for unit in job.units
        if unit.has_code and unit.code.path is not None
    ]
    if not units:
        raise JobError(path, "no job has code of this repository", "Write a job file first.")

    def distance(each: tuple[ExplainedJob, CodeUnit]) -> tuple[int, int, str, str]:
        job, unit = each
        files = [file.path for file in job.files_of(unit)]
        closest = max((_shared_folders(path, file) for file in files), default=0)
        return -closest, -_shared_folders(path, unit.document), job.job.address, unit.name

    return min(units, key=distance)


def _shared_folders(first: str, second: str) -> int:
    """Return how many folders, from the root on, the two files have in common."""
    folders = [posixpath.dirname(path).split("/") for path in (first, second)]
    return len(posixpath.commonprefix(folders))


def _absence(
    path: str, job: ExplainedJob, unit: CodeUnit, request: WhyRequest, repository: Path
) -> Absence:
    python = (request.python[0], request.python[1])
    launch = Launch(
        unit.code,
        request.source_roots,
        unit.starts,
        unit.where,
        python,
        extra=tuple(_declared(job.files_of(unit), repository)),
    )
    return answer_from_folder(repository, find_absence(path, launch), python)


def _declared(files: Iterable[NeededFile], repository: Path) -> Iterator[str]:
    """Yield the files that only targets name, but for those that are made from others."""
    for file in files:
        is_declared = file.why == DECLARED or file.by == file.why.removeprefix("declared by ")
        if is_declared and (repository / file.path).is_file():
            yield file.path


def _print_senders(path: str, senders: Sequence[Sender], as_json: bool) -> None:
    if as_json:
        print_json({"file": path, "sent_by": [asdict(sender) for sender in senders]})
        return
    if not senders:
        print(f"No job sends {path}.\n")
        print(f"`./pants run :aml -- why not {path}` prints what to write so that one does.")
    for number, sender in enumerate(senders):
        unit = f", {sender.unit}" if sender.unit else ""
        print("\n" * bool(number) + f"{bold(sender.address + unit)} sends {sender.name}")
        width = max(len(link.path) for link in sender.chain)
        for link in sender.chain:
            print(f"  {link.path.ljust(width)}  {link.why}".rstrip())


def _print_absence(
    path: str,
    job: ExplainedJob,
    unit: CodeUnit,
    absence: Absence,
    sending: Sequence[str],
    as_json: bool,
) -> None:
    address = job.job.address
    if as_json:
        names = {"file": path, "job": address, "unit": unit.name, "where": unit.where}
        print_json({**names, **asdict(absence), "sent_by": list(sending)})
        return
    name = f"{address}, {unit.name}," if unit.name else address
    print(f"{bold(name)} does not send {path}.")
    for paragraph in (absence.reasons, absence.ways):
        if paragraph:
            print("\n" + "\n".join(paragraph))
    if sending:
        print(f"\n{', '.join(sending)} {'sends' if len(sending) == 1 else 'send'} it.")
