"""What is recorded and printed about the end of a local job."""

from __future__ import annotations

import signal

from azureml_jobs.base.console import short_path
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED
from azureml_jobs.local.distribution import process_count
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.output import last_lines, write_message
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.supervise import Ended
from azureml_jobs.local.usage import usage_text

TAIL_LINES = 20
_MOST_OUTPUTS = 3


def end_reason(ended: Ended, record: JobRecord) -> tuple[str, str | None]:
    """Return the status of a job and, unless it completed, its error."""
    if ended.signalled is not None:
        return CANCELED, f"canceled by {signal.Signals(ended.signalled).name}"
    if ended.timed_out:
        # Azure ML cancels a job that reaches its limit.
        return CANCELED, f"timed out after {record.timeout:g} s (`limits.timeout`)"
    if ended.error:
        return FAILED, ended.error
    if ended.status:
        count = process_count(record.distribution)
        who = "the command" if count == 1 else f"process {ended.failed} of {count}"
        names = {128 + each: f" ({each.name})" for each in signal.Signals}
        return FAILED, f"{who} ended with exit status {ended.status}{names.get(ended.status, '')}"
    return COMPLETED, None


def print_end(folder: JobFolder, record: JobRecord) -> None:
    """Print how a job ended and where to see it, after its output."""
    # Without what is not the job's own: its copy of the code, and the end of its records.
    seconds = record.timings.get("running", record.timings["total"])
    command = f"./pants run :aml -- jobs show {record.name}"
    if record.status == COMPLETED:
        _print_warnings(record)
        write_message(1, _used_and_left(folder, record))
        write_message(1, f"{record.name} {record.status} in {seconds:.1f} s. See it: {command}\n")
        return
    write_message(2, f"\n{record.name} {record.status} after {seconds:.1f} s: {record.error}.\n")
    _print_warnings(record)
    write_message(2, _used_and_left(folder, record))
    write_message(2, f"Its log: {short_path(folder.log)}\nSee it: {command}\n")


def _used_and_left(folder: JobFolder, record: JobRecord) -> str:
    used = usage_text(record.usage)
    lines = [f"Used: {used}"] if used else []
    artifacts = folder.work / "outputs"
    left = [*record.outputs.values(), *([str(artifacts)] if any(artifacts.glob("*")) else [])]
    if left:
        more = f", … {len(left) - _MOST_OUTPUTS} more" if len(left) > _MOST_OUTPUTS else ""
        lines.append(f"Outputs: {', '.join(map(short_path, left[:_MOST_OUTPUTS]))}{more}")
    return "".join(f"{line}\n" for line in lines)


def print_log_end(folder: JobFolder, record: JobRecord) -> None:
    """Print the last lines of a job's log, and the warnings."""
    tail = last_lines(folder.log, TAIL_LINES)
    if tail:
        rule = f"----- end of the log of {folder.name} "
        tail += "" if tail.endswith("\n") else "\n"
        write_message(2, f"\n{rule:-<79}\n{tail}{'':-<79}\n")
    _print_warnings(record)


def _print_warnings(record: JobRecord) -> None:
    for warning in record.warnings:
        write_message(2, f"{record.name}: {warning}.\n")
