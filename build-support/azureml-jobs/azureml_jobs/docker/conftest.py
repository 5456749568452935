"""What tests with a real engine share."""

from __future__ import annotations

import pytest
from azureml_jobs.docker.testing import base_image_name, docker


@pytest.fixture(scope="session")
def base_image() -> str:
    """An image that the engine has."""
    image = base_image_name()
    if not docker("image", "ls", "--quiet", image):
        docker("pull", "--quiet", image)
    return image
