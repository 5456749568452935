"""Microsoft Entra ID as far as a program signs in: tokens for secrets, certificates, identities."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
from azureml_standin.clouds import AML_AUDIENCES, ARM_AUDIENCES, CLOUDS, STORAGE_AUDIENCES
from azureml_standin.http.errors import SignInError
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route
from azureml_standin.sign_in.build_servers import BuildServers
from azureml_standin.sign_in.tokens import Tokens, signed_claims
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

_DEFAULT = "/.default"
# RFC 7523
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Principal:
    """Who may sign in, and by what.

    certificate: a public certificate (PEM) whose key signs assertions. federated_token: what a
    workload of a cluster shows of itself.
    """

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    certificate: str = ""
    federated_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class SignIn:
    """`bases` are the service's own addresses, audiences like the clouds' own.

    `has_managed_identity` says whether the machine's identity answers at all, `identity_header` is
    the secret of App Service's endpoint.
    """

    def __init__(self, tokens: Tokens, principal: Principal, bases: Sequence[str]) -> None:
        self.tokens = tokens
        self.principal = principal
        self.has_managed_identity = True
        self.identity_header = secrets.token_urlsafe(24)
        self.build_servers = BuildServers()
        self.audiences = frozenset(
            each.rstrip("/")
            for each in (*ARM_AUDIENCES, *AML_AUDIENCES, *STORAGE_AUDIENCES, *bases)
        )
        # With what each was asked for.
        self._device_codes: dict[str, str] = {}
        self._refresh_tokens: set[str] = set()
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/common/discovery/instance", self.discover_instance),
            Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self.describe),
            Route("GET", "/{tenant}/.well-known/openid-configuration", self.describe),
            Route("GET", "/{tenant}/discovery/v2.0/keys", self.keys),
            Route("POST", "/{tenant}/oauth2/v2.0/token", self.token),
            Route("POST", "/{tenant}/oauth2/v2.0/devicecode", self.device_code),
            Route("GET", "/metadata/identity/oauth2/token", self.machine_token),
            Route("GET", "/msi/token", self.app_service_token),
            *self.build_servers.routes(),
        ]

    def discover_instance(self, request: HttpRequest) -> HttpResponse:
        hosts = [request.host, *(cloud.login for cloud in CLOUDS)]
        return json_response(
            {
                "tenant_discovery_endpoint": (
                    f"{request.base}/{self.tokens.tenant}/v2.0/.well-known/openid-configuration"
                ),
                "api-version": "1.1",
                "metadata": [
                    {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                    for host in hosts
                ],
            }
        )

    def describe(self, request: HttpRequest, tenant: str) -> HttpResponse:
        """OpenID Connect discovery, by which MSAL finds the other endpoints."""
        self._check_tenant(tenant)
        here = f"{request.base}/{tenant}"
        return json_response(
            {
                "issuer": f"{here}/v2.0",
                "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
                "token_endpoint": f"{here}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{here}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                ],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": None,
            }
        )

    def keys(self, request: HttpRequest, tenant: str) -> HttpResponse:
        self._check_tenant(tenant)
        return json_response(self.tokens.public_keys())

    def token(self, request: HttpRequest, tenant: str) -> HttpResponse:
        self._check_tenant(tenant)
        form = _form(request)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            self._check_client(form, request)
            return self._issued(request, self._audience(form))
        if grant == _DEVICE_GRANT:
            with self._lock:
                audience = self._device_codes.pop(form.get("device_code", ""), None)
            if audience is None:
                raise SignInError(400, "invalid_grant", 70008, "The code has expired.")
            return self._issued(request, audience, is_person=True)
        if grant == "refresh_token":
            if form.get("refresh_token") not in self._refresh_tokens:
                raise SignInError(400, "invalid_grant", 70008, "The refresh token has expired.")
            return self._issued(request, self._audience(form), is_person=True)
        raise SignInError(
            400, "unsupported_grant_type", 70003, f"The app requested the grant type '{grant}'."
        )

    def device_code(self, request: HttpRequest, tenant: str) -> HttpResponse:
        """A code that counts as entered at once: there is no person to enter it."""
        self._check_tenant(tenant)
        code = secrets.token_urlsafe(24)
        audience = self._audience(_form(request))
        with self._lock:
            self._device_codes[code] = audience
        return json_response(
            {
                "device_code": code,
                "user_code": "STANDIN",
                "verification_uri": f"{request.base}/devicelogin",
                "expires_in": 900,
                "interval": 1,
                "message": f"To sign in, open {request.base}/devicelogin and enter STANDIN.",
            }
        )

    def machine_token(self, request: HttpRequest) -> HttpResponse:
        """The instance metadata service of a virtual machine."""
        if not self.has_managed_identity:
            raise _identity_error(400, "invalid_request", "Identity not found")
        if request.headers.get("metadata", "").lower() != "true":
            raise _identity_error(400, "bad_request_102", "Required metadata header not specified")
        return self._machine_issued(request)

    def app_service_token(self, request: HttpRequest) -> HttpResponse:
        if not secrets.compare_digest(
            request.headers.get("x-identity-header", ""), self.identity_header
        ):
            raise _identity_error(401, "unauthorized_client", "Wrong X-IDENTITY-HEADER")
        return self._machine_issued(request)

    def _machine_issued(self, request: HttpRequest) -> HttpResponse:
        if not request.query.get("api-version"):
            raise _identity_error(400, "bad_request_101", "Required parameter: api-version")
        resource = request.query.get("resource", "")
        if resource.rstrip("/") not in self.audiences:
            raise _identity_error(400, "invalid_resource", f"No such resource: {resource!r}")
        client = request.query.get("client_id") or self.principal.client_id
        if client != self.principal.client_id:
            raise _identity_error(400, "invalid_request", "Identity not found")
        issuer = f"{request.base}/{self.tokens.tenant}/"
        lifetime = int(self.tokens.lifetime)
        return json_response(
            {
                "access_token": self.tokens.issue(resource, client, issuer),
                "client_id": client,
                "expires_in": str(lifetime),
                "expires_on": str(int(time.time()) + lifetime),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    def _check_tenant(self, tenant: str) -> None:
        if tenant not in (self.tokens.tenant, "organizations", "common"):
            raise SignInError(
                400, "invalid_request", 90002, f"Tenant '{tenant}' not found. Check its id."
            )

    def _check_client(self, form: Mapping[str, str], request: HttpRequest) -> None:
        client = form.get("client_id", "")
        if client != self.principal.client_id:
            raise SignInError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory.",
            )
        if "client_assertion" in form:
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise SignInError(400, "invalid_request", 900144, "client_assertion_type")
            self._check_assertion(form["client_assertion"], request)
        elif not secrets.compare_digest(form.get("client_secret", ""), self.principal.secret):
            raise SignInError(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID.",
            )

    def _check_assertion(self, assertion: str, request: HttpRequest) -> None:
        if secrets.compare_digest(assertion, self.principal.federated_token):
            return
        if self.build_servers.check(assertion, request.host):
            return
        claims = self._certificate_claims(assertion)
        if claims is None:
            raise SignInError(
                401,
                "invalid_client",
                700213,
                "No matching federated identity record or certificate found for the assertion.",
            )
        now = time.time()
        endpoint = f"{request.base}{request.path}"
        if not claims.get("nbf", now) - 300 <= now <= claims.get("exp", 0):
            raise SignInError(
                401, "invalid_client", 700024, "The assertion is not within its valid time range."
            )
        if claims.get("aud") != endpoint or claims.get("iss") != self.principal.client_id:
            raise SignInError(
                401, "invalid_client", 700023, f"The assertion's audience is not {endpoint}."
            )

    def _certificate_claims(self, assertion: str) -> dict[str, Any] | None:
        """Claims of an assertion that the registered certificate's key signed, else None."""
        if not self.principal.certificate:
            return None
        key = x509.load_pem_x509_certificate(self.principal.certificate.encode()).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return None
        try:
            return signed_claims(assertion, key, "RS256", "PS256")
        except jwt.InvalidTokenError:
            return None

    def _audience(self, form: Mapping[str, str]) -> str:
        """The resource of a scope such as `https://management.azure.com/.default`."""
        scopes = [each for each in form.get("scope", "").split() if each.endswith(_DEFAULT)]
        if not scopes:
            raise SignInError(
                400, "invalid_scope", 1002012, "The scope has to be a resource and '/.default'."
            )
        audience = scopes[0][: -len(_DEFAULT)]
        if audience.rstrip("/") not in self.audiences:
            raise SignInError(
                400,
                "invalid_resource",
                500011,
                f"The resource principal named {audience} was not found in the tenant.",
            )
        return audience

    def _issued(self, request: HttpRequest, audience: str, is_person: bool = False) -> HttpResponse:
        lifetime = int(self.tokens.lifetime)
        issuer = f"{request.base}/{self.tokens.tenant}/"
        content = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.tokens.issue(audience, self.principal.client_id, issuer),
        }
        if is_person:
            refresh = secrets.token_urlsafe(24)
            with self._lock:
                self._refresh_tokens.add(refresh)
            content["refresh_token"] = refresh
            now = int(time.time())
            content["id_token"] = self.tokens.signed(
                {
                    "aud": self.principal.client_id,
                    "iss": f"{request.base}/{self.tokens.tenant}/v2.0",
                    "iat": now,
                    "exp": now + lifetime,
                    "sub": "person",
                    "oid": "person",
                    "tid": self.tokens.tenant,
                    "preferred_username": "person@standin.example",
                }
            )
            known = {"uid": "person", "utid": self.tokens.tenant}
            content["client_info"] = base64.urlsafe_b64encode(json.dumps(known).encode()).decode()
        return json_response(content)


def _form(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.read().decode("utf-8", "replace")))


def _identity_error(status: int, error: str, description: str) -> HttpError:
    return _IdentityError(status, error, description)


class _IdentityError(HttpError):
    """The shape of managed identities' endpoints: a flat `error` and `error_description`."""

    def response(self) -> HttpResponse:
        return json_response({"error": self.code, "error_description": self.message}, self.status)
