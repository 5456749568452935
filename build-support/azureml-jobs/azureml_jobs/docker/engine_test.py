"""What is asked of an engine, and what is said when none answers."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from azureml_jobs.docker.engine import (
    Engine,
    EngineQuestion,
    NoEngine,
    has_container,
    image_id,
    remove_container,
)
from azureml_jobs.docker.testing import make_small_image, needs_docker, needs_engine


def test_says_that_docker_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(NoEngine, match="^Docker is not installed$"):
        EngineQuestion({"PATH": str(tmp_path)}).answer()


@needs_docker
def test_says_that_no_engine_answers(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/gone.sock"}
    with pytest.raises(NoEngine, match="^no Docker engine answers: .*gone.sock") as caught:
        EngineQuestion(environment).answer()
    assert "?" not in str(caught.value)


@needs_docker
def test_does_not_wait_for_an_engine_that_hangs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/silent.sock"}
        with pytest.raises(NoEngine, match="did not answer within 2 s"):
            EngineQuestion(environment).answer()


@needs_engine
def test_an_engine_tells_its_images_by_the_tag_of_their_content(base_image: str) -> None:
    tag = "env-00112233aabb"
    names = [f"test-engine:{tag}", f"test-registry.example/team/test-engine:{tag}"]
    try:
        for name in names:
            assert os.spawnlp(os.P_WAIT, "docker", "docker", "tag", base_image, name) == 0
        engine = EngineQuestion(os.environ).answer()
        assert engine.images[tag].id == image_id(base_image)
        # The registry's name is what it was pushed under.
        assert engine.images[tag].reference == names[0]
        assert not engine.is_rootless
    finally:
        for name in names:
            os.spawnlp(os.P_WAIT, "docker", "docker", "rmi", "--no-prune", name)


@needs_engine
def test_what_was_built_counts_and_not_what_was_once_pushed() -> None:
    tag = "env-ccddeeff0011"
    built, pushed = f"test-engine:{tag}", f"test-registry.example/test-engine:{tag}"
    try:
        for name, image in ((built, "one"), (pushed, "two")):
            make_small_image(name, image)
            assert EngineQuestion(os.environ).answer().images[tag].id == image_id(built)
    finally:
        for name in (built, pushed):
            os.spawnlp(os.P_WAIT, "docker", "docker", "rmi", "--no-prune", name)


@needs_engine
def test_what_is_not_there_is_none_and_gone() -> None:
    assert image_id("no-such-image:1") is None
    assert not has_container("no-such-container")
    assert remove_container("no-such-container") is None


def test_how_an_engine_maps_users() -> None:
    assert Engine({}, frozenset({"seccomp", "rootless"})).is_rootless
    assert Engine({}, frozenset({"userns"})).maps_users
    assert not Engine({}, frozenset({"seccomp"})).maps_users
