"""Let the tests import the Pants that runs them: conftest.py imports this module first.

No lock can hold it, because its metadata admits no Python newer than 3.9
(build-support/maintaining/decisions/pants-on-python-3.11.md). The packages of the tests' own
environment win.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

if importlib.util.find_spec("pants") is None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(Path(os.environ["BOOTSTRAP_MADE"], "venv/lib", version, "site-packages")))
