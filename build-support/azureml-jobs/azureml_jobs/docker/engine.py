"""Ask the Docker engine for its images, and for containers by name."""

from __future__ import annotations

import json
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


class NoEngine(Exception):
    """No engine answers; the text completes a sentence that says why."""


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

    @property
    def is_rootless(self) -> bool:
        """Whether root in a container is the user who runs the engine."""
        return "rootless" in self.security_options

    @property
    def maps_users(self) -> bool:
        """Whether user ids in a container are other ones on this machine."""
        return "userns" in self.security_options


class EngineQuery:
    """A query that runs while the caller does something else, until `answer`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        patterns = [f"{folders}*:{ENVIRONMENT_TAG_PREFIX}*" for folders in ("", "*/", "*/*/")]
        filters = [f"--filter=reference={pattern}" for pattern in patterns]
        images = ["image", "ls", "--no-trunc", "--format", "{{json .}}", *filters]
        options = ["info", "--format", "{{json .SecurityOptions}}"]
        self._images = BackgroundCall(partial(_asked, environment, images))
        self._options = BackgroundCall(partial(_asked, environment, options))

    def answer(self) -> Engine:
        """Return what the engine answered; raise `NoEngine` when none answers within seconds."""
        return Engine(_images(self._images.result()), _security_options(self._options.result()))


def _asked(environment: Mapping[str, str], arguments: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise NoEngine("Docker is not installed") from None
    except OSError as error:
        raise NoEngine(f"docker cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        what = f"the Docker engine did not answer within {_ANSWER_SECONDS:g} s"
        raise NoEngine(what) from None
    if done.returncode != 0:
        raise NoEngine(f"no Docker engine answers: {_first_line(done.stderr)}")
    return done.stdout


def _first_line(text: str) -> str:
    lines = text.strip().splitlines() or ["it gave no reason"]
    # Our message answers Docker's question at the end.
    return lines[0].replace(" Is the docker daemon running?", "").rstrip(".")


def _images(lines: str) -> dict[str, Image]:
    found: dict[str, Image] = {}
    for line in lines.splitlines():
        row = json.loads(line)
        image = Image(f"{row['Repository']}:{row['Tag']}", row["ID"])
        # Equal tags mean equal content, whatever the repository. Prefer a name without a registry,
        # under which an image was built, not pushed; then the newest image, which is listed first.
        known = found.get(row["Tag"])
        if known is None or image.reference.count("/") < known.reference.count("/"):
            found[row["Tag"]] = image
    return found


def _security_options(text: str) -> frozenset[str]:
    """Return the names in text such as `["name=seccomp,profile=default", "name=rootless"]`."""
    options = json.loads(text) or []
    return frozenset(
        part.removeprefix("name=")
        for option in options
        for part in option.split(",")
        if part.startswith("name=")
    )


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
        raise OutsideError(name, f"the image cannot get this name: {_first_line(done.stderr)}")


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
    return _first_line(done.stderr)


def run_to_stderr(arguments: Sequence[str]) -> int:
    """Run `docker` with its output on ours; its exit status."""
    return _run(arguments, stdout=2).returncode


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_REMOVE_SECONDS,
    )


def _run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **options)
    except subprocess.TimeoutExpired as error:
        what = f"the engine did not answer within {_REMOVE_SECONDS:g} s"
        raise OutsideError("docker", what) from error
    except OSError as error:
        raise OutsideError("docker", f"it cannot be started: {error.strerror}") from error
