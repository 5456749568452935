"""Find the images that `--image` pushes for a job: those that this machine has built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.engine import EngineQuery, Image, NoEngine, image_details
from azureml_jobs.docker.needed_image import NeededImage, image_not_built, needed_image_of

# Who sends an image plans no job.
if TYPE_CHECKING:
    from azureml_jobs.bundle.plan import JobPlan

OPTION = "--image"
# What the machines of Azure ML run.
_PLATFORM = "linux/amd64"


@dataclass(frozen=True)
class PushableImage:
    """An image of the local engine, which calls it `reference`; `size` is in bytes, on the disk.

    `name` is its repository and tag in the workspace's registry: the experiment's name, and the
    digest of the environment's content.
    """

    id: str
    reference: str
    name: str
    size: int

    @property
    def repository(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def tag(self) -> str:
        return self.name.rpartition(":")[2]


def pushable_images(plan: JobPlan, environment: Mapping[str, str]) -> dict[str, PushableImage]:
    """Return the engine's images of the environments that the job defines, by names of units.

    Raises `JobError` when the job has no such image, when one is not built, and when one is for
    another platform than Azure ML's; `OutsideError` when no engine answers.
    """
    bundle = plan.bundle
    needs = {unit.unit.name: needed_image_of(bundle, unit) for unit in bundle.units}
    built = {name: need for name, need in needs.items() if need.tag}
    for need in (built or needs or {"": NeededImage(why_none="it has no command")}).values():
        _check_need(need, plan.request.job_file)
    try:
        engine = EngineQuery(environment).answer()
    except NoEngine as error:
        raise OutsideError(
            OPTION,
            f"it pushes an image that this machine has built, but {error.what}",
            f"Start Docker, or leave `{OPTION}` out: Azure ML then builds the image.",
        ) from error
    return {
        name: _pushable(engine.images.get(need.tag or ""), need, plan.request.address)
        for name, need in built.items()
    }


def _pushable(image: Image | None, need: NeededImage, address: str) -> PushableImage:
    details = image_details(image.id) if image else None
    if image is None or details is None:
        raise image_not_built(address, need)
    platform = f"{details.get('Os')}/{details.get('Architecture')}"
    if platform != _PLATFORM:
        raise JobError(
            OPTION,
            f"the image {image.reference} is for {platform}, and Azure ML runs {_PLATFORM}",
            f"Build it for that: `DOCKER_DEFAULT_PLATFORM={_PLATFORM} {need.build_command}`. "
            "This takes longer on another processor.\n"
            f"Or leave `{OPTION}` out: Azure ML then builds the image.",
        )
    return PushableImage(
        image.id, image.reference, _without_registry(image.reference), int(details.get("Size") or 0)
    )


def _check_need(need: NeededImage, job_file: str) -> None:
    where = f"{job_file}: environment"
    if need.tag is None:
        what = need.why_none or f"it is {need.reference}, which a registry has already"
        raise JobError(
            where,
            f"`{OPTION}` pushes the image that is built for the job, and there is none: {what}",
            f"Leave `{OPTION}` out, or write `environment: {{build: {{path: docker}}}}` with a "
            "Dockerfile there.",
        )
    if need.address is None:
        raise JobError(
            where,
            f"`{OPTION}` pushes the image that a `docker_image` target builds from this folder, "
            "and there is none",
            f"Add one to the `BUILD` file, as `experiment()` does, or leave `{OPTION}` out.",
        )


def _without_registry(reference: str) -> str:
    """Return `repository:tag` without the host of a registry."""
    host, slash, rest = reference.partition("/")
    # https://github.com/distribution/reference, `splitDockerDomain`
    is_host = "." in host or ":" in host or host == "localhost"
    return rest if slash and is_host else reference


def image_stays_here(reason: str) -> JobError:
    """Return the error that `--image` has no effect on a job of this machine."""
    return JobError(
        OPTION,
        f"it pushes an image to the workspace in Azure, and this job stays on this machine{reason}",
        f"Leave `{OPTION}` out; `--runtime docker` runs the job in its image here.",
    )
