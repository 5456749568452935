"""Which runtime a job or script gets: the image of its environment, or a virtual environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.engine import (
    Engine,
    EngineQuery,
    Image,
    NoEngine,
    image_id,
    run_to_stderr,
)
from azureml_jobs.docker.needed_image import NeededImage, image_not_built

AUTO = "auto"
DOCKER = "docker"
VENV = "venv"
RUNTIMES = (AUTO, DOCKER, VENV)


def only_docker(option: str, arguments: Sequence[str]) -> bool:
    """Whether a job runs in Docker or not at all, by Pants' option and the job's arguments."""
    given = " ".join(arguments).replace("--runtime=", "--runtime ").split()
    named = [value for flag, value in zip(given, given[1:]) if flag == "--runtime"]
    return (named or [option])[-1] == DOCKER


@dataclass(frozen=True)
class Runtime:
    """`image` and `engine` are those of the runtime docker; `reason` says why it is not that."""

    image: Image | None = None
    engine: Engine | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        return DOCKER if self.image else VENV

    def __str__(self) -> str:
        if self.image:
            return f"Runtime: {DOCKER}, {self.image.reference}"
        return f"Runtime: {VENV}{f' ({self.reason})' if self.reason else ''}"


class RuntimeChoice:
    """Asks the engine when made, if its answer can matter; `choose` waits for it."""

    def __init__(self, wanted: str, environment: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._question = None if wanted == VENV else EngineQuery(environment)

    def choose(self, need: NeededImage, where: str) -> Runtime:
        """The runtime for what `where` names.

        Raises `JobError` when docker is wanted and the image is not there, `OutsideError` when no
        engine answers.
        """
        if self._question is None:
            return Runtime()
        if self._wanted == DOCKER:
            return self._docker(self._question, need, where)
        try:
            engine = self._question.answer()
        except NoEngine as error:
            return Runtime(reason=str(error).partition(":")[0])
        if need.why_none:
            return Runtime(reason=need.why_none)
        image = _find(engine, need)
        if image is None:
            build = f"docker pull {need.reference}" if need.reference else need.build_command
            return Runtime(reason=f"the image is not there yet: {build}")
        return Runtime(image, engine)

    def _docker(self, question: EngineQuery, need: NeededImage, where: str) -> Runtime:
        try:
            engine = question.answer()
        except NoEngine as error:
            raise OutsideError(
                where,
                f"it shall run in Docker, but {error}",
                "Start Docker, or run it without: `./pants --azureml-runtime=venv run …`.",
            ) from error
        if need.why_none:
            raise JobError(
                where,
                f"it shall run in Docker, but {need.why_none}",
                "Run it without: `./pants --azureml-runtime=venv run …`.",
            )
        image = _find(engine, need)
        if image is None and need.reference:
            image = _pulled(need.reference, where)
        if image is None:
            raise image_not_built(where, need)
        return Runtime(image, engine)


def _find(engine: Engine, need: NeededImage) -> Image | None:
    if need.tag is not None:
        return engine.images.get(need.tag)
    if need.reference is None:
        return None
    found = image_id(need.reference)
    return Image(need.reference, found) if found else None


def _pulled(reference: str, where: str) -> Image:
    status = run_to_stderr(["pull", reference])
    found = image_id(reference) if status == 0 else None
    if found is None:
        raise OutsideError(
            f"{where}: environment.image",
            f"the image {reference} could not be pulled, for the reason above",
            "Check its name, the network, and `docker login` for a private registry.",
        )
    return Image(reference, found)
