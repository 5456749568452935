"""Test who may read and write blobs."""

from __future__ import annotations

import urllib3
from azureml_standin.conftest import Caller

ACCOUNT = "/standin.blob.core.azure.standin"
STORAGE, OTHER = "https://storage.azure.com", "https://ml.azure.com"


def test_accepts_only_what_was_signed_for_a_container_and_a_right(caller: Caller) -> None:
    name, access = "mine", caller.service.access
    caller.service.state.add_container(name)

    def ask(query: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
        named = {"x-ms-blob-type": "BlockBlob", **headers}
        return caller.request(method, f"{ACCOUNT}/{name}/x?{query}", headers=named)

    rights = (("r", "GET", 404), ("r", "PUT", 403), ("cw", "PUT", 201), ("w", "GET", 403))
    for permissions, method, status in rights:
        assert ask(access.signature(name, permissions), method).status == status
    signature = access.signature(name, "r")
    assert b"Signature did not match" in ask(signature.replace("sp=r", "sp=rw")).data
    assert ask(access.signature("another", "r")).status == 403
    expired = access.signature(name, "r", seconds=-1)
    assert b"not valid in the specified time frame" in ask(expired).data
    for audience, status in ((STORAGE, 200), (OTHER, 401)):
        assert ask("", Authorization=f"Bearer {caller.token(audience)}").status == status
    assert ask("").headers["x-ms-error-code"] == "PublicAccessNotPermitted"
