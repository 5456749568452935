"""Ask the Docker engine for its images, and for containers by name."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from azureml_jobs.base.digest import ENVIRONMENT_TAG_PREFIX
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.parallel import BackgroundCall

# An engine on this machine answers within some hundredths of a second.
_ANSWER_SECONDS = 2.0
_REMOVE_SECONDS = 30.0


class NoEngine(OutsideError):
    """No engine answers; `what` completes a sentence that says why."""

    def __init__(self, what: str) -> None:
        super().__init__("docker", what)


@dataclass(frozen=True)
class Image:
    """`reference` is `repository:tag`, `id` is `sha256:…`."""

    reference: str
    id: str


@dataclass(frozen=True)
class Engine:
    """The engine's images of environments, by tag, and its security options."""

    images: Mapping[str, Image]
    security_options: frozenset[str]


class EngineQuery:
    """A query that runs while the caller does something else, until `answer`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        patterns = [f"{folders}*:{ENVIRONMENT_TAG_PREFIX}*" for folders in ("", "*/", "*/*/")]
        filters = [f"--filter=reference={pattern}" for pattern in patterns]
        template = "{{.Repository}}:{{.Tag}} {{.ID}}"
        images = ["image", "ls", "--no-trunc", "--format", template, *filters]
        options = ["info", "--format", "{{json .SecurityOptions}}"]
        self._images = BackgroundCall(partial(_asked, environment, images))
        self._options = BackgroundCall(partial(_asked, environment, options))

    def answer(self) -> Engine:
        """Return what the engine answered; raise `NoEngine` when none answers within seconds."""
        return Engine(_images(self._images.result()), _security_options(self._options.result()))


def _asked(environment: Mapping[str, str], arguments: Sequence[str]) -> str:
    done = _docker(*arguments, env=dict(environment), timeout=_ANSWER_SECONDS)
    if done.returncode != 0:
        raise NoEngine(f"no Docker engine answers: {_reason(done.stderr)}")
    return done.stdout


def _reason(text: str) -> str:
    """Return the first line that is no warning, such as one of the client's configuration."""
    lines = [line for line in text.strip().splitlines() if not line.startswith("WARNING")]
    reason = lines[0] if lines else "it gave no reason"
    # Our message answers Docker's question at the end.
    return reason.replace(" Is the docker daemon running?", "").rstrip(".")


def _images(lines: str) -> dict[str, Image]:
    found: dict[str, Image] = {}
    for line in lines.splitlines():
        image = Image(*line.split(" "))
        tag = image.reference.rpartition(":")[2]
        # Equal tags mean equal content, whatever the repository. Prefer a name without a registry,
        # under which an image was built, not pushed; then the newest image, which is listed first.
        known = found.get(tag)
        if known is None or image.reference.count("/") < known.reference.count("/"):
            found[tag] = image
    return found


def _security_options(text: str) -> frozenset[str]:
    """Return the names in text such as `["name=seccomp,profile=default", "name=rootless"]`."""
    return frozenset(re.findall(r"\bname=(\w+)", text))


def image_details(reference: str) -> dict[str, Any] | None:
    """Return what `docker image inspect` prints, or None without such an image."""
    done = _docker("image", "inspect", "--format", "{{json .}}", reference)
    return json.loads(done.stdout) if done.returncode == 0 else None


def image_id(reference: str) -> str | None:
    """Return the id of the engine's image of this name, or None."""
    details = image_details(reference)
    return str(details["Id"]) if details else None


def tag_image(reference: str, name: str) -> None:
    """Give an image another name."""
    done = _docker("image", "tag", reference, name)
    if done.returncode != 0:
        raise OutsideError(name, f"the image cannot get this name: {_reason(done.stderr)}")


def has_container(name: str) -> bool:
    """Return whether there is a container of this name, running or not."""
    try:
        return _docker("container", "inspect", "--format", "{{.Id}}", name).returncode == 0
    except OutsideError:
        return False


def remove_container(name: str) -> str | None:
    """Kill a container and all of its processes; return what failed, None when it is gone."""
    try:
        done = _docker("rm", "--force", "--volumes", name)
    except OutsideError as error:
        return error.what
    # Older clients fail when there is no such container, or when it is being removed.
    if done.returncode == 0 or "No such container" in done.stderr or "in progress" in done.stderr:
        return None
    return _reason(done.stderr)


def run_to_stderr(arguments: Sequence[str]) -> int:
    """Run `docker` with its output on standard error; return its exit status."""
    return _run(arguments, stdout=2).returncode


def _docker(
    *arguments: str, timeout: float = _REMOVE_SECONDS, **options: Any
) -> subprocess.CompletedProcess[str]:
    return _run(arguments, capture_output=True, text=True, timeout=timeout, **options)


def _run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **options)
    except FileNotFoundError:
        raise NoEngine("Docker is not installed") from None
    except OSError as error:
        raise NoEngine(f"docker cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NoEngine(f"the Docker engine did not answer within {error.timeout:g} s") from None
