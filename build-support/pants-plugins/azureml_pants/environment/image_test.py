from __future__ import annotations

import pytest
from azureml_jobs.base.digest import content_digest, environment_tag
from azureml_pants.environment.fields import DockerImageBuildNetworkField
from azureml_pants.environment.image import ImageContext
from pants.engine.addresses import Address
from pants.engine.fs import FileContent

CONTEXT = [("Dockerfile", b"FROM x\n", False), ("tools/setup.sh", b"echo hi\n", True)]


def test_the_tag_is_that_of_the_bundle_s_environment() -> None:
    files = [FileContent(f"src/x/docker/{path}", data, run) for path, data, run in CONTEXT]
    elsewhere = FileContent("src/x/docker-old/Dockerfile", b"")
    expected = environment_tag(content_digest(CONTEXT))
    assert ImageContext("src/x/docker", (*files, elsewhere)).tag() == expected


def test_an_image_has_the_tag_of_an_environment_with_fewer_packages() -> None:
    files = [FileContent(f"d/{path}", data, run) for path, data, run in CONTEXT]
    context = ImageContext("d", (*files, FileContent("d/requirements.txt", b"a b\n")))
    step = [*CONTEXT, ("requirements.txt", b"a\n", False)]
    assert context.tag(b"a\n") == environment_tag(content_digest(step))
    assert context.tag(b"a b\n") == context.tag()


@pytest.mark.parametrize(
    "value, expected",
    [("host", ("--network", "host")), (None, ())],
    ids=["named", "unset"],
)
def test_the_network_of_a_build(value: str | None, expected: tuple[str, ...]) -> None:
    field = DockerImageBuildNetworkField(value, Address("src/x"))
    assert tuple(field.options(value_formatter=str)) == expected
