"""The stand-in's registry of images: what it checks, and a real engine that pushes and pulls."""

from __future__ import annotations

import hashlib
import http.client
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
from azureml_standin.conftest import Answered, Caller, wait_for_end
from azureml_standin.registry.access import PULL, PUSH
from azureml_standin.service import Service

REPOSITORY = "team/exp"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class RegistryCaller:
    """Speaks the protocol by hand, with a token for what it is given."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.host = f"127.0.0.1:{caller.service.server.port}"
        self.token = ""

    def form(self, path: str, **fields: Any) -> Answered:
        body = urlencode({"service": self.host, **fields}, doseq=True).encode()
        return self.caller.request("POST", f"/oauth2/{path}", body, FORM)

    def refresh_token(self) -> str:
        given = self.form("exchange", grant_type="access_token", access_token=self.caller.token())
        return str(given.json()["refresh_token"])

    def sign_in(self, *scopes: str) -> None:
        token = self.refresh_token()
        given = self.form("token", grant_type="refresh_token", refresh_token=token, scope=scopes)
        self.token = str(given.json()["access_token"])

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named["Authorization"] = f"Bearer {self.token}"
        return self.caller.request(method, f"/v2/{path}", body, named)

    def begin(self, repository: str = REPOSITORY, **query: str) -> str:
        begun = self.request("POST", f"{repository}/blobs/uploads/?{urlencode(query)}")
        assert begun.status == 202, begun.body
        return begun.headers["location"].partition("/v2/")[2]

    def blob(self, content: bytes, repository: str = REPOSITORY) -> dict[str, Any]:
        """Send a blob; its descriptor."""
        digest = digest_of(content)
        upload = self.begin(repository)
        assert self.request("PATCH", upload, content).status == 202
        assert self.request("PUT", f"{upload}?digest={digest}").status == 201
        return {"digest": digest, "size": len(content)}

    def manifest(self, content: bytes, reference: str, kind: str = IMAGE) -> Answered:
        path = f"{REPOSITORY}/manifests/{reference}"
        return self.request("PUT", path, content, Content_Type=kind)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(config: Any, *layers: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()


def error_of(answer: Answered) -> str:
    (error,) = answer.json()["errors"]
    return str(error["code"])


@pytest.fixture
def registry(service: Service, caller: Caller) -> Iterator[RegistryCaller]:
    signed = RegistryCaller(caller)
    signed.sign_in(f"repository:{REPOSITORY}:pull,push")
    yield signed
    service.registry.access.allowed = (PULL, PUSH)
    service.registry.images.forget()


def test_without_a_token_it_says_where_to_get_one(registry: RegistryCaller) -> None:
    registry.token = ""
    ping = registry.request("GET", "")
    base = f'Bearer realm="https://{registry.host}/oauth2/token",service="{registry.host}"'
    assert (ping.status, ping.headers["www-authenticate"]) == (401, base)
    blob = registry.request("POST", f"{REPOSITORY}/blobs/uploads/")
    wanted = f'{base},scope="repository:{REPOSITORY}:pull,push"'
    assert (blob.status, blob.headers["www-authenticate"]) == (401, wanted)


def test_a_token_is_for_the_repositories_and_actions_that_it_names(
    registry: RegistryCaller,
) -> None:
    assert registry.request("GET", "").status == 200
    refused = registry.request("GET", "other/blobs/sha256:00")
    assert refused.status == 401
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    registry.sign_in(f"repository:{REPOSITORY}:pull", "repository:other:pull,push")
    assert registry.request("POST", f"{REPOSITORY}/blobs/uploads/").status == 401
    assert registry.request("POST", "other/blobs/uploads/").status == 202


def test_a_role_that_may_only_pull_gets_no_more(registry: RegistryCaller, service: Service) -> None:
    service.registry.access.allowed = (PULL,)
    registry.sign_in(f"repository:{REPOSITORY}:pull,push")
    assert registry.request("POST", f"{REPOSITORY}/blobs/uploads/").status == 401
    assert registry.request("GET", f"{REPOSITORY}/manifests/latest").status == 404
    service.registry.access.allowed = ()
    token = registry.caller.token()
    refused = registry.form("exchange", grant_type="access_token", access_token=token)
    assert (refused.status, error_of(refused)) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("exchange", {"grant_type": "password"}, 400),
        ("exchange", {"grant_type": "access_token", "service": "other.azurecr.io"}, 400),
        ("exchange", {"grant_type": "access_token", "access_token": "eyJ.x.y"}, 401),
        ("exchange", {"grant_type": "access_token", "tenant": "another"}, 401),
        ("token", {"grant_type": "refresh_token", "refresh_token": "eyJ.x.y"}, 401),
        ("token", {"grant_type": "refresh_token", "scope": "everything"}, 401),
    ],
    ids=["grant", "service", "token", "tenant", "refresh token", "no refresh token"],
)
def test_a_wrong_exchange_is_refused(
    registry: RegistryCaller, path: str, fields: dict[str, str], status: int
) -> None:
    assert registry.form(path, **fields).status == status


def test_a_storage_token_is_none_of_the_registry_s(registry: RegistryCaller) -> None:
    token = registry.caller.token("https://storage.azure.com")
    given = registry.form("exchange", grant_type="access_token", access_token=token)
    assert given.status == 401
    # Nor is a token of the resource manager an access token.
    registry.token = registry.caller.token()
    assert registry.request("GET", "").status == 401


def test_what_was_pushed_is_pulled(registry: RegistryCaller) -> None:
    config, layer = registry.blob(b"{}"), registry.blob(b"layer" * 100_000)
    content = manifest_of(config, layer)
    made = registry.manifest(content, "v1")
    digest = digest_of(content)
    assert (made.status, made.headers["docker-content-digest"]) == (201, digest)
    for reference in ("v1", digest):
        got = registry.request("GET", f"{REPOSITORY}/manifests/{reference}")
        assert (got.status, got.body, got.headers["content-type"]) == (200, content, IMAGE)
        head = registry.request("HEAD", f"{REPOSITORY}/manifests/{reference}")
        assert (head.headers["docker-content-digest"], head.body) == (digest, b"")
    blob = f"{REPOSITORY}/blobs/{layer['digest']}"
    assert registry.request("GET", blob).body == b"layer" * 100_000
    assert registry.request("HEAD", blob).headers["content-length"] == "500000"
    part = registry.request("GET", blob, Range="bytes=499998-")
    assert (part.status, part.body) == (206, b"er")
    unknown = registry.request("GET", f"{REPOSITORY}/manifests/v2")
    assert (unknown.status, error_of(unknown)) == (404, "MANIFEST_UNKNOWN")


def test_a_blob_comes_in_parts_of_unknown_length(registry: RegistryCaller) -> None:
    upload = registry.begin()
    parts = [b"a" * 70_000, b"b" * 2_000_000]
    for part in parts:
        connection = http.client.HTTPSConnection(registry.host, context=registry.caller.context)
        headers = {"Authorization": f"Bearer {registry.token}"}
        # Without a length http.client sends chunks, as Docker does.
        chunks = iter([part[:1000], part[1000:]])
        connection.request("PATCH", f"/v2/{upload}", chunks, headers, encode_chunked=True)
        assert connection.getresponse().status == 202
        connection.close()
    size = sum(len(part) for part in parts)
    assert registry.request("GET", upload).headers["range"] == f"0-{size - 1}"
    digest = digest_of(b"".join(parts))
    assert registry.request("PUT", f"{upload}?digest={digest}").status == 201
    assert registry.request("GET", f"{REPOSITORY}/blobs/{digest}").body == b"".join(parts)


def test_parts_out_of_order_are_refused(registry: RegistryCaller) -> None:
    upload = registry.begin()
    assert registry.request("PATCH", upload, b"abc", Content_Range="0-2").status == 202
    assert registry.request("PATCH", upload, b"abc", Content_Range="0-2").status == 416
    assert registry.request("PATCH", upload, b"def", Content_Range="3-5").status == 202
    assert registry.request("PUT", f"{upload}?digest={digest_of(b'abcdef')}").status == 201


def test_a_blob_that_is_not_what_it_is_called_is_refused_and_gone(
    registry: RegistryCaller, service: Service
) -> None:
    folder = service.folder / "registry/uploads"
    before = sorted(folder.iterdir())
    upload = registry.begin()
    refused = registry.request("PUT", f"{upload}?digest={digest_of(b'other')}", b"content")
    assert (refused.status, error_of(refused)) == (400, "DIGEST_INVALID")
    assert error_of(registry.request("PUT", f"{upload}?digest={digest_of(b'')}")) == (
        "BLOB_UPLOAD_UNKNOWN"
    )
    given_up = registry.begin()
    assert registry.request("DELETE", given_up).status == 204
    assert sorted(folder.iterdir()) == before


def test_a_blob_is_taken_over_from_a_repository_that_may_be_read(registry: RegistryCaller) -> None:
    known = registry.blob(b"shared")["digest"]
    query = {"mount": known, "from": REPOSITORY}
    registry.sign_in("repository:other:pull,push")
    # It is not told that it is there.
    registry.begin("other", **query)
    registry.sign_in("repository:other:pull,push", f"repository:{REPOSITORY}:pull")
    mounted = registry.request("POST", f"other/blobs/uploads/?{urlencode(query)}")
    assert mounted.status == 201
    assert registry.request("GET", f"other/blobs/{known}").body == b"shared"


MISSING = {"digest": digest_of(b"missing"), "size": 7}


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"no json", IMAGE, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 1}', IMAGE, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2}', IMAGE, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2}', "text/plain", "MANIFEST_INVALID"),
        (manifest_of(MISSING), IMAGE, "MANIFEST_BLOB_UNKNOWN"),
        (
            json.dumps({"schemaVersion": 2, "manifests": [MISSING]}).encode(),
            "application/vnd.oci.image.index.v1+json",
            "MANIFEST_UNKNOWN",
        ),
        (b" " * (4 * 1024 * 1024 + 1), IMAGE, "SIZE_INVALID"),
    ],
    ids=["no JSON", "version", "no config", "type", "blob", "manifest of an index", "too large"],
)
def test_a_manifest_that_is_wrong_is_refused(
    registry: RegistryCaller, content: bytes, kind: str, code: str
) -> None:
    refused = registry.manifest(content, "v1", kind)
    assert refused.status in (400, 413) and error_of(refused) == code


def test_a_manifest_has_the_digest_and_the_sizes_that_it_names(registry: RegistryCaller) -> None:
    config = registry.blob(b"{}")
    content = manifest_of(config)
    assert error_of(registry.manifest(content, digest_of(b"x"))) == "DIGEST_INVALID"
    wrong = manifest_of({**config, "size": 3})
    assert error_of(registry.manifest(wrong, "v1")) == "SIZE_INVALID"
    assert registry.manifest(content, digest_of(content)).status == 201


@pytest.mark.parametrize("name", ["Upper", "a//b", "-a", "a/../b", "a" * 256])
def test_names_of_repositories_are_checked(registry: RegistryCaller, name: str) -> None:
    refused = registry.request("POST", f"{name}/blobs/uploads/")
    assert (refused.status, error_of(refused)) == (400, "NAME_INVALID")


def test_the_workspace_names_its_registry(caller: Caller, service: Service) -> None:
    resource = caller.arm("GET").json()["properties"]["containerRegistry"]
    head = {"Authorization": f"Bearer {caller.token()}"}
    answer = caller.request("GET", f"{resource}?api-version=2023-07-01", headers=head)
    assert answer.json()["properties"]["loginServer"] == f"127.0.0.1:{service.server.port}"
    assert caller.request("GET", f"{resource}?api-version=2023-07-01").status == 401
    other = resource.replace("standinregistry", "another")
    assert caller.request("GET", f"{other}?api-version=2023-07-01", headers=head).status == 404


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
    # Neither of the tokens is in what is recorded.
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
        # What the job runs in is pulled.
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


def test_without_an_engine_such_a_job_fails_and_says_so(
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
