"""The application that may sign in, and what proves that a caller is it."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from azureml_standin.http.messages import HttpRequest, SignInError
from azureml_standin.sign_in.build_servers import BuildServers
from azureml_standin.sign_in.tokens import signed_claims
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa


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
        try:
            key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
            assert isinstance(key, rsa.RSAPublicKey)
            claims = signed_claims(assertion, key, "RS256", "PS256")
        except (ValueError, jwt.InvalidTokenError):
            raise _invalid_client(
                700213,
                "No matching federated identity record or certificate found for the assertion.",
            ) from None
        endpoint = f"{request.base}{request.path}"
        if claims["exp"] < time.time() or claims["aud"] != endpoint:
            raise _invalid_client(700024, f"The assertion has expired, or is not for {endpoint}.")


def _invalid_client(number: int, message: str) -> SignInError:
    return SignInError(401, "invalid_client", number, message)
