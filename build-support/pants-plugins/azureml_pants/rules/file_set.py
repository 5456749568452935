"""`file_set`: many files as one target, which `list` shows in one line."""

from __future__ import annotations

from azureml_pants.target_types import FileSetSourcesField
from pants.core.target_types import FileSourceField
from pants.engine.rules import collect_rules, rule
from pants.engine.target import GeneratedSources, GenerateSourcesRequest
from pants.engine.unions import UnionRule


class GenerateFilesOfSet(GenerateSourcesRequest):
    input = FileSetSourcesField
    output = FileSourceField


@rule
async def hand_files_on(request: GenerateFilesOfSet) -> GeneratedSources:
    return GeneratedSources(request.protocol_sources)


def rules():
    return [*collect_rules(), UnionRule(GenerateSourcesRequest, GenerateFilesOfSet)]
