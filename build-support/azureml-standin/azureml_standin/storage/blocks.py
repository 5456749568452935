"""Requests for blobs that are sent in blocks."""

from __future__ import annotations

import base64
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import XML, HttpRequest, HttpResponse, RequestBody
from azureml_standin.storage.headers import ENCRYPTED, check_conditions, check_md5, identity
from azureml_standin.storage.store import BlobStore


def put_block(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    block = request.query.get("blockid", "")
    try:
        base64.b64decode(block, validate=True)
    except ValueError as error:
        raise StorageError(400, "InvalidQueryParameterValue", "blockid") from error
    if not block:
        raise StorageError(400, "MissingRequiredQueryParameter", "blockid")
    sha256, md5, size = storage.keep(request.body)
    check_md5(request, md5)
    storage.state.put_block(container, name, block, size, sha256)
    return HttpResponse(201, headers={"Content-MD5": md5, **ENCRYPTED})


def put_block_list(
    storage: BlobStore, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    try:
        wanted = [
            (each.tag, (each.text or "").strip())
            for each in ElementTree.fromstring(request.body.read())
        ]
    except ElementTree.ParseError as error:
        raise StorageError(400, "InvalidXmlDocument", str(error)) from error
    with storage.state.lock:
        check_conditions(request, storage.blob(container, name))
        waiting = storage.state.blocks(container, name)
        present = {b: (size, sha) for b, size, sha in storage.state.committed(container, name)}
        chosen = []
        for tag, block in wanted:
            places = {"Uncommitted": [waiting], "Committed": [present]}.get(tag, [waiting, present])
            found = next((place[block] for place in places if block in place), None)
            if found is None:
                raise StorageError(400, "InvalidBlockList", "The block list is invalid.")
            chosen.append((block, *found))
        files = [storage.state.content_file(sha256) for _, _, sha256 in chosen]
        sha256, _, size = storage.keep(RequestBody(files=files))
        storage.state.commit_blocks(container, name, chosen)
        given = request.headers.get("x-ms-blob-content-md5", "")
        blob = storage.commit(request, container, name, sha256, given, size)
    return HttpResponse(201, headers={**identity(blob), **ENCRYPTED})


def get_block_list(
    storage: BlobStore, request: HttpRequest, container: str, name: str
) -> HttpResponse:
    asked = request.query.get("blocklisttype", "committed")
    parts = {
        "Committed": [(b, s) for b, s, _ in storage.state.committed(container, name)],
        "Uncommitted": [(b, s) for b, (s, _) in storage.state.blocks(container, name).items()],
    }
    text = "".join(
        f"<{key}Blocks>"
        + "".join(
            f"<Block><Name>{escape(block)}</Name><Size>{size}</Size></Block>"
            for block, size in blocks
        )
        + f"</{key}Blocks>"
        for key, blocks in parts.items()
        if asked in ("all", key.lower())
    )
    text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{text}</BlockList>'
    return HttpResponse(200, text.encode(), {"Content-Type": XML})
