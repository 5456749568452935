"""Test that the tools are tested with the packages that users get."""

from __future__ import annotations

import json

from scratch import repository_root

INSTALLED = "3rdparty/python/azureml.lock"
TESTED = "build-support/maintaining/python/tests.lock"


def versions(lock: str) -> dict[str, str]:
    text = (repository_root() / lock).read_text(encoding="utf-8")
    content = json.loads("\n".join(line for line in text.split("\n") if not line.startswith("//")))
    (resolve,) = content["locked_resolves"]
    return {each["project_name"]: each["version"] for each in resolve["locked_requirements"]}


def test_tests_run_with_the_versions_that_users_install() -> None:
    installed, tested = versions(INSTALLED), versions(TESTED)
    assert len(installed) > 50
    assert {name: tested.get(name) for name in installed} == installed
