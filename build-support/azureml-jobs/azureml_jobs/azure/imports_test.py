"""Signing in and the import of azure-ai-ml, at the same time."""

from __future__ import annotations

import subprocess
import sys

from azureml_jobs.conftest import Tool

# The second import waits: modules that need each other are not started from two sides.
SCRIPT = """
import sys, threading, time
from azureml_jobs.azure import credentials, sdk

def begun():
    return sorted(name for name in sys.modules if name.startswith(("azure.core", "azure.ai")))

with credentials._one_at_a_time:
    threads = [
        threading.Thread(target=each) for each in (credentials.import_identity, sdk.import_sdk)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert not begun(), begun()
for thread in threads:
    thread.join()
assert {"azure.identity", "azure.ai.ml"} <= set(sys.modules)
"""


def test_packages_of_azure_are_imported_by_one_thread_at_a_time() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], env=Tool.environment(), check=True, timeout=60)
