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
        client, assertion = form.get("client_id", ""), form.get("client_assertion")
        if client != self.client_id:
            message = f"Application with identifier '{client}' was not found in the directory."
            raise SignInError(400, "unauthorized_client", 700016, message)
        if assertion is None:
            if not secrets.compare_digest(form.get("client_secret", ""), self.secret):
                raise _invalid_client(7000215, "Invalid client secret provided.")
        elif not (
            secrets.compare_digest(assertion, self.federated_token)
            or build_servers.check(assertion, request.host)
        ):
            self._check_certificate(assertion, f"{request.base}{request.path}")

    def _check_certificate(self, assertion: str, endpoint: str) -> None:
        try:
            key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
            claims = signed_claims(assertion, key, "RS256", "PS256")
        except (ValueError, jwt.InvalidTokenError):
            what = "No matching federated identity record or certificate found for the assertion."
            raise _invalid_client(700213, what) from None
        if claims["exp"] < time.time() or claims["aud"] != endpoint:
            raise _invalid_client(700024, f"The assertion has expired, or is not for {endpoint}.")


def _invalid_client(number: int, message: str) -> SignInError:
    return SignInError(401, "invalid_client", number, message)
