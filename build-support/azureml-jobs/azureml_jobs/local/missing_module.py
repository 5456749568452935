"""Say which listed package has the module that a failed run did not find."""

from __future__ import annotations

import re
from pathlib import Path

from azureml_jobs.local.output import last_lines
from azureml_jobs.local.record import JobRecord

_ERROR = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
# Other processes of a distributed job may have printed after the one that failed.
LOG_LINES = 1000


def missing_module(record: JobRecord, log: Path) -> str | None:
    """Return a warning with the line to add, if the log ends with the error of such a module."""
    found = _ERROR.findall(last_lines(log, LOG_LINES))
    if not found:
        return None
    module = found[-1]
    for name, address in record.unused_modules.items():
        if name == module or name.startswith(f"{module}.") or module.startswith(f"{name}."):
            build_file = Path(record.address.removeprefix("//").partition(":")[0], "BUILD")
            return (
                f"no import that is followed names `{module}`, so that its package was left out: "
                f'add `dependencies=["{address}"]` in {build_file}'
            )
    return None
