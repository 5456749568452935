"""Signing in to Azure: which ways are tried, in which order, for how long; and the tokens."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azureml_jobs.azure import sign_in_ways as ways
from azureml_jobs.azure.oidc import is_build_server
from azureml_jobs.azure.sign_in_ways import Token, WayFailed, WayMissing
from azureml_jobs.base.errors import OutsideError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azureml_jobs.azure.clouds import Cloud

# A token is renewed when it would not last for what it is fetched for.
_LEFT_SECONDS = 300.0


class SignInFailed(OutsideError):
    """Nobody could be signed in: what was tried, and why each failed."""

    def __init__(self, attempts: Sequence[tuple[str, str]], is_build_server: bool) -> None:
        listed = "".join(f"\n  {name}: {why}" for name, why in attempts)
        super().__init__(
            "Azure",
            f"could not sign in. What was tried, in this order:{listed}",
            (
                "docs/azure.md, Build servers, says what a workflow needs."
                if is_build_server
                else "Sign in by `az login`, or add `--login` behind `--` to sign in by a browser."
            ),
        )


@dataclass
class _Scope:
    lock: threading.Lock
    token: Token | None = None


class SignIn:
    """Tokens for one cloud, one fetch for each scope; usable from any thread.

    The first way that gives a token is kept for the whole run. It is a credential for azure-ai-ml
    as well.
    """

    def __init__(
        self, cloud: Cloud, login: bool = False, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._ways = ways.ways(cloud, environment, login)
        self._is_build_server = is_build_server(environment)
        self._lock = threading.Lock()
        self._scopes: dict[str, _Scope] = {}
        self._way: ways.Way | None = None
        # What was set up for this and did not work, though another way did.
        self.warnings: list[str] = []

    @property
    def way(self) -> str:
        """The name of the way that worked; empty before the first token."""
        return self._way.name if self._way else ""

    def begin(self, scope: str) -> None:
        """Fetch the first token in the background, to have it when it is needed."""
        threading.Thread(target=self._fetch_early, args=(scope,), daemon=True).start()

    def _fetch_early(self, scope: str) -> None:
        try:
            self.token(scope)
        except OutsideError:
            # Whoever needs the token meets the same and tells it.
            pass

    def token(self, scope: str, rejected: str | None = None) -> str:
        """A token that lasts for minutes at least. Raises `SignInFailed`."""
        return self._token(scope, rejected).text

    def _token(self, scope: str, rejected: str | None = None) -> Token:
        with self._lock:
            held = self._scopes.setdefault(scope, _Scope(threading.Lock()))
        with held.lock:
            token = held.token
            if token is None or token.text == rejected or token.seconds_left < _LEFT_SECONDS:
                held.token = token = self._fetch(scope)
            return token

    def _fetch(self, scope: str) -> Token:
        attempts = []
        for way in self._ways if self._way is None else [self._way]:
            try:
                token = way.fetch(scope)
            except WayMissing as missing:
                attempts.append((way.name, str(missing)))
            except WayFailed as failed:
                attempts.append((way.name, str(failed)))
                self.warnings.append(f"signing in by {way.name} failed: {failed}")
            else:
                self._way = way
                return token
        raise SignInFailed(attempts, self._is_build_server)

    # What azure-core asks of a credential.

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        from azure.core.credentials import AccessToken

        token = self._token(scopes[0])
        return AccessToken(token.text, int(time.time() + token.seconds_left))
