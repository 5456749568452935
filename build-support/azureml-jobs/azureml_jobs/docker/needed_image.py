"""Name the image that a job or script runs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azureml_jobs.base.digest import environment_tag
from azureml_jobs.base.errors import JobError

# Who sends an image plans no job.
if TYPE_CHECKING:
    from azureml_jobs.bundle.contents import Bundle, UnitBundle


@dataclass(frozen=True)
class NeededImage:
    """The image in which something runs.

    It has the `tag` of its content, if the target `address` builds it, or it is the `reference` in
    the job file. Without either, `why_none` completes a sentence that says why.
    """

    tag: str | None = None
    address: str | None = None
    reference: str | None = None
    why_none: str = ""

    @property
    def build_command(self) -> str:
        return f"./pants package {self.address}" if self.address else "./pants package ….:env"


def needed_image_of(bundle: Bundle, unit: UnitBundle) -> NeededImage:
    """Return the image of the environment that a unit of the bundle has."""
    environment = bundle.environment_of(unit)
    digest = unit.environment_digest
    if isinstance(environment, Mapping) and "build" in environment and digest:
        return NeededImage(environment_tag(digest), unit.files.image_target)
    if isinstance(environment, Mapping) and environment.get("image") and not digest:
        return NeededImage(reference=str(environment["image"]))
    if digest:
        return NeededImage(
            why_none="its environment is a `conda_file`, which only Azure ML installs"
        )
    named = environment if isinstance(environment, str) else "it names"
    return NeededImage(why_none=f"only Azure ML has the environment {named}")


def image_not_built(where: str, need: NeededImage) -> JobError:
    """Return the error that the engine does not have the image."""
    return JobError(
        where,
        "its image is not built, or what it is made of has changed since",
        f"Build it: `{need.build_command}`.",
    )
