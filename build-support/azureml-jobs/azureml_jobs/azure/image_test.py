"""Images that are pushed to the stand-in's registry by a real engine, and what goes wrong there."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import JOB, PULL, PUSH, Client, faults
from azureml_jobs.azure.faults_test import FAULTS
from azureml_jobs.azure.kinds_test import STEPS, gather_steps
from azureml_jobs.azure.registry import Registry
from azureml_jobs.base.digest import environment_tag
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from azureml_jobs.docker.pushable_image import PushableImage, pushable_images

NOTHING_SENT = "unchanged, nothing sent"


@dataclass
class Built:
    """The image of the client's job; `build` builds it again, with other content."""

    client: Client
    name: str

    def build(self, content: str) -> PushableImage:
        make_small_image(self.name, content)
        return pushable_images(self.client.gathered.plan(JOB), os.environ)[""]

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.client.service.server.port}"

    @property
    def pushed_name(self) -> str:
        return f"{self.server}/{self.name}"

    def submitted(self) -> list[str]:
        """The image of each job's environment."""
        jobs = self.client.jobs()
        names = [job["properties"]["environmentId"].split("/")[-3] for job in jobs]
        return [self.client.asset("environments", name)["image"] for name in names]

    def in_registry(self) -> str:
        repository, _, tag = self.name.partition(":")
        digest = self.client.service.registry.tags(repository)[tag]
        return f"{self.server}/{repository}@{digest}"


@pytest.fixture
def built(client: Client, tmp_path: Path) -> Iterator[Built]:
    client.gathered.image_target = "src/exp:env"
    # Nobody else's image of this content.
    client.gathered.write("src/exp/docker/Dockerfile", f"FROM {tmp_path}\n")
    digest = client.gathered.plan(JOB).bundle.unit.environment_digest
    name = f"exp:{environment_tag(digest or '')}"
    # Where the folder of the token would be left behind.
    place = tmp_path / "temporary"
    place.mkdir()
    client.set(TMPDIR=str(place))
    client.monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield Built(client, name)
    client.service.registry.access.allowed = (PULL, PUSH)
    client.service.control.has_registry = True
    pushed = f"127.0.0.1:{client.service.server.port}/exp"
    for reference in (name, pushed):
        for image in images_of(reference):
            docker("image", "rm", "--force", image)
    assert list(place.iterdir()) == []


def images_of(reference: str) -> set[str]:
    filtered = ("--filter", f"reference={reference}", "--quiet", "--no-trunc")
    return set(docker("image", "ls", *filtered).split())


pytestmark = needs_engine


def test_the_image_is_pushed_and_the_job_is_it_by_digest(built: Built) -> None:
    image = built.build("one")
    assert built.client.submit(JOB, images={"": image}) == 0
    out, err = built.client.printed()
    assert f"  image       pushed to {built.pushed_name}\n" in out
    assert "  environment" not in out
    assert err.startswith(f"Pushing {built.pushed_name}\n") and ": Pushed\n" in err
    assert built.submitted() == [built.in_registry()]
    # In its place, no build context is sent.
    assert built.client.requests("PUT", "/environment/Dockerfile") == []


def test_steps_with_one_image_push_it_once(built: Built) -> None:
    client = built.client
    gather_steps(client.gathered)
    make_small_image(built.name, "one")
    images = pushable_images(client.gathered.plan(STEPS), os.environ)
    assert list(images) == ["prepare", "train"]
    assert client.submit(STEPS, images=images) == 0
    out, err = built.client.printed()
    assert err.count("Pushing ") == 1
    assert "  image train       that of image prepare\n" in out
    spec = client.service.assets.versions("components", "azureml_anonymous")
    environments = {each["properties"]["componentSpec"]["environment"] for each in spec}
    (made,) = client.service.assets.versions("environments", environments.pop().split("/")[-3])
    assert made["properties"]["image"] == built.in_registry() and not environments


