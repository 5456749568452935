"""What the image of a job has: the locked packages alone, or others."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.imports.overlay import pattern_of
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, rule


@dataclass(frozen=True)
class BuildContextRequest:
    """`folder` is that of a Docker build context, None for another kind of environment."""

    folder: str | None
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True)
class BuildContext:
    """`has_lock` says that the image has the locked packages and no others."""

    has_lock: bool


@rule
async def find_build_context(request: BuildContextRequest) -> BuildContext:
    if request.folder is None:
        return BuildContext(False)
    folder = pattern_of(request.folder)
    dockerfile, own = await MultiGet(
        Get(
            DigestContents,
            PathGlobs(
                [f"{folder}/{pattern_of(request.dockerfile)}"], GlobMatchErrorBehavior.ignore
            ),
        ),
        Get(Paths, PathGlobs([f"{folder}/requirements.txt"], GlobMatchErrorBehavior.ignore)),
    )
    # The bundle adds this file where the folder does not have it.
    installs = any(b"requirements.txt" in file.content for file in dockerfile)
    return BuildContext(installs and not own.files)
