"""Make the locks of tests."""

from __future__ import annotations

import json
from typing import Any


def package(name: str, version: str, *files: str, **more: Any) -> dict[str, Any]:
    artifacts = [
        {"algorithm": "sha256", "hash": file, "url": f"https:/${{PACKAGE_FILES}}/{file}"}
        for file in files or (f"{name}-{version}",)
    ]
    entry = {"artifacts": artifacts, "project_name": name, "requires_dists": []}
    return {**entry, "requires_python": None, "version": version, **more}


def lock_text(*parts: list[dict[str, Any]], header: str = "", **more: Any) -> str:
    """Return a lock as pex writes it: one part, or several that are split by a marker."""
    markers = [None] if len(parts) == 1 else [f'python_version == "3.{n}"' for n in range(9)]
    content = {
        "constraints": [],
        "locked_resolves": [
            {"locked_requirements": packages, "marker": marker, "platform_tag": None}
            for packages, marker in zip(parts, markers)
        ],
        "pex_version": "2.1",
        "requirements": [],
        "requires_python": ["CPython==3.11.*"],
        **more,
    }
    return header + json.dumps(content, indent=2, sort_keys=True) + "\n"
