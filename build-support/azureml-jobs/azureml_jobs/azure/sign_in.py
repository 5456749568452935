"""Signing in to Azure: a cache of tokens in front of the first credential that works."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azureml_jobs.azure.answers import without_secrets
from azureml_jobs.azure.credentials import Credential, NotSetUp, credentials, import_identity
from azureml_jobs.azure.oidc import build_server
from azureml_jobs.azure.retries import Retries, patience_seconds, wait_before_retry
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.base.web import NETWORK_REMEDY, failure_remedy

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azureml_jobs.azure.clouds import Cloud

# A token is renewed when it would not last for what it is fetched for.
_MINIMUM_SECONDS = 300.0
# Less than any credential has, so that the reason of a failure is reported.
_PATIENCE_SECONDS = 10.0
_SIGN_IN = "Sign in by `az login`, or add `--login` after `--` to sign in by a browser."
_BUILD_SERVER = "docs/azure.md, Build servers, says what a workflow needs."
_CORRECT_IT = "Correct {}, or remove it to be signed in by `az login`."
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_CLOCK = re.compile(r"AADSTS700024")
_NETWORK = re.compile(
    r"Max retries exceeded|NameResolution|getaddrinfo|Connection (?:refused|reset|aborted)"
    r"|CERTIFICATE_VERIFY_FAILED|ProxyError"
)


class SignInFailed(OutsideError):
    """Nobody could be signed in: what was tried, and why each failed."""

    def __init__(self, attempts: Sequence[tuple[str, str]], remedy: str) -> None:
        listed = "".join(f"\n  {name}: {reason}" for name, reason in attempts)
        what = f"could not sign in. What was tried, in this order:{listed}"
        super().__init__("Azure", what, remedy)


@dataclass(frozen=True)
class _Token:
    """`expires` is a time of the monotonic clock, which nobody can set back."""

    text: str = field(repr=False)
    expires: float

    @property
    def seconds_left(self) -> float:
        return self.expires - time.monotonic()


class SignIn:
    """Tokens for one cloud, from any thread: one request for each scope, until it expires.

    The first credential that gives a token is kept for the whole run. A configured one that fails
    ends the search: nobody else is signed in instead. It is a credential for azure-ai-ml as well.
    """

    def __init__(self, cloud: Cloud, login: bool = False) -> None:
        self._credentials = credentials(cloud, login)
        self._is_build_server = build_server(cloud) is not None
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}
        self.credential_name = ""
        """The credential that worked; empty before the first token."""
        self.warnings: list[str] = []
        """What was found on this machine and failed before another credential worked."""

    def token(self, scope: str, rejected: str | None = None) -> str:
        """Return a token that lasts for minutes at least. Raises `SignInFailed`.

        `rejected` is one that the service did not accept.
        """
        return self._token(scope, rejected).text

    def renew(self, scope: str) -> str:
        """Return a token in place of the current one, which the service did not accept."""
        return self.token(scope, rejected=self.token(scope))

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Return a token as azure-core asks for it."""
        from azure.core.credentials import AccessToken

        token = self._token(scopes[0])
        return AccessToken(token.text, int(time.time() + token.seconds_left))

    def _token(self, scope: str, rejected: str | None = None) -> _Token:
        with self._lock:
            token = self._tokens.get(scope)
            if token is None or token.text == rejected or token.seconds_left < _MINIMUM_SECONDS:
                token = self._tokens[scope] = self._fetch(scope)
            return token

    def _fetch(self, scope: str) -> _Token:
        attempts: list[tuple[str, str]] = []
        remedies: list[str] = []
        for credential in self._credentials:
            try:
                token = _fetch_in_time(credential, scope)
            except NotSetUp as missing:
                attempts.append((credential.name, str(missing)))
            except Exception as error:  # azure-identity raises what its parts raise.
                reason = _reason(error, credential.secrets)
                attempts.append((credential.name, reason))
                remedies.append(_remedy(error, reason))
                if credential.is_configured:
                    if not self._is_build_server:
                        remedies.append(_CORRECT_IT.format(credential.name))
                    break
                self.warnings.append(f"signing in by {credential.name} failed: {reason}")
            else:
                self._credentials, self.credential_name = [credential], credential.name
                return token
        usual = _BUILD_SERVER if self._is_build_server else _SIGN_IN
        raise SignInFailed(attempts, next(filter(None, remedies), usual))


def _fetch_in_time(credential: Credential, scope: str) -> _Token:
    # A thread that hangs cannot be ended, but it keeps nobody from going on.
    token = BackgroundCall(lambda: _fetch(credential, scope)).result_within(credential.seconds)
    if token is None:
        raise TimeoutError(f"no answer within {credential.seconds:g} s")
    return token


def _fetch(credential: Credential, scope: str) -> _Token:
    """Fetch a token by a new credential: one that was used would return what it holds."""
    retries = Retries(min(patience_seconds(), _PATIENCE_SECONDS))
    while True:
        try:
            token = credential.make().get_token(scope)
        except Exception as error:
            if isinstance(error, import_identity().CredentialUnavailableError):
                if not credential.is_configured:
                    raise NotSetUp(_reason(error)) from error
                raise
            pause = wait_before_retry(error)
            if pause is None or not retries.wait(pause):
                raise
        else:
            # azure-identity takes the time that `azd` prints for local time.
            expires_on = token_claims(token.token).get("exp") or token.expires_on
            return _Token(token.token, time.monotonic() + float(expires_on) - time.time())


def token_claims(token: str) -> dict[str, Any]:
    """Return what a token says of itself; nothing where that cannot be read."""
    try:
        claims = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remedy(error: Exception, reason: str) -> str:
    """Return what to do about an error that is none of signing in; nothing for any other."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    kinds = (ServiceRequestError, ServiceResponseError)
    if isinstance(error, kinds) or isinstance(error.__cause__, kinds):
        return failure_remedy(error)
    if _CLOCK.search(reason):
        return "Set the clock of this machine: what it signed is not valid at the service's time."
    # `az` prints what its libraries raised.
    return NETWORK_REMEDY if _NETWORK.search(reason) else ""


def _reason(error: Exception, secrets: Sequence[str] = ()) -> str:
    """Return the first line of an error that says something, without what is secret in it."""
    # What a program printed instead of a token may hold it.
    message = re.sub(r"(Unexpected output from [\w ]+):.*", r"\1", str(error), flags=re.DOTALL)
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    useful = [line for line in lines if not line.startswith(("WARNING", "Traceback"))]
    first = (useful or lines or [type(error).__name__])[0].replace("ERROR: ", "")
    return without_secrets(first)[:300].rstrip(".")
