"""Turn the output of uv and pex into messages for the user."""

from __future__ import annotations

from azureml_jobs.base.credentials import without_credentials
from azureml_jobs.base.errors import JobError, OutsideError

# How uv begins its report when the requirements are the reason.
_NO_SOLUTION = "No solution found"
# pex puts this before each line of pip's. The line above holds pip's command, with the index's URL.
_PIP = "pip: "


def choice_error(where: str, resolve: str, output: str) -> JobError:
    """Return the error for the output of a failed uv; `where` names the requirements."""
    # Hints are about options of uv.
    report = without_credentials(output).partition("\nhint:")[0].replace("  cause: ", "  ")
    first, _, reasons = report.partition("\n")
    if _NO_SOLUTION in first:
        return JobError(
            where,
            "no versions satisfy these requirements",
            f"{reasons.rstrip()}\n\nChange one of them. An experiment that needs other versions "
            "than the rest gets its own resolve: docs/environments.md.",
        )
    return OutsideError(
        where,
        f"the packages of the resolve `{resolve}` could not be chosen",
        f"uv reports:\n  {first}\n{reasons.rstrip()}",
    )


def lock_error(where: str, resolve: str, output: str) -> OutsideError:
    """Return the error for the output of a failed pex."""
    lines = without_credentials(output).strip().splitlines()
    pip_lines = [line.removeprefix(_PIP) for line in lines if line.startswith(_PIP)]
    reason = "\n".join(f"  {line}" for line in (pip_lines or lines)[-12:])
    return OutsideError(
        where,
        f"the packages of the resolve `{resolve}` could not be locked",
        f"pip reports:\n{reason}",
    )
