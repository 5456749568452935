"""What the engine is asked for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import make_small_image, needs_docker, needs_engine
from azureml_jobs.docker.engine import (
    EngineQuery,
    NoEngine,
    has_container,
    image_id,
    remove_container,
)

DOCKER = """\
#!/bin/sh
echo "WARNING: Error loading config file: permission denied" >&2
echo "Cannot connect to the Docker daemon at x. Is the docker daemon running?" >&2
exit 1
"""


def test_gives_the_reason_and_no_warning_before_it(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    with pytest.raises(NoEngine, match="answers: Cannot connect to the Docker daemon at x.$"):
        EngineQuery({"PATH": str(tmp_path)}).answer()


@needs_docker
def test_does_not_wait_for_an_engine_that_hangs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/silent.sock"}
        with pytest.raises(NoEngine, match="did not answer within 2 s"):
            EngineQuery(environment).answer()


@needs_engine
def test_finds_images_by_the_tag_of_their_content_and_prefers_one_that_was_built() -> None:
    tag = "env-ccddeeff0011"
    built, pushed = f"test-engine:{tag}", f"test-registry.example/test-engine:{tag}"
    try:
        for name, image in ((built, "one"), (pushed, "two")):
            make_small_image(name, image)
            engine = EngineQuery(os.environ).answer()
            # The name with a registry is the one of a push.
            found = engine.images[tag]
            assert (found.reference, found.id) == (built, image_id(built))
            assert "rootless" not in engine.security_options
    finally:
        for name in (built, pushed):
            os.spawnlp(os.P_WAIT, "docker", "docker", "rmi", "--no-prune", name)


@needs_engine
def test_missing_images_and_containers_are_no_errors() -> None:
    assert image_id("no-such-image:1") is None
    assert not has_container("no-such-container")
    assert remove_container("no-such-container") is None
