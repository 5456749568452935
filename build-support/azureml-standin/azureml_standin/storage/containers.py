"""List the blobs of a container."""

from __future__ import annotations

from email.utils import formatdate
from xml.sax.saxutils import escape, quoteattr

from azureml_standin.http.messages import XML, HttpRequest, HttpResponse
from azureml_standin.state import BlobRecord
from azureml_standin.storage.store import BlobStore

_MOST = 5000


def list_blobs(storage: BlobStore, request: HttpRequest, container: str, name: str) -> HttpResponse:
    query = request.query
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    most = min(int(query.get("maxresults") or _MOST), _MOST)
    found = [blob for blob in storage.blobs(container, prefix) if blob.name >= marker]
    following = found[most].name if len(found) > most else ""
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults ContainerName={quoteattr(container)}>"
        f"<Prefix>{escape(prefix)}</Prefix><MaxResults>{most}</MaxResults>"
        f"<Blobs>{''.join(map(_listed, found[:most]))}</Blobs>"
        f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
    )
    return HttpResponse(200, text.encode("utf-8"), {"Content-Type": XML})


def _listed(blob: BlobRecord) -> str:
    modified = formatdate(blob.modified, usegmt=True)
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Creation-Time>{modified}</Creation-Time><Last-Modified>{modified}</Last-Modified>"
        f"<Etag>{escape(blob.etag.strip(chr(34)))}</Etag>"
        f"<Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.content_type)}</Content-Type>"
        f"<Content-MD5>{blob.md5}</Content-MD5><BlobType>{blob.kind}</BlobType>"
        "</Properties></Blob>"
    )
