"""Imports of what talks to Azure: late, because they take a second, and one after the other.

Signing in runs next to the import of azure-ai-ml. Modules of azure-core import each other; started
in two threads, Python ends such imports with a `_DeadlockError`. azure-identity comes first, so
that signing in starts at once.
"""

from __future__ import annotations

import gc
import logging
import threading
from typing import Any

_one_at_a_time = threading.Lock()


def import_identity() -> Any:
    """Import azure-identity, with all that its credentials need of azure-core."""
    with _one_at_a_time:
        from azure import identity

        # azure-core imports it when the first credential is made, without this lock.
        from azure.core.pipeline.transport import RequestsTransport  # noqa: F401

        # What fails is reported once, and by us.
        logging.getLogger("azure").setLevel(logging.ERROR)
        return identity


def import_sdk() -> Any:
    """Import azure-ai-ml, after azure-identity: signing in does not wait for it."""
    import_identity()
    # Nothing of what an import makes is garbage; collecting costs a sixth of its time.
    gc.disable()
    try:
        from azure.ai import ml
    finally:
        gc.enable()
    return ml
