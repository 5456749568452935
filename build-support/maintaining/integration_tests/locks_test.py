"""Test that the tools are tested with the packages that users get."""

from __future__ import annotations

from azureml_jobs.locks.lock import Lock
from scratch import repository_root

INSTALLED = "3rdparty/python/azureml.lock"
TESTED = "build-support/maintaining/python/tests.lock"


def versions(lock: str) -> dict[str, tuple[str, ...]]:
    return Lock((repository_root() / lock).read_text(encoding="utf-8")).versions()


def test_tests_run_with_the_versions_that_users_install() -> None:
    installed, tested = versions(INSTALLED), versions(TESTED)
    assert len(installed) > 50
    assert {name: tested.get(name) for name in installed} == installed
