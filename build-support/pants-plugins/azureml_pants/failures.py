"""How a user's mistake comes out of Pants' own goals: the message alone, without a traceback."""

from __future__ import annotations

from collections.abc import Iterable


class JobFailure(Exception):
    """A message of the job tool, as it stands."""


def check_errors(errors: Iterable[str]) -> None:
    """Raise `JobFailure` with all of them, unless there are none."""
    text = "\n\n".join(errors)
    if text:
        raise JobFailure(text)


def check_bundled(exit_code: int, stderr: bytes) -> None:
    """Raise `JobFailure` with what the job tool said, unless it succeeded."""
    if exit_code != 0:
        raise JobFailure(stderr.decode(errors="replace").strip() or f"exit status {exit_code}")


def check_engine(exit_code: int, stderr: bytes) -> None:
    """Raise `JobFailure` when the engine did not answer `docker version`."""
    if exit_code != 0:
        raise JobFailure(
            f"docker: no engine answers: {_reason(stderr)}\n\n"
            "Start Docker. Everything but images also works without it."
        )


def check_base_image(dockerfile: str, image: str, exit_code: int, stderr: bytes) -> None:
    """Raise `JobFailure` when `docker pull` did not get the image that a Dockerfile begins with."""
    if exit_code != 0:
        raise JobFailure(
            f"{dockerfile}: FROM: the image {image} could not be pulled: {_reason(stderr)}\n\n"
            "Check its name, the network, and `docker login` for a private registry. To take "
            "another one,\nchange the Dockerfile, or give its build argument: "
            "`--docker-build-args=BASE_IMAGE=…`."
        )


def _reason(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
