"""Which jobs send a file, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.data import local_data
from azureml_jobs.imports.exploration import can_be_sent
from azureml_jobs.imports.overlay import is_in
from azureml_jobs.imports.result import chain_to
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.units import CodeUnit, code_units
from azureml_jobs.protocol import JobToExplain, NeededFile


@dataclass(frozen=True)
class Link:
    """A file, or the key of a job file, and why it is there."""

    path: str
    why: str = ""


@dataclass(frozen=True)
class Sender:
    """A job, or one of its units, with the chain from its job file to the file.

    name: what the job calls the file.
    """

    address: str
    unit: str
    name: str
    chain: tuple[Link, ...]


@dataclass(frozen=True)
class ExplainedJob:
    """A job with its documents as they are in the repository."""

    job: JobToExplain
    documents: Mapping[str, Mapping[str, Any]]
    units: tuple[CodeUnit, ...]

    @classmethod
    def read(cls, job: JobToExplain, repository: Path) -> ExplainedJob:
        """Raise `JobError` for a file that cannot be read."""
        texts = {path: (repository / path).read_text(encoding="utf-8") for path in job.documents}
        documents = {path: read_job_file(text, path) for path, text in texts.items()}
        return cls(job, documents, code_units(documents, job.job_file))

    def files_of(self, unit: CodeUnit) -> tuple[NeededFile, ...]:
        return next((each.files for each in self.job.units if each.name == unit.name), ())

    def senders(self, path: str) -> Iterator[Sender]:
        """Yield the ways in which the job sends the file `path`."""
        for unit in self.units:
            chain = chain_to(path, self.files_of(unit))
            if chain and unit.has_code:
                links = (Link(unit.where), *(Link(each.path, each.why) for each in chain))
                yield Sender(self.job.address, unit.name, chain[-1].name, links)
            if unit.environment and _is_of_environment(path, unit):
                where = f"{unit.document}: {'.'.join(unit.environment.keys)}"
                yield self._sender(unit.name, path, where, "a file of this environment")
        if path in self.documents:
            is_own = path == self.job.job_file
            why = "the job file" if is_own else "the job file refers to it"
            yield self._sender("", path, self.job.job_file, why)
        for item in local_data(self.documents, self.job.job_file):
            if is_in(path, item.path):
                where = f"{item.document}: {'.'.join(item.keys)}"
                yield self._sender("", path, where, "data of this input")

    def _sender(self, unit: str, path: str, where: str, why: str) -> Sender:
        return Sender(self.job.address, unit, path, (Link(where), Link(path, why)))


def _is_of_environment(path: str, unit: CodeUnit) -> bool:
    environment = unit.environment
    if environment is None or not can_be_sent(path):
        return False
    context = environment.build_context
    return path == environment.conda_file or (context is not None and is_in(path, context))
