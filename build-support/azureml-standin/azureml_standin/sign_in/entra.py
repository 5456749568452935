"""Microsoft Entra ID for programs: tokens for secrets, certificates, codes and identities."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence

from azureml_standin.clouds import AML_AUDIENCES, ARM_AUDIENCES, STORAGE_AUDIENCES
from azureml_standin.http.messages import HttpRequest, HttpResponse, SignInError, json_response
from azureml_standin.http.routing import Route
from azureml_standin.sign_in.build_servers import BuildServers
from azureml_standin.sign_in.managed_identity import ManagedIdentity
from azureml_standin.sign_in.principal import Principal
from azureml_standin.sign_in.tokens import Tokens

_DEFAULT = "/.default"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class SignIn:
    """`bases` are the service's own addresses, audiences like those of the clouds."""

    def __init__(self, tokens: Tokens, principal: Principal, bases: Sequence[str]) -> None:
        self.tokens = tokens
        self.principal = principal
        self.build_servers = BuildServers()
        self.audiences = frozenset(
            each.rstrip("/")
            for each in (*ARM_AUDIENCES, *AML_AUDIENCES, *STORAGE_AUDIENCES, *bases)
        )
        self.managed_identity = ManagedIdentity(tokens, principal.client_id, self.audiences)
        # With the audience that each was requested for.
        self._device_codes: dict[str, str] = {}
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self.describe),
            Route("POST", "/{tenant}/oauth2/v2.0/token", self.token),
            Route("POST", "/{tenant}/oauth2/v2.0/devicecode", self.device_code),
            *self.managed_identity.routes(),
            *self.build_servers.routes(),
        ]

    def describe(self, request: HttpRequest, tenant: str) -> HttpResponse:
        """Describe the endpoints by OpenID Connect discovery, where MSAL looks for them."""
        self._check_tenant(tenant)
        here = f"{request.base}/{tenant}"
        return json_response(
            {
                "issuer": f"{here}/v2.0",
                "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
                "token_endpoint": f"{here}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
            }
        )

    def token(self, request: HttpRequest, tenant: str) -> HttpResponse:
        self._check_tenant(tenant)
        form = request.form()
        grant = form.get("grant_type")
        if grant == "client_credentials":
            self.principal.check_credential(form, request, self.build_servers)
            return self._issue(request, self._audience(form))
        if grant == _DEVICE_GRANT:
            with self._lock:
                audience = self._device_codes.pop(form.get("device_code", ""), None)
            if audience is None:
                raise SignInError(400, "invalid_grant", 70008, "The code has expired.")
            return self._issue(request, audience, is_person=True)
        raise SignInError(
            400, "unsupported_grant_type", 70003, f"The app requested the grant type '{grant}'."
        )

    def device_code(self, request: HttpRequest, tenant: str) -> HttpResponse:
        """Return a code that counts as entered at once, because no person enters it."""
        self._check_tenant(tenant)
        code = secrets.token_urlsafe(24)
        audience = self._audience(request.form())
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

    def _check_tenant(self, tenant: str) -> None:
        if tenant not in (self.tokens.tenant, "organizations", "common"):
            raise SignInError(
                400, "invalid_request", 90002, f"Tenant '{tenant}' not found. Check its id."
            )

    def _audience(self, form: Mapping[str, str]) -> str:
        """Return the resource of a scope such as `https://management.azure.com/.default`."""
        scopes = [each for each in form.get("scope", "").split() if each.endswith(_DEFAULT)]
        if not scopes:
            raise SignInError(
                400, "invalid_scope", 1002012, "The scope must be a resource and '/.default'."
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

    def _issue(self, request: HttpRequest, audience: str, is_person: bool = False) -> HttpResponse:
        lifetime = int(self.tokens.lifetime)
        content = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.tokens.issue(audience, self.principal.client_id, request.base),
        }
        if is_person:
            content.update(self._person(request, lifetime))
        return json_response(content)

    def _person(self, request: HttpRequest, lifetime: int) -> dict[str, str]:
        """Return what a token response says about a person, for whom MSAL keeps an account."""
        now = int(time.time())
        id_token = self.tokens.signed(
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
        known = json.dumps({"uid": "person", "utid": self.tokens.tenant})
        client_info = base64.urlsafe_b64encode(known.encode()).decode()
        return {"id_token": id_token, "client_info": client_info}
