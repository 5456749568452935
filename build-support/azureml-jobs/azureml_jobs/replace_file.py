"""Write a file of the repository in one step."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Optional


def replace_file(path: Path, content: Optional[bytes]) -> None:
    """Write the file beside and rename it, or remove it for None: nobody sees half of it."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
