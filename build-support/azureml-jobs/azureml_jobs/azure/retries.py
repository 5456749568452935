"""How long something that failed is tried again, and how often: the one retry policy of this room.

Everything that is sent may be sent twice: names of jobs, assets and blobs are chosen here, so that
a second request finds what the first one made. Pauses grow, and are random, so that many clients
do not come back at the same moment.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from typing import Any

# How many seconds a request is tried before its failure is reported.
_PATIENCE_VARIABLE = "AZUREML_JOBS_PATIENCE"
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_PATIENCE_SECONDS = 40.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 8.0


def patience_seconds() -> float:
    """Return how long a request is tried: what the user set, or 40 s."""
    try:
        return max(0.1, float(os.environ[_PATIENCE_VARIABLE]))
    except (KeyError, ValueError):
        return _PATIENCE_SECONDS


class Retries:
    """The attempts at one thing, which end after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Count from now on, because there was progress."""
        self.deadline = time.monotonic() + self._seconds
        self._pause = _FIRST_PAUSE

    def wait(self, at_least: float = 0.0) -> bool:
        """Sleep until the next attempt; return False when there is no time for one.

        `at_least` are the seconds that the service asks for.
        """
        pause = max(at_least, random.uniform(self._pause / 2, self._pause))
        if pause >= self.deadline - time.monotonic():
            return False
        time.sleep(pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True


def wait_before_retry(error: Exception) -> float | None:
    """Return how long to wait after an error of azure-core; None when a retry is no use."""
    from azure.core.exceptions import (
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    # azure-identity wraps what the transport raised.
    for each in (error, error.__cause__):
        if isinstance(each, (ServiceRequestError, ServiceResponseError)):
            return 0.0
        if isinstance(each, HttpResponseError):
            if not each.status_code:
                # The response was cut off.
                return 0.0
            if each.status_code in TRANSIENT_STATUSES:
                response: Any = each.response
                return retry_after(response.headers if response else {})
    return None


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a service asks to wait; Azure also gives them in milliseconds."""
    try:
        if text := headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms"):
            return float(text) / 1000
        return float(headers.get("retry-after") or 0)
    except ValueError:
        return 0.0
