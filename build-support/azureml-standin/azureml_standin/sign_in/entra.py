"""Microsoft Entra ID: tokens for secrets, certificates, codes, and identities of machines."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from azureml_standin.clouds import AML_AUDIENCES, ARM_AUDIENCES, STORAGE_AUDIENCES
from azureml_standin.http.messages import HttpRequest, HttpResponse, SignInError, json_response
from azureml_standin.http.routing import route
from azureml_standin.sign_in.build_servers import BuildServers
from azureml_standin.sign_in.tokens import Tokens, signed_claims
from cryptography import x509

_DEFAULT = "/.default"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


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


class SignIn:
    """`bases` are the service's own addresses, audiences like those of the clouds.

    identity_header: the secret of App Service's endpoint, for the identity of a machine.
    """

    def __init__(self, tokens: Tokens, principal: Principal, bases: Sequence[str]) -> None:
        self.tokens = tokens
        self.principal = principal
        self.build_servers = BuildServers()
        self.identity_header = secrets.token_urlsafe(24)
        audiences = (*ARM_AUDIENCES, *AML_AUDIENCES, *STORAGE_AUDIENCES, *bases)
        self._audiences = {each.rstrip("/") for each in audiences}
        # With the audience that each was requested for.
        self._device_codes: dict[str, str] = {}

    @route("GET", "/{tenant}/v2.0/.well-known/openid-configuration")
    def describe(self, request: HttpRequest, tenant: str) -> dict[str, str]:
        """Describe the endpoints by OpenID Connect discovery, where MSAL looks for them."""
        self._check_tenant(tenant)
        here = f"{request.base}/{tenant}"
        return {
            "issuer": f"{here}/v2.0",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
        }

    @route("POST", "/{tenant}/oauth2/v2.0/token")
    def token(self, request: HttpRequest, tenant: str) -> dict[str, Any]:
        self._check_tenant(tenant)
        form = request.form()
        grant = form.get("grant_type")
        if grant == "client_credentials":
            self.principal.check_credential(form, request, self.build_servers)
            return self._answer(self._audience(form))
        if grant == _DEVICE_GRANT:
            audience = self._device_codes.pop(form.get("device_code", ""), None)
            if audience is None:
                raise SignInError(400, "invalid_grant", 70008, "The code has expired.")
            return {**self._answer(audience), **self._person(request)}
        message = f"The app requested the grant type '{grant}'."
        raise SignInError(400, "unsupported_grant_type", 70003, message)

    @route("POST", "/{tenant}/oauth2/v2.0/devicecode")
    def device_code(self, request: HttpRequest, tenant: str) -> dict[str, Any]:
        """Return a code that counts as entered at once, because no person enters it."""
        self._check_tenant(tenant)
        code = secrets.token_urlsafe(24)
        self._device_codes[code] = self._audience(request.form())
        return {
            "device_code": code,
            "user_code": "STANDIN",
            "verification_uri": f"{request.base}/devicelogin",
            "expires_in": 900,
            "interval": 1,
            "message": f"To sign in, open {request.base}/devicelogin and enter STANDIN.",
        }

    @route("GET", "/metadata/identity/oauth2/token")
    def machine_token(self, request: HttpRequest) -> HttpResponse:
        """Respond as the instance metadata service of a virtual machine."""
        return self._identity(request, request.headers.get("metadata", "").lower() == "true")

    @route("GET", "/msi/token")
    def app_service_token(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("x-identity-header")
        return self._identity(request, given == self.identity_header)

    def _identity(self, request: HttpRequest, is_allowed: bool) -> HttpResponse:
        resource = request.query.get("resource", "")
        is_ours = request.query.get("client_id") in (None, "", self.principal.client_id)
        if not (is_allowed and is_ours and resource.rstrip("/") in self._audiences):
            error = {"error": "invalid_request", "error_description": "Identity not found"}
            return json_response(error, 400)
        expires_on = str(int(time.time() + self.tokens.lifetime))
        return json_response({**self._answer(resource), "expires_on": expires_on})

    def _check_tenant(self, tenant: str) -> None:
        if tenant not in (self.tokens.tenant, "organizations", "common"):
            message = f"Tenant '{tenant}' not found. Check its id."
            raise SignInError(400, "invalid_request", 90002, message)

    def _audience(self, form: Mapping[str, str]) -> str:
        """Return the resource of a scope such as `https://management.azure.com/.default`."""
        scopes = [each for each in form.get("scope", "").split() if each.endswith(_DEFAULT)]
        if not scopes:
            message = "The scope must be a resource and '/.default'."
            raise SignInError(400, "invalid_scope", 1002012, message)
        audience = scopes[0].removesuffix(_DEFAULT)
        if audience.rstrip("/") not in self._audiences:
            message = f"The resource principal named {audience} was not found in the tenant."
            raise SignInError(400, "invalid_resource", 500011, message)
        return audience

    def _answer(self, audience: str) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "expires_in": int(self.tokens.lifetime),
            "access_token": self.tokens.issue(audience),
        }

    def _person(self, request: HttpRequest) -> dict[str, str]:
        """Return what a token response says about a person, for whom MSAL keeps an account."""
        tenant = self.tokens.tenant
        claims = {
            "aud": self.principal.client_id,
            "iss": f"{request.base}/{tenant}/v2.0",
            **{"sub": "person", "oid": "person", "tid": tenant},
            "preferred_username": "person@standin.example",
        }
        known = json.dumps({"uid": "person", "utid": tenant})
        client_info = base64.urlsafe_b64encode(known.encode()).decode()
        return {"id_token": self.tokens.signed(claims), "client_info": client_info}
