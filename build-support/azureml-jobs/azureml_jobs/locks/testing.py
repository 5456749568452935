"""Locks, and what pex prints, for the tests."""

from __future__ import annotations

import json
from typing import Any

COMMAND = "pid 1 -> python pip install --index-url https://me:secret@index/simple exited with 1"


def pex_said(*lines: str) -> str:
    return "\n".join([f"{COMMAND} and STDERR:", *(f"pip: {line}" for line in lines)]) + "\n"


# As pex 2.105.2 prints them, with pip 23.1.2.
CONFLICT = pex_said(
    "ERROR: Cannot install botocore==1.29.0 and urllib3<2.3 because these package versions have "
    "conflicting dependencies.",
    "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/",
    " ",
    "The conflict is caused by:",
    "    The user requested urllib3<2.3",
    "    botocore 1.29.0 depends on urllib3<1.27 and >=1.25.4",
    "    The user requested (constraint) urllib3==2.2.3",
    " ",
    "To fix this you could try to:",
    "1. loosen the range of package versions you've specified",
)
NO_NAME = pex_said(
    "ERROR: Could not find a version that satisfies the requirement nope-9q (from versions: none)",
    "ERROR: No matching distribution found for nope-9q",
)
NO_RELEASE = pex_said(
    "ERROR: Could not find a version that satisfies the requirement six>=99 (from versions: 1.1, "
    "1.2, 1.3, 1.4, 1.5, 1.6, 1.7)",
    "ERROR: No matching distribution found for six>=99",
)
OF_ANOTHER = pex_said(
    "ERROR: Could not find a version that satisfies the requirement six>=99 (from new==1.0) "
    "(from versions: 1.1, 1.2)",
)
OFFLINE = pex_said(
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection "
    "object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused')': "
    "/simple/cowsay/",
    "ERROR: Cannot install cowsay<6.1 because these package versions have conflicting "
    "dependencies.",
    " ",
    "The conflict is caused by:",
    "    The user requested cowsay<6.1",
    "    The user requested (constraint) cowsay==6.0",
    " ",
)


def package(name: str, version: str, *files: str, **more: Any) -> dict[str, Any]:
    artifacts = [
        {"algorithm": "sha256", "hash": file, "url": f"https:/${{PACKAGE_FILES}}/{file}"}
        for file in files or (f"{name}-{version}",)
    ]
    entry = {"artifacts": artifacts, "project_name": name, "requires_dists": []}
    return {**entry, "requires_python": None, "version": version, **more}


def lock_text(*parts: list[dict[str, Any]], notes: str = "", **more: Any) -> str:
    """A lock as pex writes it: one part, or several that are split by a marker."""
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
    return notes + json.dumps(content, indent=2, sort_keys=True) + "\n"
