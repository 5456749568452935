"""Test what the registry of images refuses, and a real engine that pushes and pulls."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_standin.conftest import Answer, Caller, wait_for_end
from azureml_standin.service import Service

REPOSITORY = "team/exp"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class RegistryCaller:
    """Plain requests to the registry, with its token."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.host = f"127.0.0.1:{caller.service.server.port}"
        self.token = ""

    def form(self, path: str, **fields: Any) -> Answer:
        body = urlencode({"service": self.host, **fields}, doseq=True).encode()
        return self.caller.request("POST", f"/oauth2/{path}", body, FORM)

    def refresh_token(self) -> str:
        given = self.form("exchange", grant_type="access_token", access_token=self.caller.token())
        return str(given.json()["refresh_token"])

    def sign_in(self, *scopes: str) -> None:
        token = self.refresh_token()
        given = self.form("token", grant_type="refresh_token", refresh_token=token, scope=scopes)
        self.token = str(given.json()["access_token"])

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named["Authorization"] = f"Bearer {self.token}"
        return self.caller.request(method, f"/v2/{path}", body, named)

    def begin(self, repository: str = REPOSITORY, **query: str) -> str:
        begun = self.request("POST", f"{repository}/blobs/uploads/?{urlencode(query)}")
        assert begun.status == 202, begun.body
        return begun.headers["location"].partition("/v2/")[2]

    def blob(self, content: bytes, repository: str = REPOSITORY) -> dict[str, Any]:
        """Upload a blob; return its descriptor."""
        digest = digest_of(content)
        upload = self.begin(repository)
        assert self.request("PATCH", upload, content).status == 202
        assert self.request("PUT", f"{upload}?digest={digest}").status == 201
        return {"digest": digest, "size": len(content)}

    def manifest(self, content: bytes, reference: str) -> Answer:
        path = f"{REPOSITORY}/manifests/{reference}"
        return self.request("PUT", path, content, Content_Type=IMAGE)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(config: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": config, "layers": []}).encode()


def error_of(answer: Answer) -> str:
    (error,) = answer.json()["errors"]
    return str(error["code"])


@pytest.fixture
def registry(service: Service, caller: Caller) -> Iterator[RegistryCaller]:
    signed = RegistryCaller(caller)
    signed.sign_in(f"repository:{REPOSITORY}:pull,push")
    yield signed
    service.state.forget()


def test_a_token_covers_only_the_repositories_and_actions_that_it_names(
    registry: RegistryCaller,
) -> None:
    assert registry.request("GET", "").status == 200
    refused = registry.request("GET", "other/blobs/sha256:00")
    assert refused.status == 401
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    registry.sign_in(f"repository:{REPOSITORY}:pull", "repository:other:pull,push")
    assert registry.request("POST", f"{REPOSITORY}/blobs/uploads/").status == 401
    assert registry.request("POST", "other/blobs/uploads/").status == 202


def test_refuses_a_blob_with_another_digest(registry: RegistryCaller) -> None:
    upload = registry.begin()
    refused = registry.request("PUT", f"{upload}?digest={digest_of(b'other')}", b"content")
    assert (refused.status, error_of(refused)) == (400, "DIGEST_INVALID")


def test_refuses_a_manifest_with_missing_or_different_parts(registry: RegistryCaller) -> None:
    missing = manifest_of({"digest": digest_of(b"missing"), "size": 7})
    assert error_of(registry.manifest(missing, "v1")) == "MANIFEST_BLOB_UNKNOWN"
    config = registry.blob(b"{}")
    content = manifest_of(config)
    assert error_of(registry.manifest(content, digest_of(b"x"))) == "DIGEST_INVALID"
    assert error_of(registry.manifest(manifest_of({**config, "size": 3}), "v1")) == "SIZE_INVALID"
    assert registry.manifest(content, digest_of(content)).status == 201


@needs_engine
def test_an_engine_pushes_and_pulls(registry: RegistryCaller, service: Service) -> None:
    name = f"{registry.host}/{REPOSITORY}:v1"
    make_small_image(name, str(time.time()))
    try:
        with signed_in(registry.host, registry.refresh_token(), os.environ) as environment:
            first, again = push(name, environment), push(name, environment)
        assert (first.status, len(first.layers)) == (0, 1), first
        assert (again.status, len(again.layers)) == (0, 0), again
        digest = service.registry.images.tags(REPOSITORY)["v1"]
        assert f"v1: digest: {digest}" in first.last_line
        with signed_in(registry.host, "eyJ.not.one", os.environ) as environment:
            refused = push(name, environment)
        assert refused.status != 0
        assert "unauthorized" in refused.last_line or "denied" in refused.last_line
    finally:
        docker("image", "rm", "--force", name)
    # The recording holds no token.
    assert "eyJ" not in repr(service.recording.requests)


@needs_engine
def test_a_job_runs_in_the_image_that_was_pushed(
    registry: RegistryCaller, service: Service, tmp_path: Path
) -> None:
    caller, name = registry.caller, f"{registry.host}/{REPOSITORY}:v1"
    make_small_image(name, "of the image")
    try:
        with signed_in(registry.host, registry.refresh_token(), os.environ) as environment:
            assert push(name, environment).status == 0
    finally:
        # The job pulls the image.
        docker("image", "rm", "--force", name)
    image = f"{registry.host}/{REPOSITORY}@{service.registry.images.tags(REPOSITORY)['v1']}"
    put = {"properties": {"image": image}}
    environment_id = caller.arm("PUT", "/environments/pushed/versions/1", put).json()["id"]
    code = caller.put_code("for-the-image", {"main.sh": b'echo "$(<sub.txt)"', "sub.txt": b"code"})
    job = caller.command_job(
        'echo "$(</content)"; bash main.sh; echo made > ${{outputs.result}}/made.txt',
        environmentId=environment_id,
        codeId=code,
        outputs={"result": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}},
    )
    try:
        assert caller.arm("PUT", "/jobs/in-the-image", job).status == 201
        assert wait_for_end(service, "in-the-image") == "Completed"
    finally:
        docker("image", "rm", "--force", image)
    folder = service.execution.folder("in-the-image")
    assert folder.log.read_text() == "of the image\ncode\n"
    assert (folder.outputs / "result/made.txt").read_text() == "made\n"
    record = folder.read()
    assert record.container is not None and record.container["image"] == image


def test_without_an_engine_a_job_in_a_pushed_image_reports_that_docker_is_missing(
    registry: RegistryCaller, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    caller = registry.caller
    image = f"{registry.host}/{REPOSITORY}@{digest_of(b'')}"
    put = {"properties": {"image": image}}
    environment_id = caller.arm("PUT", "/environments/nowhere/versions/1", put).json()["id"]
    monkeypatch.setenv("PATH", str(tmp_path))
    job = caller.command_job(environmentId=environment_id)
    assert caller.arm("PUT", "/jobs/without-docker", job).status == 201
    assert wait_for_end(service, "without-docker") == "Failed"
    error = service.execution.view("without-docker").error or ""
    assert f"needs Docker for its image {image}; Docker is not installed" in error
