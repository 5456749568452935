"""A private certificate authority, and the certificate that the service shows."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme


class CertificateAuthority:
    """A new authority for each start, in a folder that only its owner can read.

    A client must trust `ca_file`. `bundle_file` holds it and what this machine trusts already. The
    authority's own key is never written.
    """

    def __init__(self, folder: Path, hosts: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.bundle_file = folder / "ca-bundle.pem"
        self._authority = trustme.CA(organization_name="Stand-in service, private CA")
        certificate = self._authority.cert_pem.bytes()
        self.ca_file.write_bytes(certificate)
        self.bundle_file.write_bytes(_trusted_certificates() + certificate)
        self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._authority.issue_cert(*hosts).configure_cert(self.server_context)

    def client_certificate(self) -> tuple[Path, bytes]:
        """Return a file with a key and its certificate, and that certificate as PEM text."""
        leaf = self._authority.issue_cert("client.standin", key_type=trustme.KeyType.RSA)
        file = self.folder / "client.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(file))
        return file, leaf.cert_chain_pems[0].bytes()


def _trusted_certificates() -> bytes:
    """Return the certificates that requests and ssl trust on this machine, as PEM text."""
    named = [os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")]
    for file in (*named, ssl.get_default_verify_paths().cafile):
        if file and os.path.isfile(file):
            return Path(file).read_bytes().rstrip() + b"\n"
    return b""
