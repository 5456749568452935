"""What a job depends on: what its command and its `entry_point` field run."""

from __future__ import annotations

from azureml_pants.code.job_entry_points import JobEntryPoints, JobEntryPointsRequest, JobFieldSet
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import InferDependenciesRequest, InferredDependencies
from pants.engine.unions import UnionRule


class InferJobDependencies(InferDependenciesRequest):
    infer_from = JobFieldSet


@rule(desc="Infer the dependencies of a job")
async def infer_job_dependencies(request: InferJobDependencies) -> InferredDependencies:
    # Errors are reported where the job is used: a broken job must not break `list` or `test`.
    found = await Get(JobEntryPoints, JobEntryPointsRequest(request.field_set))
    return InferredDependencies(found.addresses)


def rules():
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferJobDependencies)]
