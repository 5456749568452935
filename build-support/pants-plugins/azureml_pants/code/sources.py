"""What the files of the repository import, and which Python reads them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.imports.source import Source, read_source
from azureml_pants.base.options import AzureMLSubsystem
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, rule


@dataclass(frozen=True)
class ImagePython:
    """The Python of the images: its major and minor version."""

    version: tuple[int, int]


@rule
async def find_image_python(azureml: AzureMLSubsystem) -> ImagePython:
    contents = await Get(
        DigestContents, PathGlobs([azureml.image_platform], GlobMatchErrorBehavior.ignore)
    )
    return ImagePython(python_of_platform(contents[0].content if contents else b""))


def python_of_platform(content: bytes) -> tuple[int, int]:
    """Return the Python that a platform file describes, or the one that runs Pants."""
    found = re.search(rb'"python_version": *"([0-9]+)\.([0-9]+)"', content)
    return (int(found[1]), int(found[2])) if found else sys.version_info[:2]


@dataclass(frozen=True)
class SourceRequest:
    """Read a file of Python that exists; `path` is relative to the build root."""

    path: str


@rule
async def read_source_file(request: SourceRequest, python: ImagePython) -> Source:
    contents = await Get(DigestContents, PathGlobs([pattern_of(request.path)]))
    return read_source(contents[0].content, request.path, python.version)
