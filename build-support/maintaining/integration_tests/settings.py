"""Read this repository's settings for hooks, build servers and editors."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from scratch import repository_root

CHECKS = (".github/workflows/ci.yml", "azure-pipelines.yml")
SUBMIT = ".github/workflows/submit.yml"
YAML_FILES = (".pre-commit-config.yaml", *CHECKS, SUBMIT)
JSON_FILES = (
    ".devcontainer/devcontainer.json",
    *(".vscode/extensions.json", ".vscode/launch.json", ".vscode/settings.json"),
)


def read(name: str) -> Any:
    text = (repository_root() / name).read_text(encoding="utf-8")
    if name in YAML_FILES:
        return yaml.safe_load(text)
    # Editors allow comments in their JSON.
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
