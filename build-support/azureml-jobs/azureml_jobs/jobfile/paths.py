"""Paths that a job file names, relative to the repository's root."""

from __future__ import annotations

import posixpath

from azureml_jobs.base.errors import JobError


def code_folder(job_file: str, code: str | None) -> str:
    """Return the folder that `code:` of the job file names, relative to the repository's root.

    Without `code:` it is the job file's own folder. The root itself is the empty string. Raises
    `JobError` for a folder outside of the repository and for code that is not a local folder.
    """
    if code is not None and (not isinstance(code, str) or ":" in code):
        raise JobError(
            f"{job_file}: code",
            f"{code!r} is not a folder of this repository",
            "Write a path relative to the job file, such as `code: ..`.",
        )
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(job_file), code or "."))
    if leads_out(folder):
        raise JobError(
            f"{job_file}: code",
            f"{code!r} leads out of the repository",
            "Write a path relative to the job file, such as `code: ..`.",
        )
    return "" if folder == "." else folder


def leads_out(path: str) -> bool:
    """Return whether a normalised path, relative to the repository's root, is outside of it."""
    return path == ".." or path.startswith(("../", "/"))
