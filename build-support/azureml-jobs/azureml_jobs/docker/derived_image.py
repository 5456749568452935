"""Build images that add something to an experiment's image, such as JupyterLab."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.engine import Image, image_id, run_to_stderr

# For builds behind a proxy with its own certificate authority, as in the experiments' Dockerfiles.
CERTIFICATE_ARGUMENT = "CA_CERTIFICATE"
# Docker warns about build arguments that a Dockerfile does not use; it knows those of proxies.
_USED_ARGUMENTS = frozenset(
    {CERTIFICATE_ARGUMENT, "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY"}
)
# One line, to be put before a command of pip.
WITH_CERTIFICATE = (
    f'if [ -n "${CERTIFICATE_ARGUMENT}" ]; then '
    f'echo "${CERTIFICATE_ARGUMENT}" > /tmp/ca.pem; export PIP_CERT=/tmp/ca.pem; fi; '
)
WITHOUT_CERTIFICATE = "rm -f /tmp/ca.pem"


@dataclass(frozen=True)
class Addition:
    """What a derived image adds to its base.

    `kind` begins the tag of the image, `title` names the addition in messages. `steps` are lines of
    a Dockerfile, `files` are what they copy, by name.
    """

    kind: str
    title: str
    steps: str
    files: Mapping[str, bytes]


def packages_addition(requirements: bytes, address: str) -> Addition:
    """Add locked packages, which the target `address` imports, to the image's Python."""
    return Addition(
        "packages",
        f"the packages that {address} imports",
        "COPY requirements.txt /opt/azureml-jobs/requirements.txt\n"
        f"RUN {WITH_CERTIFICATE}python -m pip install --no-cache-dir --no-deps"
        f" --require-hashes -r /opt/azureml-jobs/requirements.txt && {WITHOUT_CERTIFICATE}\n",
        {"requirements.txt": requirements},
    )


def derived_image(
    base: Image, addition: Addition, build_arguments: Sequence[str] = (), network: str | None = None
) -> Image:
    """Return the image `base` with `addition`, and build it if the engine does not have it yet.

    `build_arguments` are `NAME=value`, or `NAME` of this environment, as for `docker build`. Raises
    `OutsideError` when it cannot be built, after Docker's output on standard error.
    """
    # By its tag: a builder might look for an id in a registry.
    head = f'FROM {base.reference}\nUSER root\nARG {CERTIFICATE_ARGUMENT}=""\n'
    files = {"Dockerfile": (head + addition.steps).encode(), **addition.files}
    by_id = {**files, "Dockerfile": f"{base.id}\n{addition.steps}".encode()}
    digest = content_digest((name, content, False) for name, content in by_id.items())
    reference = f"{base.reference.rpartition(':')[0]}:{addition.kind}-{digest[:12]}"
    found = image_id(reference)
    if found is None:
        print(f"Building {reference}: {addition.title}; this happens once", file=sys.stderr)
        arguments = [
            part
            for argument in build_arguments
            if argument.partition("=")[0].upper() in _USED_ARGUMENTS
            for part in ("--build-arg", argument)
        ]
        arguments += [f"--network={network}"] if network else []
        with tempfile.TemporaryDirectory(prefix="azureml-jobs-") as context:
            for name, content in files.items():
                Path(context, name).write_bytes(content)
            status = run_to_stderr(["build", "--tag", reference, *arguments, context])
        if status != 0:
            raise OutsideError(
                reference,
                f"{addition.title} could not be added to the image, for the reason above",
                "Behind a proxy with its own certificates, give them as for the image itself:\n"
                f"`--docker-build-args={CERTIFICATE_ARGUMENT}=…`, or in `[docker].build_args`.",
            )
        found = image_id(reference)
    if found is None:
        raise OutsideError(reference, "the image was built, but the engine does not have it")
    return Image(reference, found)
