"""Push a job's image to the workspace's registry, unless it is there already."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from azureml_jobs.azure.registry import Registry
from azureml_jobs.azure.retries import Retries, patience_seconds
from azureml_jobs.azure.upload import SentAsset
from azureml_jobs.azure.workspace import ConnectedWorkspace, put_once
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.engine import tag_image
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_jobs.docker.pushable_image import PushableImage


class ImageToPush:
    """An image on its way to the registry of a workspace."""

    def __init__(self, workspace: ConnectedWorkspace, image: PushableImage) -> None:
        self._workspace = workspace
        self._registry = Registry(workspace)
        self._image = image

    def find(self) -> str | None:
        """Return its digest in the registry, None when it is not there. Any thread may ask."""
        image = self._image
        found = self._registry.manifest(image.repository, image.tag)
        # An engine's id of an image is the digest of its configuration, or of its manifest.
        return found.digest if found and image.id in (found.config, found.digest) else None

    def send(self, found: str | None) -> SentAsset:
        """Make the environment of this image, which is pushed unless its digest was `found`.

        Must be called in the main thread, which receives signals: Docker's credentials are removed
        however it ends.
        """
        digest = found or self._push()
        server, image = self._registry.server, self._image
        reference = f"{server}/{image.repository}@{digest}"
        name = f"image-{hashlib.sha256(reference.encode()).hexdigest()[:12]}"
        path = ("environments", name, "versions", "1")
        if self._workspace.get(*path) is None:
            put_once(self._workspace, *path, body={"properties": {"image": reference}})
        pushed_to = "" if found else f"{server}/{image.name}"
        return SentAsset(self._workspace.asset_id(*path), pushed_to=pushed_to)

    def _push(self) -> str:
        """Push the image; return its digest in the registry."""
        server, image = self._registry.server, self._image
        target = f"{server}/{image.name}"
        self._registry.check_push(image.repository)
        token = self._registry.refresh_token()
        tag_image(image.id, target)
        print(f"Pushing {target}", file=sys.stderr, flush=True)
        with _signals_raise(), signed_in(server, token, os.environ) as environment:
            _push_with_retries(target, environment)
        digest = self.find()
        if digest is None:
            raise OutsideError(
                target, "Docker pushed the image, but the registry has another one of this name"
            )
        return digest


def _push_with_retries(target: str, environment: dict[str, str]) -> None:
    retries = Retries(patience_seconds())
    while (done := push(target, environment)).status:
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
