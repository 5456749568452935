"""The application that may sign in, and what proves that a caller is it."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from azureml_standin.http.messages import HttpRequest, SignInError
from azureml_standin.sign_in.build_servers import BuildServers
from azureml_standin.sign_in.tokens import signed_claims
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

# RFC 7523
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Principal:
    """An application, and the credentials that it may use.

    certificate: a public certificate (PEM) whose key signs assertions. federated_token: the token
    of a workload in a cluster.
    """

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    certificate: str = ""
    federated_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def check_credential(
        self, form: Mapping[str, str], request: HttpRequest, build_servers: BuildServers
    ) -> None:
        """Raise `SignInError` unless a token request proves to be of this application."""
        client = form.get("client_id", "")
        if client != self.client_id:
            raise SignInError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory.",
            )
        if "client_assertion" in form:
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise SignInError(400, "invalid_request", 900144, "client_assertion_type")
            self._check_assertion(form["client_assertion"], request, build_servers)
        elif not secrets.compare_digest(form.get("client_secret", ""), self.secret):
            raise _invalid_client(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID.",
            )

    def _check_assertion(
        self, assertion: str, request: HttpRequest, build_servers: BuildServers
    ) -> None:
        if secrets.compare_digest(assertion, self.federated_token):
            return
        if build_servers.check(assertion, request.host):
            return
        claims = self._certificate_claims(assertion)
        if claims is None:
            raise _invalid_client(
                700213,
                "No matching federated identity record or certificate found for the assertion.",
            )
        now = time.time()
        if not claims.get("nbf", now) - 300 <= now <= claims.get("exp", 0):
            raise _invalid_client(700024, "The assertion is not within its valid time range.")
        endpoint = f"{request.base}{request.path}"
        if claims.get("aud") != endpoint or claims.get("iss") != self.client_id:
            raise _invalid_client(700023, f"The assertion's audience is not {endpoint}.")

    def _certificate_claims(self, assertion: str) -> dict[str, Any] | None:
        """Return the claims of an assertion that the certificate's key signed, else None."""
        if not self.certificate:
            return None
        key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return None
        try:
            return signed_claims(assertion, key, "RS256", "PS256")
        except jwt.InvalidTokenError:
            return None


def _invalid_client(number: int, message: str) -> SignInError:
    return SignInError(401, "invalid_client", number, message)
