"""Test that looks at single BUILD files find what Pants finds in all of them."""

from __future__ import annotations

import pytest
from azureml_pants.code.build_folders import FolderTargets, FolderTargetsRequest
from azureml_pants.code.listed_packages import ListedPackages
from pants.backend.python.dependency_inference.module_mapper import (
    AllPythonTargets,
    ThirdPartyPythonModuleMapping,
)
from pants.engine.target import AllTargets
from pants.testutil.rule_runner import RuleRunner

FILES = {
    "BUILD": "python_requirement(name='root', requirements=['root'])",
    "3rdparty/BUILD": "python_requirements(source='r.txt', resolve=parametrize('main', 'second'))",
    "3rdparty/r.txt": "numpy==1\nscikit-learn\n",
    "src/BUILD": "python_sources(sources=['**/*.py'])",
    "src/x/main.py": "",
    "src/x/BUILD": "file(name='a', source='a')\n"
    "python_requirement(name='own', requirements=['own-package'], modules=['mine'])",
    "src/x/a": "",
    "other/BUILD": "files(name='all', sources=['*.txt'])",
    "other/a.txt": "",
    "other/b.txt": "",
    "poetry/BUILD": "poetry_requirements(name='poetry')",
    "poetry/pyproject.toml": "[tool.poetry.dependencies]\nrequests = '*'\n",
    "types/BUILD": "python_requirement(name='t', requirements=['types-requests'])",
}


def test_finds_the_packages_that_pants_finds(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(FILES)
    found = rule_runner.request(ListedPackages, [])
    expected = rule_runner.request(AllPythonTargets, []).third_party
    assert len(expected) == 8
    assert list(found.targets) == sorted(expected, key=lambda target: target.address)
    assert found.modules == rule_runner.request(ThirdPartyPythonModuleMapping, [])
    assert dict(found.files) == dict.fromkeys(("main", "second"), ("3rdparty/r.txt",))


def test_finds_each_target_in_the_folder_of_its_build_file(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(FILES)
    folders = {path.rpartition("/")[0] for path in FILES}
    found = [
        rule_runner.request(FolderTargets, [FolderTargetsRequest(folder)]).targets
        for folder in sorted({*folders, "src/x/none"})
    ]
    below = {target.address for targets in found for target in targets}
    everywhere = {target.address for target in rule_runner.request(AllTargets, [])}
    # Those of locks are in no BUILD file.
    assert below == {each for each in everywhere if not each.target_name.endswith("_lockfile")}


@pytest.mark.parametrize("name", ["a*", "a?", "a[b]"])
def test_takes_no_name_of_a_folder_for_a_pattern(rule_runner: RuleRunner, name: str) -> None:
    rule_runner.write_files({"src/ab/BUILD": "file(name='f', source='f')", f"src/{name}/x": ""})
    found = rule_runner.request(FolderTargets, [FolderTargetsRequest(f"src/{name}")])
    assert found == FolderTargets(())
