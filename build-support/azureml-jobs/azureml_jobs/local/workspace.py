"""The folder `.azureml`: making, listing and finding local jobs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_names import job_name_stem
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import current

# Azure ML's rule for the name of a job is `^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$`. File systems take
# 255 bytes as well, and a part of them is for names made from this one.
_LONGEST_NAME = 240
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,239}")
_CLAIM = ".new-"
_ABANDONED_SECONDS = 24 * 3600.0


class LocalWorkspace:
    """`root` is `<repository>/.azureml`; it need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs_folder = root / "jobs"
        self.mlruns = root / "mlruns"

    def new_job(
        self,
        stem: str,
        fill: Callable[[JobFolder, JobFolder], JobRecord],
        name: str | None = None,
    ) -> JobFolder:
        """Make the job `name`, or else `<stem>-<counter>`, in one step, and write its record.

        `fill` gets the folder to write into and the folder that it will become, whose paths the
        record and the command hold; it returns the record, whose name is set here. Whatever it
        raises leaves nothing behind. Raises `JobError` when there is a job `name` already.
        """
        self._remove_abandoned()
        staging, final = self._claim_name(name) if name else self._claim(job_name_stem(stem))
        try:
            record = fill(staging, final)
            record.name = final.name
            staging.save(record)
            os.rename(staging.path, final.path)
        except BaseException:
            shutil.rmtree(staging.path, ignore_errors=True)
            raise
        return final

    def jobs(self) -> list[JobRecord]:
        """All jobs, newest first. What is not a job's folder, or cannot be read, is skipped."""
        try:
            names = os.listdir(self.jobs_folder)
        except OSError:
            return []
        records = []
        for name in names:
            if name.startswith("."):
                continue
            with contextlib.suppress(OSError, ValueError):
                record = current(JobFolder(self.jobs_folder / name))
                if record.name == name:
                    records.append(record)
        return sorted(records, key=lambda record: (record.created, record.name), reverse=True)

    def job(self, name: str) -> JobFolder:
        """The folder of the job `name`. Raises `JobError` with the closest names otherwise."""
        folder = JobFolder(self.jobs_folder / name)
        # The name may come from a command line: `..` or a path is not a job.
        if _NAME.fullmatch(name) and folder.record_file.exists():
            try:
                folder.read()
            except (OSError, ValueError) as error:
                raise JobError(
                    name,
                    f"the job's record cannot be read ({error})",
                    f"If it is of no use any more, remove the folder {folder.path}.",
                ) from error
            return folder
        raise JobError(name, "the local workspace has no such job", self._closest(name))

    def _closest(self, name: str) -> str:
        from difflib import get_close_matches

        existing = [record.name for record in self.jobs()]
        if not existing:
            return "It has no jobs yet. `./pants run src/<experiment>:job` makes one."
        close = get_close_matches(name, existing, n=5, cutoff=0.4) or existing[:5]
        listed = "\n".join(f"  {each}" for each in close)
        return (
            f"Jobs with the closest names:\n{listed}\n\n`./pants run :aml -- jobs list` lists all."
        )

    def _claim_name(self, name: str) -> tuple[JobFolder, JobFolder]:
        if not _NAME.fullmatch(name):
            raise JobError(name, "this is no name of a job", "Write letters, digits, `-` and `_`.")
        self.jobs_folder.mkdir(parents=True, exist_ok=True)
        staging, final = self.jobs_folder / f"{_CLAIM}{name}", self.jobs_folder / name
        with contextlib.suppress(FileExistsError):
            if not final.exists():
                staging.mkdir()
                if not final.exists():
                    return JobFolder(staging), JobFolder(final)
                staging.rmdir()
        raise JobError(
            name, "the local workspace has a job of this name already", "Write another name."
        )

    def _claim(self, stem: str) -> tuple[JobFolder, JobFolder]:
        """Take the first free name; making the folder `.new-<name>` is what claims it."""
        self.jobs_folder.mkdir(parents=True, exist_ok=True)
        counter = 0
        while True:
            counter += 1
            name = f"{stem[: _LONGEST_NAME - 1 - len(str(counter))]}-{counter}"
            final = self.jobs_folder / name
            staging = self.jobs_folder / f"{_CLAIM}{name}"
            if final.exists():
                continue
            try:
                staging.mkdir()
            except FileExistsError:
                continue
            # Another process may have finished a job of this name just before the claim.
            if final.exists():
                staging.rmdir()
                continue
            return JobFolder(staging), JobFolder(final)

    def _remove_abandoned(self) -> None:
        """Remove what a process that was killed while it made a job left behind long ago."""
        for staging in self.jobs_folder.glob(f"{_CLAIM}*"):
            with contextlib.suppress(OSError):
                if time.time() - staging.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(staging, ignore_errors=True)
