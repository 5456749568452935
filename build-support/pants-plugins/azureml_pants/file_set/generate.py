"""The sources of a `file_set`, as files that tests depend on."""

from __future__ import annotations

from azureml_pants.file_set.target_types import FileSetSourcesField
from pants.core.target_types import FileSourceField
from pants.engine.rules import collect_rules, rule
from pants.engine.target import GeneratedSources, GenerateSourcesRequest
from pants.engine.unions import UnionRule


class GenerateFileSet(GenerateSourcesRequest):
    input = FileSetSourcesField
    output = FileSourceField


@rule
async def generate_file_set(request: GenerateFileSet) -> GeneratedSources:
    return GeneratedSources(request.protocol_sources)


def rules():
    return [*collect_rules(), UnionRule(GenerateSourcesRequest, GenerateFileSet)]
