"""Choose the runtime of a job or script: the image of its environment, or a virtual environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.engine import Engine, EngineQuery, Image, NoEngine, image_id, run_to_stderr
from azureml_jobs.docker.needed_image import NeededImage, image_not_built

AUTO = "auto"
DOCKER = "docker"
VENV = "venv"
RUNTIMES = (AUTO, DOCKER, VENV)


def only_docker(option: str, arguments: Sequence[str]) -> bool:
    """Return whether a job must run in Docker, by Pants' option and the job's arguments."""
    given = " ".join(arguments).replace("--runtime=", "--runtime ").split()
    named = [value for flag, value in zip(given, given[1:]) if flag == "--runtime"]
    return (named or [option])[-1] == DOCKER


@dataclass(frozen=True)
class Runtime:
    """With `image` it is docker; `reason` says why it is not.

    `user` is the user in the container, `arguments` are what this engine needs of `docker run`.
    """

    image: Image | None = None
    user: str = ""
    arguments: tuple[str, ...] = ()
    reason: str = ""

    @classmethod
    def in_image(cls, image: Image, engine: Engine) -> Runtime:
        # What the job writes belongs to who runs it, who is root in a rootless engine.
        is_rootless = "rootless" in engine.security_options
        user = "0:0" if is_rootless else f"{os.getuid()}:{os.getgid()}"
        # Otherwise the engine gives a container's users other ids on this machine.
        arguments = ("--userns=host",) if "userns" in engine.security_options else ()
        return cls(image, user, arguments)

    @property
    def name(self) -> str:
        return DOCKER if self.image else VENV

    def __str__(self) -> str:
        if self.image:
            return f"Runtime: {DOCKER}, {self.image.reference}"
        return f"Runtime: {VENV}{f' ({self.reason})' if self.reason else ''}"


class RuntimeChoice:
    """Asks Docker's engine at once if its answer can matter; `choose` waits for that."""

    def __init__(self, wanted: str, environment: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._query = None if wanted == VENV else EngineQuery(environment)

    def choose(self, need: NeededImage, where: str) -> Runtime:
        """Return the runtime for what `where` names.

        When docker is required, raises `JobError` for a missing image, and `OutsideError` when no
        engine answers.
        """
        if self._query is None:
            return Runtime()
        must, without = self._wanted == DOCKER, "`./pants --azureml-runtime=venv run …`."
        try:
            engine = self._query.answer()
        except NoEngine as error:
            if not must:
                return Runtime(reason=error.what.partition(":")[0])
            what = f"it must run in Docker, but {error.what}"
            raise OutsideError(
                where, what, f"Start Docker, or run it without: {without}"
            ) from error
        if need.why_none:
            if not must:
                return Runtime(reason=need.why_none)
            what = f"it must run in Docker, but {need.why_none}"
            raise JobError(where, what, f"Run it without: {without}")
        image = _find(engine, need)
        if image is None and not must:
            build = f"docker pull {need.reference}" if need.reference else need.build_command
            return Runtime(reason=f"the image does not exist yet: {build}")
        if image is None and need.reference:
            image = _pull(need.reference, where)
        if image is None:
            raise image_not_built(where, need)
        return Runtime.in_image(image, engine)


def _find(engine: Engine, need: NeededImage) -> Image | None:
    if need.tag is not None:
        return engine.images.get(need.tag)
    if need.reference is None:
        return None
    found = image_id(need.reference)
    return Image(need.reference, found) if found else None


def _pull(reference: str, where: str) -> Image:
    status = run_to_stderr(["pull", reference])
    found = image_id(reference) if status == 0 else None
    if found is None:
        raise OutsideError(
            f"{where}: environment.image",
            f"the image {reference} could not be pulled, for the reason above",
            "Check its name, the network, and `docker login` for a private registry.",
        )
    return Image(reference, found)
