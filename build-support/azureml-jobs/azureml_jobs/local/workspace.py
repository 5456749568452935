"""The folder `.azureml`: create, list and find local jobs, and create folders of scripts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder, new_folder
from azureml_jobs.base.jobs import job_name_stem
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.state import LONGEST_NAME, current_record

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,239}")
_TEMPORARY = ".new-"
_ABANDONED_SECONDS = 24 * 3600.0


class LocalWorkspace:
    """`root` is `<repository>/.azureml`; it need not exist yet."""

    def __init__(self, root: Path) -> None:
        # In a clone that was made to run a job again, it is a link.
        self.root = root.resolve()
        self.jobs_folder = self.root / "jobs"
        self.mlruns = self.root / "mlruns"

    def new_job(
        self, stem: str, write: Callable[[JobFolder, JobFolder], JobRecord], name: str | None = None
    ) -> JobFolder:
        """Create the job `name`, or else `<stem>-<counter>`; its folder appears when it is whole.

        `write` gets the temporary folder to write into and the final one, whose paths the record
        and the command hold; it returns the record, whose name is set here. Whatever it raises
        leaves nothing behind. Raises `JobError` when there is a job `name` already, `OutsideError`
        when the disk cannot be written.
        """
        with self._disk_errors_reported():
            self._remove_abandoned()
            make_folder(self.jobs_folder)
            if name is None:
                name = self._reserve_next(stem)
            elif not _NAME.fullmatch(name):
                remedy = "Write letters, digits, `-` and `_`."
                raise JobError(name, "this is not a valid name of a job", remedy)
            elif not self._reserve(name):
                what = "the local workspace has a job of this name already"
                raise JobError(name, what, "Write another name.")
            temporary, final = self._temporary(name), JobFolder(self.jobs_folder / name)
            try:
                record = write(temporary, final)
                record.name = name
                temporary.save(record)
                os.rename(temporary.path, final.path)
            except BaseException:
                shutil.rmtree(temporary.path, ignore_errors=True)
                raise
        return final

    @contextlib.contextmanager
    def new_script_folder(self, prefix: str) -> Iterator[Path]:
        """Yield a new folder in `.azureml/local` to fill; a failure leaves none."""
        with self._disk_errors_reported(), new_folder(self.root / "local", f"{prefix}-") as folder:
            yield folder

    def jobs(self) -> list[JobRecord]:
        """Return all jobs, newest first. Skips what is not a job's folder or cannot be read."""
        records = []
        for path in self.jobs_folder.glob("[!.]*"):
            with contextlib.suppress(OSError, ValueError):
                record = current_record(JobFolder(path))
                if record.name == path.name:
                    records.append(record)
        return sorted(records, key=lambda record: (record.created, record.name), reverse=True)

    def job(self, name: str) -> JobFolder:
        """Return the folder of the job `name`. Raises `JobError` with the closest names."""
        folder = JobFolder(self.jobs_folder / name)
        # The name may come from a command line: `..` or a path is not a job.
        if not _NAME.fullmatch(name) or not folder.record_file.exists():
            raise JobError(name, "the local workspace has no such job", self._closest(name))
        try:
            folder.read()
        except (OSError, ValueError) as error:
            raise JobError(
                name,
                f"the job's record cannot be read ({error})",
                f"Remove the folder {folder.path} if you no longer need it.",
            ) from error
        return folder

    def _closest(self, name: str) -> str:
        from difflib import get_close_matches

        existing = [record.name for record in self.jobs()]
        if not existing:
            return "It has no jobs yet. Create one: `./pants run src/<experiment>:job`."
        close = get_close_matches(name, existing, n=5, cutoff=0.4) or existing[:5]
        listed = "\n".join(f"  {each}" for each in close)
        return (
            f"Jobs with the closest names:\n{listed}\n\n`./pants run :aml -- jobs list` lists all."
        )

    def _temporary(self, name: str) -> JobFolder:
        return JobFolder(self.jobs_folder / f"{_TEMPORARY}{name}")

    def _reserve_next(self, stem: str) -> str:
        stem = job_name_stem(stem)
        counter = 0
        while True:
            counter += 1
            name = f"{stem[: LONGEST_NAME - 1 - len(str(counter))]}-{counter}"
            if (self.jobs_folder / name).exists():
                continue
            # The steps of a pipeline may be left of which only its own folder was removed.
            if not any(self.jobs_folder.glob(f"{name}_*")) and self._reserve(name):
                return name

    def _reserve(self, name: str) -> bool:
        """Create the temporary folder of a job, which reserves its name, unless it is taken."""
        temporary = self._temporary(name).path
        try:
            temporary.mkdir()
        except FileExistsError:
            return False
        # Looked for afterwards, as another process may finish a job of this name meanwhile.
        if (self.jobs_folder / name).exists():
            temporary.rmdir()
            return False
        return True

    def _remove_abandoned(self) -> None:
        """Remove what a process that was killed while it created a job left behind long ago."""
        for temporary in self.jobs_folder.glob(f"{_TEMPORARY}*"):
            with contextlib.suppress(OSError):
                if time.time() - temporary.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(temporary, ignore_errors=True)

    @contextlib.contextmanager
    def _disk_errors_reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # A copy that fails names the file that it read, which is not the one to check.
            named = str(error.filename or "")
            raise OutsideError(
                LOCAL_FOLDER,
                f"the local workspace could not be written: {error.strerror or error}",
                "Check the free space and the permissions of "
                f"{named if named.startswith(str(self.root)) else self.root}.",
            ) from error
