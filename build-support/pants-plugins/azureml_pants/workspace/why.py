"""What all jobs of the repository send, for `run :aml -- why`."""

from __future__ import annotations

from azureml_jobs.protocol import JobToExplain, UnitToExplain, WhyRequest
from azureml_pants.code.job_code import JobCode, JobFieldSet
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.code.sources import ImagePython
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import AllTargets


@rule
async def explain_job(field_set: JobFieldSet) -> JobToExplain:
    code = await Get(JobCode, JobFieldSet, field_set)
    loaded = await MultiGet(Get(LoadedCode, LoadedCodeRequest, each) for each in code.requests)
    return JobToExplain(
        str(field_set.address),
        field_set.source.path,
        code.documents,
        tuple(UnitToExplain(unit.name, each.files) for unit, each in zip(code.units, loaded)),
        code.errors,
    )


@rule(desc="Find what jobs send")
async def explain_jobs(targets: AllTargets, roots: SourceRoots, python: ImagePython) -> WhyRequest:
    field_sets = (JobFieldSet.create(each) for each in targets if JobFieldSet.is_applicable(each))
    jobs = await MultiGet(Get(JobToExplain, JobFieldSet, each) for each in field_sets)
    return WhyRequest(tuple(sorted(jobs, key=lambda job: job.address)), roots.paths, python.version)
