"""Push a job's image to the workspace's registry, unless it is there already."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from azureml_jobs.azure.registry import Manifest, Registry
from azureml_jobs.azure.retries import Retries, patience_seconds
from azureml_jobs.azure.upload import SentAsset
from azureml_jobs.azure.workspace import ConnectedWorkspace, put_once
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.engine import image_details, tag_image
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_jobs.docker.pushable_image import PushableImage

_ANY_VERSION = "1"


class ImageToPush:
    """An image on its way to the registry of a workspace."""

    def __init__(self, workspace: ConnectedWorkspace, image: PushableImage) -> None:
        self._workspace = workspace
        self._registry = Registry(workspace)
        self._image = image

    def find(self) -> Manifest | None:
        """Return the image in the registry, None when it is not there. Any thread may ask."""
        image, registry = self._image, self._registry
        repository = f"{registry.server}/{image.repository}"
        for pushed in self._details().get("RepoDigests") or ():
            name, _, digest = str(pushed).partition("@")
            found = registry.manifest(image.repository, digest) if name == repository else None
            if found is not None:
                return found
        # The engine may have forgotten that it pushed, or another one may have.
        found = registry.manifest(image.repository, image.tag)
        # An engine's id of an image is the digest of its configuration, or of its manifest.
        return found if found and image.id in (found.config, found.digest) else None

    def send(self, found: Manifest | None) -> SentAsset:
        """Make the environment of this image, which is pushed unless it was `found`.

        Must be called in the main thread, which receives signals: Docker's credentials are removed
        however it ends.
        """
        size = None
        if found is None:
            found, size = self._push()
        server, image = self._registry.server, self._image
        reference = f"{server}/{image.repository}@{found.digest}"
        name = f"image-{hashlib.sha256(reference.encode()).hexdigest()[:12]}"
        path = ("environments", name, "versions", _ANY_VERSION)
        if self._workspace.get(*path) is None:
            put_once(self._workspace, *path, body={"properties": {"image": reference}})
        sent = SentAsset(self._workspace.asset_id(*path))
        if size is not None:
            sent.files, sent.size, sent.pushed_to = 1, size, f"{server}/{image.name}"
        return sent

    def _push(self) -> tuple[Manifest, int]:
        """Push the image; return what the registry has then, and how many bytes were sent."""
        server, image = self._registry.server, self._image
        target = f"{server}/{image.name}"
        self._registry.check_push(image.repository)
        token = self._registry.refresh_token()
        tag_image(image.id, target)
        print(f"Pushing {target}", file=sys.stderr, flush=True)
        with _signals_raise(), signed_in(server, token, os.environ) as environment:
            layers = self._push_with_retries(target, environment)
        found = self.find()
        if found is None:
            raise OutsideError(
                target, "Docker pushed the image, but the registry has another one of this name"
            )
        parts = [self._registry.manifest(image.repository, digest) for digest in found.parts]
        details = self._details()
        return found, sum(sent_size(each, details, layers) for each in (found, *parts) if each)

    @staticmethod
    def _push_with_retries(target: str, environment: dict[str, str]) -> frozenset[str]:
        """Push until it succeeds or patience ends; return the layers that were sent."""
        sent: frozenset[str] = frozenset()
        retries = Retries(patience_seconds())
        while True:
            done = push(target, environment)
            sent |= done.layers
            if done.status == 0:
                return sent
            if done.layers:
                # There is progress, however slow.
                retries.restart()
            # Docker itself tries for some time before it gives up.
            if not retries.wait():
                raise OutsideError(
                    target,
                    f"the image could not be pushed: {done.last_line.rstrip('.')}",
                    "Start the same command again: layers that have arrived are not sent again.",
                )

    def _details(self) -> dict[str, Any]:
        details = image_details(self._image.id)
        if details is None:
            raise JobError(
                self._image.reference,
                "the image was removed since the job was started",
                "Build it, and start the job again.",
            )
        return details


def sent_size(manifest: Manifest, details: dict[str, Any], pushed: frozenset[str]) -> int:
    """Return how many bytes were sent of the layers that Docker calls `pushed`.

    Engines name a layer by the first digits of the digest of its unpacked or its sent form.
    """
    unpacked = (details.get("RootFS") or {}).get("Layers") or []
    size = 0
    for number, (digest, sent) in enumerate(manifest.layers):
        names = {digest, unpacked[number] if number < len(unpacked) else ""}
        if any(name.partition(":")[2][:12] in pushed for name in names):
            size += sent
    return size


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let other signals end the process as Ctrl-C does, so that everything is removed."""

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    before = {
        each: signal.signal(each, end)
        for each in (signal.SIGTERM, signal.SIGHUP)
        # Under `nohup` it outlives the terminal.
        if signal.getsignal(each) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
