"""The error of a request that failed for good, in words that hold no secret."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime

from azureml_jobs.azure.transport import Response
from azureml_jobs.base.errors import OutsideError

_REMEDIES = {
    401: "Sign in again, for example by `az login`.",
    403: "Your account is missing a role for this: docs/azure.md names the roles.",
}
_PAGE_REMEDY = (
    "Something between this machine and Azure answers in its place: sign in to the network in a "
    "browser, or\nlook at the proxy that `HTTPS_PROXY` names."
)
# Tokens and signatures that are further off are refused.
_CLOCK_SECONDS = 300.0


class ServiceError(OutsideError):
    """A request failed for good. `status_code` is 0 when there was no response."""

    def __init__(
        self, where: str, what: str, status_code: int = 0, code: str = "", remedy: str = ""
    ) -> None:
        super().__init__(where, what, remedy or _REMEDIES.get(status_code, ""))
        self.status_code = status_code
        self.code = code

    @classmethod
    def of_response(cls, response: Response) -> ServiceError:
        code, message = _code_and_message(response)
        what = f"{response.status} {code}".strip() + (f": {message}" if message else "")
        # Azure redirects no request of this tool.
        remedy = _PAGE_REMEDY if 300 <= response.status < 400 else _clock_remedy(response)
        if response.is_page and response.status < 500:
            what, remedy = f"{what}, and a page", _PAGE_REMEDY
        what = f"the service answered {what}"
        return cls(response.where, what, response.status, code, remedy)

    @classmethod
    def of_wrong_answer(cls, response: Response, reason: str) -> ServiceError:
        """Return the error for an answer of success that cannot be the service's own."""
        what = f"the answer {response.status} does not count: {reason}"
        return cls(response.where, what, remedy=_PAGE_REMEDY)

    @classmethod
    def of_failure(cls, where: str, reason: str, remedy: str) -> ServiceError:
        return cls(where, without_secrets(reason).rstrip("."), remedy=remedy)

    def about(self, where: str, what: str) -> ServiceError:
        """Return this error for something larger that failed by it."""
        return ServiceError(where, what, self.status_code, self.code, self.remedy)


def _clock_remedy(response: Response) -> str:
    """Return what to do about a refusal when the clock here is wrong; otherwise nothing."""
    try:
        there = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return ""
    seconds = time.time() - there
    if response.status not in (401, 403) or abs(seconds) < _CLOCK_SECONDS:
        return ""
    direction = "fast" if seconds > 0 else "slow"
    return f"Set the clock of this machine: it is {abs(seconds) / 60:.0f} minutes {direction}."


def without_secrets(text: str) -> str:
    """Return `text` without signatures of storage addresses, and without tokens."""
    secret = r"(?i)\b(sig|access_token|refresh_token|client_secret)=[^&\s\"'<]+"
    text = re.sub(secret, r"\1=***", text)
    text = re.sub(r"(?i)\b(Bearer|SharedKey) [\w.~+/:=-]+", r"\1 ***", text)
    return re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "***", text)


def _code_and_message(response: Response) -> tuple[str, str]:
    """Read JSON of the resource manager or of a registry, or XML of storage."""
    text = response.body[:65536].decode("utf-8", "replace")
    code = response.headers.get("x-ms-error-code", "")
    try:
        error = json.loads(text)
        # A registry of images lists errors.
        error = error.get("error") or (error.get("errors") or [error])[0]
        return str(error.get("code") or code), _one_line(str(error.get("message") or ""))
    except (ValueError, AttributeError):
        found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        return code, _one_line(found[1] if found else "")


def _one_line(message: str) -> str:
    return without_secrets(" ".join(message.split()))[:500].rstrip(".")
