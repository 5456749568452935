"""Who may pull from and push to the stand-in's registry of images: its own tokens, with scopes.

As in https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, and as Docker asks for a token:
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from azureml_standin.http.messages import HttpError, HttpRequest, RegistryError
from azureml_standin.http.routing import route
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

    @route("POST", "/oauth2/exchange")
    def exchange(self, request: HttpRequest) -> dict[str, str]:
        """Exchange a token of Microsoft Entra ID for a refresh token of the registry."""
        self._granted(request, _ACCESS, self._audiences)
        if not self.allowed:
            raise _denied("authentication required")
        return {_REFRESH: self.refresh_token(request.host)}

    @route("POST", "/oauth2/token")
    def token(self, request: HttpRequest) -> dict[str, Any]:
        """Return an access token for the scopes that the role allows."""
        form, claims = self._granted(request, _REFRESH, [request.host])
        if claims.get("grant_type") != _REFRESH:
            raise _denied("this is no refresh token")
        access = {}
        for scope in form.get("scope", "").split():
            match = _SCOPE.fullmatch(scope)
            if match is None:
                raise RegistryError(400, "BAD_REQUEST", f"the scope {scope!r} is not understood")
            access[match[1]] = [each for each in match[2].split(",") if each in self.allowed]
        lifetime = self._tokens.lifetime
        token = self._signed(request.host, _ACCESS, lifetime, access=access)
        return {_ACCESS: token, "expires_in": int(lifetime)}

    def refresh_token(self, host: str) -> str:
        return self._signed(host, _REFRESH, _REFRESH_SECONDS)

    def check(self, request: HttpRequest, repository: str = "", *actions: str) -> None:
        """Raise `RegistryError` 401, which says what token is wanted."""
        error = "invalid_token" if "authorization" in request.headers else ""
        with contextlib.suppress(HttpError):
            claims = self._tokens.check(request, [request.host])
            if claims.get("grant_type") == _ACCESS:
                if set(actions) <= set(claims["access"].get(repository, ())):
                    return
                error = "insufficient_scope"
        parts = [f'realm="{request.base}/oauth2/token"', f'service="{request.host}"']
        if repository:
            parts.append(f'scope="repository:{repository}:{",".join(actions)}"')
        if error:
            parts.append(f'error="{error}"')
        headers = {"WWW-Authenticate": f"Bearer {','.join(parts)}"}
        raise _denied("authentication required", headers)

    def _granted(
        self, request: HttpRequest, grant: str, audiences: Collection[str]
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the form of a request for a token of this service, and what its token claims."""
        form = request.form()
        for key, expected in (("grant_type", grant), ("service", request.host)):
            if form.get(key) != expected:
                raise RegistryError(400, "BAD_REQUEST", f"{key} must be {expected}")
        try:
            return form, self._tokens.check_token(form.get(grant, ""), audiences)
        except HttpError as error:
            raise _denied(error.message) from error

    def _signed(self, host: str, kind: str, lifetime: float, **claims: Any) -> str:
        # Docker reads no claim of it, and the tool only when it expires.
        return self._tokens.signed({"aud": host, "grant_type": kind, **claims}, lifetime)


def _denied(why: str, headers: Mapping[str, str] = {}) -> RegistryError:
    return RegistryError(401, "UNAUTHORIZED", why, headers)
