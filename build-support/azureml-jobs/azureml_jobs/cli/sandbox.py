"""Run what Pants starts in a sandbox: `./pants package` and `./pants lint` of jobs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.bundle.plan import plan_job
from azureml_jobs.bundle.provenance import provenance_of
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.cli.job import missing_data, print_warnings
from azureml_jobs.cli.options import split_request
from azureml_jobs.jobfile.lint import findings_text, lint_jobs
from azureml_jobs.protocol import LintRequest


def write_job_bundle(arguments: Sequence[str]) -> int:
    """Write the bundle of one job."""
    parser = argparse.ArgumentParser()
    for name in ("--request", "--output", "--repository"):
        parser.add_argument(name, type=Path, required=True)
    given = parser.parse_args(arguments)
    plan = plan_job(given.request.absolute(), given.repository, is_sent=False)
    missing = (f"{error.where}: {error.what}." for error in missing_data(plan, given.repository))
    provenance = provenance_of(plan, given.repository)
    print_warnings([*plan.warnings, *missing, *provenance.warnings])
    try:
        write_bundle(plan, provenance, given.output, given.repository, with_data=True)
    except OSError as error:
        raise OutsideError(
            plan.request.address,
            f"its bundle could not be written: {error.strerror or error}",
            f"Look at {error.filename}." if error.filename else "",
        ) from error
    return 0


def lint_job_files(arguments: Sequence[str]) -> int:
    """Print the findings in job files; status 1 if there are any, as other linters have it."""
    request, _ = split_request(arguments)
    findings = lint_jobs(LintRequest.read(request), Path.cwd())
    print(findings_text(findings), end="")
    return 1 if findings else 0
