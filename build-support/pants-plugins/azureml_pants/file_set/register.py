"""The target `file_set`, whose sources are files that tests depend on."""

from __future__ import annotations

from pants.core.target_types import FileSourceField
from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.rules import collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    GeneratedSources,
    GenerateSourcesRequest,
    MultipleSourcesField,
    Target,
)
from pants.engine.unions import UnionRule
from pants.util.strutil import help_text


class FileSetSourcesField(MultipleSourcesField):
    required = True
    # The set is empty while its files do not exist.
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore
    help = help_text("""
        Globs of the files, relative to the BUILD file, e.g. `["pants", "src/common/**/*"]`.
        """)


class FileSetTarget(Target):
    alias = "file_set"
    core_fields = (*COMMON_TARGET_FIELDS, FileSetSourcesField)
    help = help_text("""
        Many files as one target, for tests that need a whole tree of them.

        A target `files` makes one target of each file, and `list` shows all of these.

        Example: `file_set(name="repository", sources=["pants", "src/common/**/*"])`.
        """)


class GenerateFileSet(GenerateSourcesRequest):
    input = FileSetSourcesField
    output = FileSourceField


@rule
async def generate_file_set(request: GenerateFileSet) -> GeneratedSources:
    return GeneratedSources(request.protocol_sources)


def target_types():
    return [FileSetTarget]


def rules():
    return [*collect_rules(), UnionRule(GenerateSourcesRequest, GenerateFileSet)]
