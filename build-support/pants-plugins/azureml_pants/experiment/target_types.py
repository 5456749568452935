"""Targets of Pants for folders in which some of the files may be missing.

Pants warns about every glob in a BUILD file that matches nothing, except for a field's default.
"""

from __future__ import annotations

from collections.abc import Sequence

from pants.backend.docker.target_types import (
    DockerImageDependenciesField,
    DockerImageSourceField,
    DockerImageTarget,
)
from pants.backend.python.target_types import (
    PythonSourcesGeneratingSourcesField,
    PythonSourcesGeneratorTarget,
    PythonTestsGeneratingSourcesField,
    PythonTestsGeneratorTarget,
)
from pants.core.target_types import FilesGeneratingSourcesField, FilesGeneratorTarget
from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.target import Dependencies, Field, InvalidFieldException, Target
from pants.util.strutil import softwrap

# Both of pytest's names.
_TESTS = ("**/test_*.py", "**/*_test.py")


class FolderSourcesField(PythonSourcesGeneratingSourcesField):
    help = 'Globs of the code, e.g. `["**/*.py", "!old/**"]`.'
    default = ("**/*.py", *(f"!{glob}" for glob in _TESTS))
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore


class FolderTestsField(PythonTestsGeneratingSourcesField):
    help = 'Globs of the files with tests, e.g. `["tests/**/test_*.py"]`.'
    default = _TESTS  # type: ignore[assignment]
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore


class ImageContextField(FilesGeneratingSourcesField):
    help = 'Globs of the files, e.g. `["docker/**/*"]`.'
    required = False
    default = ("docker/**/*", "!docker/**/BUILD")
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore


class ExperimentDockerfileField(DockerImageSourceField):
    default = "docker/Dockerfile"

    def validate_resolved_files(self, files: Sequence[str]) -> None:
        super().validate_resolved_files(files)
        if not files:
            raise InvalidFieldException(
                f"{self.file_path}: there is no Dockerfile.\n\nWrite one, or write "
                f"`experiment(docker=None)` in {self.address.spec_path}/BUILD if the job file "
                "names an environment of Azure ML."
            )


def _with(target: type[Target], **fields: type[Field]) -> tuple[type[Field], ...]:
    """Return the fields of a target with those in place of others that have the same alias."""
    return tuple(fields.get(field.alias, field) for field in target.core_fields)


class FolderSourcesTarget(PythonSourcesGeneratorTarget):
    alias = "folder_sources"
    core_fields = _with(  # type: ignore[assignment]
        PythonSourcesGeneratorTarget, sources=FolderSourcesField
    )
    help = softwrap("""
        The Python code of a folder and of those below it, without tests: `python_sources` that may
        be none.

        Example: `folder_sources(name="lib")`.
        """)


class FolderTestsTarget(PythonTestsGeneratorTarget):
    alias = "folder_tests"
    core_fields = _with(  # type: ignore[assignment]
        PythonTestsGeneratorTarget, sources=FolderTestsField
    )
    help = softwrap("""
        The tests of a folder and of those below it, `test_*.py` and `*_test.py`: `python_tests`
        that may be none.

        Example: `folder_tests(name="tests")`.
        """)


class ImageContextTarget(FilesGeneratorTarget):
    alias = "image_context"
    core_fields = _with(FilesGeneratorTarget, sources=ImageContextField)  # type: ignore[assignment]
    help = softwrap("""
        What an image is built from, the folder of its Dockerfile: `files` that may be missing.

        Example: `image_context(name="docker")`.
        """)


class ExperimentImageTarget(DockerImageTarget):
    alias = "experiment_image"
    # Pants infers dependencies of `DockerImageDependenciesField` from a Dockerfile, which must then
    # exist: without it, `dependents` and `--changed-since` would fail in the whole repository.
    core_fields = _with(  # type: ignore[assignment]
        DockerImageTarget,
        **{
            DockerImageDependenciesField.alias: Dependencies,
            DockerImageSourceField.alias: ExperimentDockerfileField,
        },
    )
    help = softwrap("""
        The image of an experiment: a `docker_image` whose Dockerfile may be missing, as long as
        nobody builds it.

        Example: `experiment_image(name="env", source="docker/Dockerfile")`.
        """)
