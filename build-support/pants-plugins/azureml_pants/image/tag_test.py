from __future__ import annotations

import pytest
from azureml_pants.image.tag import EnvironmentTagRequest
from pants.backend.docker.target_types import DockerImageTarget
from pants.engine.addresses import Address


@pytest.mark.parametrize(
    "fields, expected", [({"context_root": "./docker"}, True), ({}, False)], ids=["own", "none"]
)
def test_images_with_their_own_context_get_the_tag(fields: dict, expected: bool) -> None:
    image = DockerImageTarget(fields, Address("src/x", target_name="env"))
    assert EnvironmentTagRequest.is_applicable(image) is expected
