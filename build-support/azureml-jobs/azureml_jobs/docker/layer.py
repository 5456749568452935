"""Images that hold more than an experiment's environment: built once on top of its image."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.engine import Image, image_id, run_visibly

# Behind a proxy with a certificate authority of its own, as in the experiments' Dockerfiles.
CERTIFICATE_ARGUMENT = "CA_CERTIFICATE"
# The only ones that a layer's Dockerfile takes; Docker knows those of proxies by itself.
_TAKEN_ARGUMENTS = frozenset(
    {CERTIFICATE_ARGUMENT, "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY"}
)
_BEGINNING = f"""\
FROM {{base}}
USER root
ARG {CERTIFICATE_ARGUMENT}=""
"""
# One line, so that it can be put before any command of pip.
WITH_CERTIFICATE = (
    f'if [ -n "${CERTIFICATE_ARGUMENT}" ]; then '
    f'echo "${CERTIFICATE_ARGUMENT}" > /tmp/ca.pem; export PIP_CERT=/tmp/ca.pem; fi; '
)
WITHOUT_CERTIFICATE = "rm -f /tmp/ca.pem"


@dataclass(frozen=True)
class Layer:
    """What is put on top of an image.

    `kind` begins its tag, `title` tells people what it is. `steps` are lines of a Dockerfile,
    `files` what they copy, by name.
    """

    kind: str
    title: str
    steps: str
    files: Mapping[str, bytes]


def packages_layer(requirements: bytes, kind: str, title: str) -> Layer:
    """Further packages, with hashes, beside those that the image's own Python has."""
    return Layer(
        kind,
        title,
        "COPY requirements.txt /opt/azureml-jobs/requirements.txt\n"
        f"RUN {WITH_CERTIFICATE}python -m pip install --quiet --no-cache-dir --no-deps"
        f" --require-hashes -r /opt/azureml-jobs/requirements.txt && {WITHOUT_CERTIFICATE}\n",
        {"requirements.txt": requirements},
    )


def layered_image(
    base: Image, layer: Layer, build_arguments: Sequence[str] = (), network: str | None = None
) -> Image:
    """The image `base` with `layer` on top, built where it is not there yet.

    `build_arguments` are `NAME=value`, or `NAME` of this environment, as for `docker build`. Raises
    `OutsideError` when it cannot be built; Docker's own words are on standard error then.
    """
    digest = content_digest(
        [
            ("Dockerfile", f"{base.id}\n{layer.steps}".encode(), False),
            *((name, content, False) for name, content in layer.files.items()),
        ]
    )
    reference = f"{base.reference.rpartition(':')[0]}:{layer.kind}-{digest[:12]}"
    found = image_id(reference)
    if found is None:
        print(f"Building {reference}: {layer.title}; this happens once", file=sys.stderr)
        _build(base, layer, reference, build_arguments, network)
        found = image_id(reference)
    if found is None:
        raise OutsideError(reference, "the image was built and is not there")
    return Image(reference, found)


def _build(
    base: Image,
    layer: Layer,
    reference: str,
    build_arguments: Sequence[str],
    network: str | None,
) -> None:
    context = Path(tempfile.mkdtemp(prefix="azureml-jobs-"))
    try:
        # By the tag of its content: a builder may look an id up in a registry.
        beginning = _BEGINNING.format(base=base.reference)
        (context / "Dockerfile").write_text(beginning + layer.steps, encoding="utf-8")
        for name, content in layer.files.items():
            (context / name).write_bytes(content)
        taken = [
            part
            for argument in build_arguments
            if argument.partition("=")[0].upper() in _TAKEN_ARGUMENTS
            for part in ("--build-arg", argument)
        ]
        networking = [f"--network={network}"] if network else []
        status = run_visibly(["build", "--tag", reference, *taken, *networking, str(context)])
    finally:
        shutil.rmtree(context, ignore_errors=True)
    if status != 0:
        raise OutsideError(
            reference,
            f"{layer.title} could not be added to the image, for the reason above",
            "Behind a proxy with its own certificates, give them as for the image itself:\n"
            f"`--docker-build-args={CERTIFICATE_ARGUMENT}=…`, or in `[docker].build_args`.",
        )
