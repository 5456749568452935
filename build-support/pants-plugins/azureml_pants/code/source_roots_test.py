from __future__ import annotations

import pytest
from azureml_pants.code.source_roots import SourceRoots
from pants.testutil.rule_runner import RuleRunner

FILES = {"src/a.py": "", "libs/x/lib/a.py": "", "libs/y/pyproject.toml": "", "other/a.txt": ""}


@pytest.mark.parametrize(
    "patterns, markers, expected",
    [
        pytest.param(["/src", "/gone"], [], ("src",), id="those that exist"),
        pytest.param(["/", "/src"], [], ("src",), id="with the build root next to others"),
        pytest.param(["/"], [], ("",), id="the build root alone"),
        pytest.param(["lib", "/libs/*"], [], ("libs/x", "libs/x/lib", "libs/y"), id="patterns"),
        pytest.param(["/src"], ["pyproject.toml"], ("libs/y", "src"), id="markers"),
        pytest.param(["/gone"], [], (), id="none"),
    ],
)
def test_finds_source_roots(
    rule_runner: RuleRunner, patterns: list[str], markers: list[str], expected: tuple[str, ...]
) -> None:
    options = [f"--source-root-patterns={patterns}", f"--source-marker-filenames={markers}"]
    rule_runner.set_options(options, env_inherit={"PATH", "HOME"})
    rule_runner.write_files(FILES)
    assert rule_runner.request(SourceRoots, []).paths == expected


def test_names_a_path_by_its_innermost_root() -> None:
    roots = SourceRoots(("libs", "libs/x", "src"))
    paths = ("src/a.py", "libs/x/b.py", "libs/c.py", "jobs/d.py", "src", "source/e.py")
    assert [roots.name_of(path) for path in paths] == [
        *("a.py", "b.py", "c.py", "jobs/d.py", "", "source/e.py")
    ]
