"""The Docker engine: whether one answers, which images it has, and its containers by name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.digest import ENVIRONMENT_TAG_PREFIX
from azureml_jobs.base.errors import OutsideError

# What an engine on this machine needs is some hundredths of a second.
_ANSWER_SECONDS = 2.0
_REMOVE_SECONDS = 30.0


class NoEngine(Exception):
    """No engine answers; the text says why, as a part of a sentence."""


@dataclass(frozen=True)
class Image:
    """`reference` is `repository:tag`, `id` is `sha256:…`."""

    reference: str
    id: str


@dataclass(frozen=True)
class Engine:
    """What an engine said: its images of environments by tag, and how it maps users."""

    images: Mapping[str, Image]
    security_options: frozenset[str]

    @property
    def is_rootless(self) -> bool:
        """Whether root of a container is the user who runs the engine."""
        return "rootless" in self.security_options

    @property
    def maps_users(self) -> bool:
        """Whether a user's number in a container is another one on this machine."""
        return "userns" in self.security_options


class EngineQuestion:
    """Asks the engine at once, and lets the caller do something else until `answer` is needed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        patterns = [f"{folders}*:{ENVIRONMENT_TAG_PREFIX}*" for folders in ("", "*/", "*/*/")]
        self._asked: list[subprocess.Popen[str]] = []
        self._error = ""
        try:
            self._ask(
                environment,
                *("image", "ls", "--no-trunc", "--format", "{{json .}}"),
                *(f"--filter=reference={pattern}" for pattern in patterns),
            )
            self._ask(environment, "info", "--format", "{{json .SecurityOptions}}")
        except FileNotFoundError:
            self._error = "Docker is not installed"
        except OSError as error:
            self._error = f"docker cannot be started: {error.strerror}"

    def _ask(self, environment: Mapping[str, str], *arguments: str) -> None:
        process = subprocess.Popen(
            ["docker", *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._asked.append(process)

    def answer(self) -> Engine:
        """Raises `NoEngine` when none answers within seconds."""
        said = []
        try:
            for process in self._asked:
                out, error = process.communicate(timeout=_ANSWER_SECONDS)
                if process.returncode != 0:
                    raise NoEngine(self._error or f"no Docker engine answers: {_first_line(error)}")
                said.append(out)
        except subprocess.TimeoutExpired:
            raise NoEngine(
                f"the Docker engine did not answer within {_ANSWER_SECONDS:g} s"
            ) from None
        finally:
            self._forget()
        if self._error:
            raise NoEngine(self._error)
        return Engine(_images(said[0]), _security_options(said[1]))

    def _forget(self) -> None:
        for process in self._asked:
            if process.poll() is None:
                process.kill()
                process.communicate()


def _first_line(text: str) -> str:
    lines = text.strip().splitlines() or ["it gave no reason"]
    # Docker's own question at the end is answered by our message.
    return lines[0].replace(" Is the docker daemon running?", "").rstrip(".")


def _images(lines: str) -> dict[str, Image]:
    found: dict[str, Image] = {}
    for line in lines.splitlines():
        row = json.loads(line)
        image = Image(f"{row['Repository']}:{row['Tag']}", row["ID"])
        # Equal tags are equal contents, whatever the repository. A name with a registry before it
        # is what an image was once pushed under; else the newest one, which is listed first.
        known = found.get(row["Tag"])
        if known is None or image.reference.count("/") < known.reference.count("/"):
            found[row["Tag"]] = image
    return found


def _security_options(text: str) -> frozenset[str]:
    """Names among such as `["name=seccomp,profile=default", "name=rootless"]`."""
    options = json.loads(text) or []
    return frozenset(
        part[len("name=") :]
        for option in options
        for part in option.split(",")
        if part.startswith("name=")
    )


def image_id(reference: str) -> str | None:
    """The id of an image that the engine has; None when it has none of this name."""
    done = _docker("image", "inspect", "--format", "{{.Id}}", reference)
    return done.stdout.strip() if done.returncode == 0 else None


def image_details(reference: str) -> dict[str, Any] | None:
    """What the engine knows of an image, as of `docker image inspect`; None when it has none."""
    done = _docker("image", "inspect", "--format", "{{json .}}", reference)
    return json.loads(done.stdout) if done.returncode == 0 else None


def tag_image(reference: str, name: str) -> None:
    """Give an image another name."""
    done = _docker("image", "tag", reference, name)
    if done.returncode != 0:
        raise OutsideError(name, f"the image cannot have this name: {_first_line(done.stderr)}")


def has_container(name: str) -> bool:
    """Whether a container of this name is there, running or not."""
    try:
        return _docker("container", "inspect", "--format", "{{.Id}}", name).returncode == 0
    except OutsideError:
        return False


def remove_container(name: str) -> str | None:
    """End a container and all of its processes at once; what went wrong, None when it is gone."""
    try:
        done = _docker("rm", "--force", "--volumes", name)
    except OutsideError as error:
        return error.what
    # Older clients call it an error that there is none, or that it is on its way out.
    if done.returncode == 0 or "No such container" in done.stderr or "in progress" in done.stderr:
        return None
    return _first_line(done.stderr)


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_REMOVE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OutsideError(
            "docker", f"the engine did not answer within {_REMOVE_SECONDS:g} s"
        ) from error
    except OSError as error:
        raise OutsideError("docker", f"it cannot be started: {error.strerror}") from error


def run_visibly(arguments: Sequence[str]) -> int:
    """Run `docker` with its output on ours; its exit status."""
    try:
        return subprocess.run(
            ["docker", *arguments], stdin=subprocess.DEVNULL, stdout=2, check=False
        ).returncode
    except OSError as error:
        raise OutsideError("docker", f"it cannot be started: {error.strerror}") from error
