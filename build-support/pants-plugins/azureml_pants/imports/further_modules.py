"""Dependencies that Pants' parser does not see: the modules after the first of `import a, b`."""

from __future__ import annotations

import re

from azureml_jobs.imports.source import read_source
from azureml_pants.code.sources import ImagePython
from pants.backend.python.dependency_inference.parse_python_dependencies import (
    ParsedPythonAssetPaths,
    ParsedPythonDependencies,
    ParsedPythonImportInfo,
    ParsedPythonImports,
)
from pants.backend.python.dependency_inference.rules import (
    PythonImportDependenciesInferenceFieldSet,
    ResolvedParsedPythonDependencies,
    ResolvedParsedPythonDependenciesRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.core.util_rules.stripped_source_files import StrippedSourceFiles
from pants.engine.fs import Digest, DigestContents
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import InferDependenciesRequest, InferredDependencies
from pants.engine.unions import UnionRule

# Most files have no such statement, and are not parsed again.
_SEVERAL = re.compile(rb"(?:^|[;:])\s*import\s[^\n#;]*(?:,|\\\r?$)", re.MULTILINE)


class InferFurtherModules(InferDependenciesRequest):
    infer_from = PythonImportDependenciesInferenceFieldSet


@rule(desc="Infer dependencies on all modules of a statement")
async def infer_further_modules(
    request: InferFurtherModules, python_setup: PythonSetup, python: ImagePython
) -> InferredDependencies:
    field_set = request.field_set
    # As Pants asks for the file, so that it is read once.
    sources = await Get(StrippedSourceFiles, SourceFilesRequest([field_set.source]))
    (file,) = await Get(DigestContents, Digest, sources.snapshot.digest)
    if not _SEVERAL.search(file.content):
        return InferredDependencies(())
    imports = read_source(file.content, file.path, python.version).imports
    parsed = ParsedPythonImports(
        (each.module, ParsedPythonImportInfo(each.line, weak=True))
        for each in imports
        if not each.names
    )
    resolved = await Get(
        ResolvedParsedPythonDependencies,
        ResolvedParsedPythonDependenciesRequest(
            field_set,
            ParsedPythonDependencies(parsed, ParsedPythonAssetPaths()),
            field_set.resolve.normalized_value(python_setup),
        ),
    )
    owners = (each.address for each in resolved.resolve_results.values())
    return InferredDependencies(sorted({address for found in owners for address in found}))


def rules():
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferFurtherModules)]
