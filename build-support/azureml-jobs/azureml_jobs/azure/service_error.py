"""The error of a request that failed for good, in words that hold no secret."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from azureml_jobs.azure.transport import Response
from azureml_jobs.base.errors import OutsideError

_REMEDIES = {
    0: "Look at the network and, where there is a proxy, at `HTTPS_PROXY`.",
    401: "Sign in again, for example by `az login`.",
    403: "Your account is missing a role for this: docs/azure.md names the roles.",
}


class ServiceError(OutsideError):
    """A request failed for good. `status_code` is 0 when there was no response."""

    def __init__(self, where: str, what: str, status_code: int = 0, code: str = "") -> None:
        super().__init__(where, what, _REMEDIES.get(status_code, ""))
        self.status_code = status_code
        self.code = code

    @classmethod
    def of_response(cls, method: str, url: str, response: Response) -> ServiceError:
        code, message = _code_and_message(response)
        what = f"{response.status} {code}".strip() + (f": {message}" if message else "")
        where = _shortened(method, url)
        return cls(where, f"the service answered {what}", response.status, code)

    @classmethod
    def of_failure(cls, method: str, url: str, reason: str) -> ServiceError:
        return cls(_shortened(method, url), without_secrets(reason).rstrip("."))


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


def _shortened(method: str, url: str) -> str:
    """Return a request without its query, which may hold a signature, and without long ids."""
    parts = urlsplit(url)
    provider = r"Microsoft\.(MachineLearningServices|ContainerRegistry)"
    path = re.sub(rf"^.*/providers/{provider}", "…", parts.path)
    return f"{method} {parts.hostname}{path}"