def test_not_a_byte_is_pushed_again(built: Built) -> None:
    image = built.build("one")
    assert built.client.submit(JOB, images={"": image}) == 0
    # An engine that forgot, or another one that pulled it, knows the image by its content.
    for forgets in (False, True):
        if forgets:
            docker("image", "rm", "--no-prune", built.pushed_name)
        built.client.service.recording.clear()
        built.client.printed()
        assert built.client.submit(JOB, images={"": image}) == 0
        out, err = built.client.printed()
        assert f"  image       {NOTHING_SENT}\n" in out and err == ""
        asked = built.client.requests(kind="registry")
        assert [each.method for each in asked] == ["POST", "POST", "GET"]
    assert set(built.submitted()) == {built.in_registry()}


def test_an_image_that_was_built_again_is_another_one(built: Built) -> None:
    first = built.build("one")
    assert built.client.submit(JOB, "name=mine", images={"": first}) == 0
    assert built.client.submit(JOB, "name=mine", images={"": first}) == 0
    assert "The workspace has it already" in built.client.printed().out
    second = built.build("two")
    assert built.client.submit(JOB, "name=mine", images={"": second}) == 1 + 1
    assert "has another job of this name already" in built.client.printed().err
    # Nor is it the job that builds its environment.
    assert built.client.submit(JOB, "name=mine") == 2
    assert built.client.submit(JOB, images={"": second}) == 0
    assert "pushed to" in built.client.printed().out
    assert len(set(built.submitted())) == 2


REQUESTS = {
    "the registry": ("GET", "/registries/standinregistry"),
    "sign-in": ("POST", "/oauth2/exchange"),
    "a token": ("POST", "/oauth2/token"),
    "is the image there": ("GET", "/v2/exp/manifests/"),
    "does the registry answer": ("GET", r"^/v2/$"),
    "may we push": ("POST", "/v2/exp/blobs/uploads/"),
    "the manifest": ("PUT", "/v2/exp/manifests/"),
    "the environment": ("PUT", "/environments/image-"),
}


@pytest.mark.parametrize("fault", ["reset before", "answer lost"])
@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_passing_fault_costs_only_time(built: Built, request_of: str, fault: str) -> None:
    image = built.build("one")
    kind, settings = FAULTS[fault]
    rule = built.client.add_fault(kind, *REQUESTS[request_of], **settings)
    assert built.client.submit(JOB, images={"": image}) == 0, built.client.printed().err
    assert rule.hits == 1
    assert built.submitted() == [built.in_registry()]


@pytest.mark.parametrize(
    ("method", "path", "skip"),
    [("GET", r"^/v2/$", 1), ("PATCH", "/v2/exp/blobs/", 0), ("PUT", "/v2/exp/manifests/", 0)],
    ids=["its first question", "a layer", "the manifest"],
)
def test_docker_is_started_again_after_a_fault(
    built: Built, method: str, path: str, skip: int
) -> None:
    image = built.build("one")
    kind = faults.STATUS if method == "PUT" else faults.RESET_BEFORE
    rule = built.client.add_fault(kind, method, path, skip=skip, status=500)
    assert built.client.submit(JOB, images={"": image}) == 0
    assert rule.hits == 1
    assert built.submitted() == [built.in_registry()]


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_lasting_fault_is_reported_and_the_next_run_continues(
    built: Built, request_of: str
) -> None:
    image = built.build("one")
    built.client.set(AZUREML_JOBS_PATIENCE="0.5")
    built.client.add_fault("status", *REQUESTS[request_of], times=None, status=503)
    assert built.client.submit(JOB, images={"": image}) == 1
    err = built.client.printed().err
    assert "error: " in err and "Traceback" not in err and "eyJ" not in err
    if request_of == "the manifest":
        assert f"error: {built.pushed_name}: the image could not be pushed: " in err
    assert built.client.jobs() == []
    built.client.service.faults.clear()
    built.client.set(AZUREML_JOBS_PATIENCE="5")
    assert built.client.submit(JOB, images={"": image}) == 0
    assert built.submitted() == [built.in_registry()]


