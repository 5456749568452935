"""What an answer has to be before it counts, and the error of one that does not.

A network on the way answers with 200, too. No error holds a secret.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

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


@dataclass(frozen=True)
class Response:
    """`where` is the request without what is secret. `headers` are found by names in any case.

    `value` is what the check of the request made of it.
    """

    where: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    value: Any = None

    @property
    def is_page(self) -> bool:
        """Whether it is for people: a sign-in page of the network, or one of a proxy."""
        return "html" in self.headers.get("content-type", "").lower()


class ServiceError(OutsideError):
    """A request failed for good. `status_code` is 0 when there was no response that counts."""

    def __init__(self, where: str, what: str, status_code: int = 0, remedy: str = "") -> None:
        super().__init__(where, what, remedy or _REMEDIES.get(status_code, ""))
        self.status_code = status_code

    @classmethod
    def of_response(cls, response: Response) -> ServiceError:
        what = f"the service answered {response.status}{_reason(response)}"
        # Azure redirects no request of this tool.
        remedy = _PAGE_REMEDY if 300 <= response.status < 400 else _clock_remedy(response)
        if response.is_page and response.status < 500:
            what, remedy = f"{what}, and a page", _PAGE_REMEDY
        return cls(response.where, what, response.status, remedy)

    @classmethod
    def of_wrong_answer(cls, response: Response, reason: object) -> ServiceError:
        """Return the error for an answer of success that cannot be the service's own."""
        what = f"the answer {response.status} does not count: {reason}"
        return cls(response.where, what, remedy=_PAGE_REMEDY)

    def about(self, where: str, what: str) -> ServiceError:
        """Return this error for something larger that failed by it."""
        return ServiceError(where, what, self.status_code, self.remedy)


class WrongAnswer(Exception):
    """Whatever answered, it was not the service, or its answer was damaged."""


class Fields(dict[str, Any]):
    """An object of an answer; a key that it does not have is a failure of the service."""

    def __init__(self, where: str, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise OutsideError(self._where, f"the service's answer has no `{key}`")


def any_answer(response: Response) -> None:
    """Raise `WrongAnswer` for a page, which no service of Azure answers with."""
    if response.is_page:
        raise WrongAnswer("it is a page for people")


def json_object(response: Response) -> Any:
    """Return the object that an answer is, None for 404. Raises `WrongAnswer`."""
    any_answer(response)
    try:
        found = json.loads(response.body, object_hook=partial(Fields, response.where))
    except ValueError as error:
        raise WrongAnswer("it is not JSON") from error
    if not isinstance(found, Fields):
        raise WrongAnswer("it is no JSON object")
    return None if response.status == 404 else found


def resource(response: Response) -> Any:
    """Return a resource, or the page of a list of them; None for 404. Raises `WrongAnswer`."""
    found = json_object(response)
    if found is not None and not {"properties", "value"} & set(found):
        raise WrongAnswer("it is no resource")
    return found


def of_storage(response: Response) -> None:
    """Raise `WrongAnswer` unless Azure Storage has answered.

    https://learn.microsoft.com/rest/api/storageservices/common-rest-response-headers
    """
    any_answer(response)
    if "x-ms-request-id" not in response.headers:
        raise WrongAnswer("it is not from Azure Storage")


def without_secrets(text: str) -> str:
    """Return `text` without signatures of storage addresses, and without tokens."""
    secret = r"(?i)\b(sig|access_token|refresh_token|client_secret)=[^&\s\"'<]+"
    text = re.sub(secret, r"\1=***", text)
    text = re.sub(r"(?i)\b(Bearer|SharedKey) [\w.~+/:=-]+", r"\1 ***", text)
    return re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "***", text)


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


def _reason(response: Response) -> str:
    """Return ` code: message`: JSON of the resource manager or a registry, XML of storage."""
    text = response.body[:65536].decode("utf-8", "replace")
    code = response.headers.get("x-ms-error-code", "")
    try:
        error = json.loads(text)
        # A registry of images lists errors.
        error = error.get("error") or (error.get("errors") or [error])[0]
        code, message = str(error.get("code") or code), str(error.get("message") or "")
    except (ValueError, AttributeError):
        found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        message = found[1] if found else ""
    message = without_secrets(" ".join(message.split()))[:500].rstrip(".")
    return (f" {code}" if code else "") + (f": {message}" if message else "")
