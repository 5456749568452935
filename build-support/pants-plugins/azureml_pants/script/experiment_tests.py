"""Tests of an experiment find what its jobs find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.imports.overlay import pattern_of
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from pants.backend.python.goals.pytest_runner import PytestPluginSetup, PytestPluginSetupRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonResolveField,
    PythonTestsDependenciesField,
    PythonTestSourceField,
)
from pants.engine.fs import (
    CreateDigest,
    Digest,
    FileContent,
    GlobMatchErrorBehavior,
    PathGlobs,
    Paths,
)
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import FieldSet, InferDependenciesRequest, InferredDependencies, Target
from pants.engine.unions import UnionRule


@dataclass(frozen=True)
class TestFieldSet(FieldSet):
    required_fields = (PythonTestSourceField, PythonTestsDependenciesField)

    source: PythonTestSourceField
    resolve: PythonResolveField

    __test__ = False

    def request(self, python_setup: PythonSetup) -> ScriptCodeRequest:
        resolve = self.resolve.normalized_value(python_setup)
        return ScriptCodeRequest(self.address, resolve, tests=(self.source.file_path,))


class InferTestDependencies(InferDependenciesRequest):
    infer_from = TestFieldSet


@rule(desc="Infer the dependencies of a test")
async def infer_test_dependencies(
    request: InferTestDependencies, python_setup: PythonSetup
) -> InferredDependencies:
    code = await Get(ScriptCode, ScriptCodeRequest, request.field_set.request(python_setup))
    if not code.has_job:
        return InferredDependencies(())
    loaded = await Get(LoadedCode, LoadedCodeRequest, code.request)
    return InferredDependencies(set(loaded.dependencies) - {request.field_set.address})


class SearchPathSetup(PytestPluginSetupRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return TestFieldSet.is_applicable(target)


@rule
async def set_search_path(request: SearchPathSetup, python_setup: PythonSetup) -> PytestPluginSetup:
    field_set = TestFieldSet.create(request.target)
    code = await Get(ScriptCode, ScriptCodeRequest, field_set.request(python_setup))
    if not code.has_job:
        return PytestPluginSetup()
    # Pants passes no other variable or option of pytest than those in BUILD files.
    folder = PurePath(field_set.address.spec_path)
    candidates = [str(each / "conftest.py") for each in (folder, *folder.parents)]
    taken = await Get(
        Paths, PathGlobs((pattern_of(each) for each in candidates), GlobMatchErrorBehavior.ignore)
    )
    free = [each for each in candidates if each not in taken.files][:1]
    content = conftest(code.folders)
    return PytestPluginSetup(
        await Get(Digest, CreateDigest(FileContent(path, content) for path in free))
    )


def conftest(folders: tuple[str, ...]) -> bytes:
    """Return a `conftest.py` that imports from these folders first, as the job does."""
    return (
        "import os, sys\n\n"
        f"sys.path[:0] = [os.path.abspath(folder) for folder in {list(folders)!r}]\n"
    ).encode()


def rules():
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferTestDependencies),
        UnionRule(PytestPluginSetupRequest, SearchPathSetup),
    ]
