"""Access tokens: issued by the sign-in endpoints, checked by everything else."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection
from typing import Any

import jwt
from azureml_standin.http.messages import HttpError, HttpRequest
from cryptography.hazmat.primitives.asymmetric import rsa

_LIFETIME_SECONDS = 3600.0


class Tokens:
    """JSON web tokens signed by a key that lives as long as this object.

    `lifetime` is in seconds and may be changed at any time, for tokens issued from then on.
    """

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.lifetime = _LIFETIME_SECONDS
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def issue(self, audience: str) -> str:
        """Return an access token."""
        # Two tokens of one second differ, so that a test sees which one was used.
        unique = secrets.token_urlsafe(12)
        return self.signed({"aud": audience, "tid": self.tenant, "uti": unique})

    def signed(self, claims: dict[str, Any], lifetime: float | None = None) -> str:
        """Return a token with these claims; without a `lifetime` it has that of access tokens."""
        now = int(time.time())
        expires = now + int(self.lifetime if lifetime is None else lifetime)
        times = {"iat": now, "nbf": now, "exp": expires}
        return jwt.encode({**times, **claims}, self._key, "RS256")

    def check(self, request: HttpRequest, audiences: Collection[str]) -> dict[str, Any]:
        """Return the claims of the request's bearer token. Raises `HttpError` 401.

        Codes: https://learn.microsoft.com/rest/api/azure/#troubleshooting
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not token or kind.lower() != "bearer":
            raise _unauthorized("AuthenticationFailed", "The 'Authorization' header is missing.")
        return self.check_token(token.strip(), audiences)

    def check_token(self, token: str, audiences: Collection[str]) -> dict[str, Any]:
        claims = self.verified(token)
        if claims["exp"] <= time.time():
            raise _unauthorized("ExpiredAuthenticationToken", "The access token has expired.")
        accepted = {audience.rstrip("/") for audience in audiences}
        if str(claims["aud"]).rstrip("/") not in accepted:
            message = f"The access token is for {claims['aud']}, not for {sorted(accepted)}."
            raise _unauthorized("InvalidAuthenticationTokenAudience", message)
        return claims

    def verified(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this key signed. Raises `HttpError` 401 for another."""
        try:
            return signed_claims(token, self._key.public_key(), "RS256")
        except jwt.InvalidTokenError as error:
            message = "The access token is invalid."
            raise _unauthorized("InvalidAuthenticationToken", message) from error


def signed_claims(token: str, key: Any, *algorithms: str) -> dict[str, Any]:
    """Return the claims of a token that the key signed. Raises `jwt.InvalidTokenError` for another.

    Their times and audience are the caller's to check: Azure has an error for each.
    """
    claims: dict[str, Any] = json.loads(jwt.PyJWS().decode(token, key, list(algorithms)))
    return claims


def _unauthorized(code: str, message: str) -> HttpError:
    return HttpError(401, code, message, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
