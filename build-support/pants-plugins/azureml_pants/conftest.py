"""A small repository in which the tests run the rules of all backends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import azureml_pants.tested_pants  # noqa: F401  # isort: split
import pytest
from azureml_jobs.protocol import WhyRequest
from azureml_pants.code.build_folders import FolderTargets, FolderTargetsRequest
from azureml_pants.code.command_targets import LocalCode, LocalFieldSet
from azureml_pants.code.import_errors import ImportErrors, MissingModules
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.environment.needed_packages import UnitPackages, UnitPackagesRequest
from azureml_pants.environment.runtime import NamedImage, NamedImageRequest
from azureml_pants.experiment import register as experiment
from azureml_pants.file_set import register as file_set
from azureml_pants.image import register as image
from azureml_pants.imports import register as imports
from azureml_pants.imports.lint import FileImports, FileImportsRequest
from azureml_pants.job import register as job
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job.lint import JobsToLint, JobsToLintRequest
from azureml_pants.locks import register as locks
from azureml_pants.new_experiment import register as new_experiment
from azureml_pants.notebook import register as notebook
from azureml_pants.script import register as script
from azureml_pants.script.experiment_tests import SearchPathSetup
from azureml_pants.workspace import register as workspace
from pants.backend.docker import register as docker_backend
from pants.backend.project_info import dependencies, dependents, list_targets
from pants.backend.project_info.dependents import Dependents, DependentsRequest
from pants.backend.python import register as python_backend
from pants.backend.python.dependency_inference.module_mapper import (
    AllPythonTargets,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.goals.pytest_runner import PytestPluginSetup
from pants.backend.shell.target_types import ShellSourceTarget
from pants.core import register as core_backend
from pants.engine.addresses import Addresses
from pants.engine.internals.parametrize import Parametrize
from pants.engine.target import DependenciesRequest
from pants.testutil.rule_runner import QueryRule, RuleRunner

WITH_TARGETS = (experiment, file_set, image, job, locks, notebook, script, workspace)
BACKENDS = (*WITH_TARGETS, imports, new_experiment)
OPTIONS = (
    "--source-root-patterns=['/src', '/other']",
    "--python-enable-resolves",
    "--python-resolves={'main': 'main.lock', 'second': 'second.lock'}",
    "--python-default-resolve=main",
    "--python-interpreter-constraints=['CPython==3.11.*']",
    "--python-infer-use-rust-parser",
    "--python-invalid-lockfile-behavior=ignore",
    "--azureml-image-platform=platform.json",
)


@pytest.fixture(scope="session")
def _runner() -> RuleRunner:
    # One for all tests: building the graph of the rules takes seconds, a request milliseconds.
    return RuleRunner(
        rules=[
            *(rule for backend in BACKENDS for rule in backend.rules()),
            *python_backend.rules(),
            *core_backend.rules(),
            *docker_backend.rules(),
            *dependencies.rules(),
            *dependents.rules(),
            *list_targets.rules(),
            QueryRule(Addresses, [DependenciesRequest]),
            QueryRule(Dependents, [DependentsRequest]),
            QueryRule(AllPythonTargets, []),
            QueryRule(FolderTargets, [FolderTargetsRequest]),
            QueryRule(ListedPackages, []),
            QueryRule(ThirdPartyPythonModuleMapping, []),
            QueryRule(CheckedCode, [CheckedCodeRequest]),
            QueryRule(CheckedUnits, [JobFieldSet]),
            QueryRule(FileImports, [FileImportsRequest]),
            QueryRule(ImportErrors, [MissingModules]),
            QueryRule(JobInputs, [JobFieldSet]),
            QueryRule(JobsToLint, [JobsToLintRequest]),
            QueryRule(WhyRequest, []),
            QueryRule(UnitPackages, [UnitPackagesRequest]),
            QueryRule(NamedImage, [NamedImageRequest]),
            QueryRule(LocalCode, [LocalFieldSet]),
            QueryRule(SourceRoots, []),
            QueryRule(PytestPluginSetup, [SearchPathSetup]),
        ],
        target_types=[
            *(target for backend in WITH_TARGETS for target in backend.target_types()),
            *python_backend.target_types(),
            *core_backend.target_types(),
            *docker_backend.target_types(),
            ShellSourceTarget,
        ],
        objects={"parametrize": Parametrize},
    )


@pytest.fixture
def rule_runner(_runner: RuleRunner) -> Iterator[RuleRunner]:
    """Yield a runner with an empty repository; `src` and `other` are source roots."""
    root = Path(_runner.build_root)
    kept = {path.name for path in root.iterdir()}
    _runner.set_options(OPTIONS, env_inherit={"PATH", "HOME"})
    yield _runner
    written = [path for path in root.iterdir() if path.name not in kept]
    paths = {str(path.relative_to(root)) for top in written for path in (top, *top.rglob("*"))}
    for path in written:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _runner.scheduler.invalidate_files({*paths, ""})