@pytest.mark.parametrize("allowed", [(), (PULL,)], ids=["no role", "AcrPull"])
def test_names_the_role_that_an_account_is_missing(built: Built, allowed: tuple[str, ...]) -> None:
    image = built.build("one")
    built.client.service.registry.access.allowed = allowed
    assert built.client.submit(JOB, images={"": image}) == 1
    err = built.client.printed().err
    assert f"error: {built.server}: the registry refuses your account: " in err
    assert "the role AcrPush on the registry: docs/azure.md" in err
    # Docker is not asked at all.
    assert built.client.requests("PATCH") == [] and "Pushing" not in err


def test_a_token_of_the_registry_that_expired_is_renewed(built: Built) -> None:
    image = built.build("one")
    rule = built.client.add_fault(faults.EXPIRED_TOKEN, "GET", "/v2/exp/manifests/")
    assert built.client.submit(JOB, images={"": image}) == 0
    assert rule.hits == 1 and len(built.client.requests("POST", "/oauth2/exchange")) == 2
    rule = built.client.add_fault(faults.EXPIRED_TOKEN, "POST", "/oauth2/exchange")
    assert built.client.submit(JOB, images={"": image}) == 0
    assert rule.hits == 1


def test_a_workspace_without_a_registry_says_what_to_do(built: Built) -> None:
    image = built.build("one")
    built.client.service.control.has_registry = False
    assert built.client.submit(JOB, images={"": image}) == 1
    err = built.client.printed().err
    assert "error: standin-workspace: the workspace has no registry of images yet." in err
    assert "submit the job once without `--image`" in err


def test_an_account_that_may_not_see_the_registry_uses_its_default_name(client: Client) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        client.monkeypatch.delenv(name, raising=False)
    client.use({**client.service.client.by_proxy("secret"), "CLOUD": "AzureChinaCloud"})
    rule = client.add_fault("status", "GET", "/registries/standinregistry", status=403)
    registry = Registry(client.connect())
    assert registry.server == "standinregistry.azurecr.cn"
    assert rule.hits == 1
    assert registry.find(PushableImage("sha256:0", "exp", "exp:latest", 0)) is None
    hosts = {each.host for each in client.requests(kind="registry")}
    assert hosts == {"standinregistry.azurecr.cn"}


def test_doctor_signs_in_to_the_registry(client: Client) -> None:
    def line() -> str:
        assert client.run_aml("doctor") == 0
        (found,) = [each for each in client.printed().out.splitlines() if "registry " in each]
        return found

    assert line() == f"ok      registry       127.0.0.1:{client.service.server.port}"
    client.service.registry.access.allowed = ()
    found = line()
    assert found.startswith("note    registry       `--image` will not work. 127.0.0.1:")
    assert "AcrPush" in found
    client.service.registry.access.allowed = (PULL, PUSH)
    client.service.control.has_registry = False
    assert line().startswith("note    registry       none yet. Azure ML makes one")
    client.service.control.has_registry = True


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_push_that_is_ended_leaves_no_token_behind(
    built: Built, signum: signal.Signals, tmp_path: Path
) -> None:
    image = built.build("one")
    folder = built.client.create_submission(JOB, images={"": image})
    rule = built.client.add_fault(faults.SLOW, "PATCH", "/v2/exp/blobs/", seconds=3.0)
    process = built.client.process("submit", str(folder.path), until=rule, start_new_session=True)
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    # To the tool alone, not to its group: Docker's client has to be ended by it.
    process.send_signal(signum)
    assert process.wait(20) == 128 + signum
    assert list((tmp_path / "temporary").iterdir()) == []
    assert of_group(process.pid) == []
    assert built.client.jobs() == []
    # The submission that was started is continued.
    (begun,) = (built.client.repository / ".azureml/submissions").iterdir()
    assert built.client.submit(JOB, images={"": image}) == 0
    assert [job["name"] for job in built.client.jobs()] == [begun.name]
    assert built.submitted() == [built.in_registry()]


def of_group(group: int) -> list[str]:
    found = subprocess.run(["ps", "-o", "args=", "-g", str(group)], stdout=subprocess.PIPE)
    return found.stdout.decode().splitlines()
