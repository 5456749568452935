"""Who may pull from and push to the stand-in's registry of images: its own tokens, with scopes.

As in https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, and as Docker asks for a token:
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from azureml_standin.http.messages import (
    HttpError,
    HttpRequest,
    HttpResponse,
    RegistryError,
    json_response,
)
from azureml_standin.sign_in.tokens import Tokens

PULL = "pull"
PUSH = "push"
_REFRESH = "refresh_token"
_ACCESS = "access_token"
_REFRESH_SECONDS = 3 * 3600.0
_SCOPE = re.compile(r"repository:([^\s:]+):([a-z_*,]+)")


class RegistryAccess:
    """`allowed` is what the role of whoever signs in lets them do: AcrPush both, AcrPull one."""

    def __init__(self, tokens: Tokens, audiences: Collection[str]) -> None:
        self.allowed: Sequence[str] = (PULL, PUSH)
        self._tokens = tokens
        self._audiences = audiences

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """Exchange a token of Microsoft Entra ID for a refresh token of the registry."""
        form = _form(request, _ACCESS)
        if form.get("tenant", [self._tokens.tenant]) != [self._tokens.tenant]:
            raise _denied(f"there is no tenant {form['tenant'][0]}")
        try:
            self._tokens.check_token(form.get(_ACCESS, [""])[0], self._audiences)
        except HttpError as error:
            raise _denied(error.message) from error
        if not self.allowed:
            raise _denied("authentication required")
        return json_response({_REFRESH: self.refresh_token(request.host)})

    def token(self, request: HttpRequest) -> HttpResponse:
        """Return an access token for the scopes that the role allows."""
        form = _form(request, _REFRESH)
        try:
            claims = self._tokens.check_token(form.get(_REFRESH, [""])[0], [request.host])
        except HttpError as error:
            raise _denied(error.message) from error
        if claims.get("grant_type") != _REFRESH:
            raise _denied("this is no refresh token")
        access = []
        for scope in " ".join(form.get("scope", [])).split():
            match = _SCOPE.fullmatch(scope)
            if match is None:
                raise RegistryError(400, "BAD_REQUEST", f"the scope {scope!r} is not understood")
            actions = [each for each in match[2].split(",") if each in self.allowed]
            access.append({"type": "repository", "name": match[1], "actions": actions})
        lifetime = self._tokens.lifetime
        token = self._signed(request.host, _ACCESS, lifetime, {"access": access})
        return json_response({_ACCESS: token, "expires_in": int(lifetime)})

    def refresh_token(self, host: str) -> str:
        return self._signed(host, _REFRESH, _REFRESH_SECONDS, {"permissions": {"actions": ["*"]}})

    def check(self, request: HttpRequest, repository: str = "", *actions: str) -> None:
        """Raise `RegistryError` 401, which says what token is wanted."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise _challenge(request, repository, actions, "")
        try:
            claims = self._tokens.check_token(token.strip(), [request.host])
        except HttpError as error:
            raise _challenge(request, repository, actions, "invalid_token") from error
        if claims.get("grant_type") != _ACCESS:
            raise _challenge(request, repository, actions, "invalid_token")
        if not set(actions) <= _granted(claims, repository):
            raise _challenge(request, repository, actions, "insufficient_scope")

    def _signed(self, host: str, kind: str, lifetime: float, claims: Mapping[str, Any]) -> str:
        now = time.time()
        return self._tokens.signed(
            {
                "jti": secrets.token_hex(8),
                "iss": "Azure Container Registry",
                "aud": host,
                "version": "1.0",
                "grant_type": kind,
                "iat": int(now),
                "nbf": int(now),
                "exp": int(now + lifetime),
                **claims,
            }
        )


def _granted(claims: Mapping[str, Any], repository: str) -> set[str]:
    return {
        action
        for access in claims.get("access", ())
        if access["name"] == repository
        for action in access["actions"]
    }


def _challenge(
    request: HttpRequest, repository: str, actions: Sequence[str], error: str
) -> RegistryError:
    parts = [f'realm="{request.base}/oauth2/token"', f'service="{request.host}"']
    if repository:
        parts.append(f'scope="repository:{repository}:{",".join(actions)}"')
    if error:
        parts.append(f'error="{error}"')
    return RegistryError(
        401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=f"Bearer {','.join(parts)}"
    )


def _denied(why: str) -> RegistryError:
    return RegistryError(401, "UNAUTHORIZED", why)


def _form(request: HttpRequest, grant: str) -> dict[str, list[str]]:
    """Return the form of a request for a token, which is for this service."""
    form = parse_qs(request.body.read().decode("utf-8", "replace"))
    if form.get("grant_type") != [grant]:
        raise RegistryError(400, "BAD_REQUEST", f"grant_type must be {grant}")
    if form.get("service") != [request.host]:
        raise RegistryError(400, "BAD_REQUEST", f"service must be {request.host}")
    return form
