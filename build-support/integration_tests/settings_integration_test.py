"""Settings of hooks, build servers and editors can be read, and name only what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from scratch import Scratch, repository_root

ROOT = repository_root()
YAML_FILES = (".pre-commit-config.yaml", ".github/workflows/ci.yml", "azure-pipelines.yml")
JSON_FILES = (
    ".devcontainer/devcontainer.json",
    *(".vscode/extensions.json", ".vscode/launch.json", ".vscode/settings.json"),
)


def read(name: str) -> Any:
    text = (ROOT / name).read_text(encoding="utf-8")
    if name in YAML_FILES:
        return yaml.safe_load(text)
    # Editors allow comments in their JSON.
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def pants_commands(name: str) -> list[list[str]]:
    """The words of each `./pants …` in a file, up to the end of the command."""
    return [
        found.group(1).split()
        for text in texts(read(name))
        for found in re.finditer(r"(?:^|(?<=\s))\./pants\b([^\n;&|]*)", text)
    ]


@pytest.mark.parametrize("name", [*YAML_FILES, *JSON_FILES])
def test_settings_can_be_read(name: str) -> None:
    assert isinstance(read(name), dict)


def test_commands_are_goals_and_options_of_pants(scratch: Scratch) -> None:
    known = json.loads(scratch.pants("help-all").stdout)
    goals = set(known["name_to_goal_info"])
    options = {
        argument.partition("=")[0]
        for scope in known["scope_to_help_info"].values()
        for kind in ("basic", "advanced")
        for option in scope[kind]
        for argument in (*option["display_args"], *option["scoped_cmd_line_args"])
    }
    # A goal's own options are written shorter behind it.
    options |= {"--check", "--version", "--resolve"}
    for name in (*YAML_FILES, *JSON_FILES):
        for words in pants_commands(name):
            for word in words:
                if word.startswith("--"):
                    assert word.partition("=")[0] in options, f"{name}: {word}"
                elif "::" not in word:
                    assert word in goals, f"{name}: {word}"


@pytest.mark.parametrize("name", YAML_FILES[1:])
def test_build_servers_run_the_script_that_is_there(name: str) -> None:
    assert any(text.strip() == ".ci/run" for text in texts(read(name)))
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


def test_a_build_server_may_only_read(scratch: Scratch) -> None:
    workflow = read(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())


def test_hooks_pass_on_what_is_formatted_and_stop_what_is_not(scratch: Scratch) -> None:
    hooks = {hook["id"]: hook for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]}
    path = "src/common/figures.py"
    assert all(re.search(hook["files"], path) for hook in hooks.values())
    for hook in hooks.values():
        scratch.pants(
            *hook["entry"].split()[1:], *([path] if hook.get("pass_filenames", 1) else [])
        )
    text = (scratch.root / path).read_text()
    with scratch.changed({path: text + "x   =  1\n"}):
        scratch.pants("lint", path, status=1)
        scratch.pants("fmt", path)
        scratch.pants("lint", path)


def script_for_pull_requests(name: str) -> str:
    (script,) = (text for text in texts(read(name)) if "--changed-since" in text)
    return script


@pytest.mark.parametrize("name", YAML_FILES[1:])
def test_a_pull_request_is_checked_by_what_it_concerns(scratch: Scratch, name: str) -> None:
    variables = {
        "BASE": "main",
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
        # The whole-run tests, this one among them, are concerned by every file.
        "PANTS_TAG": "['-integration']",
    }
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    path = "src/common/terminal.py"
    text = (scratch.root / path).read_text()
    try:
        with scratch.changed({path: "# A change.\n" + text}):
            ran = subprocess.run(
                ["bash", "-e", "-c", script_for_pull_requests(name)],
                cwd=scratch.root,
                env=scratch.environment(variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
    finally:
        scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    assert ran.returncode == 0, ran.stdout
    assert "src/common/tests/test_terminal.py" in ran.stdout
    assert "build-support/pants-plugins/azureml_pants/ownership_test.py" not in ran.stdout


def test_the_debugger_starts_modules_that_are_there() -> None:
    modules = [entry.get("module", "") for entry in read(".vscode/launch.json")["configurations"]]
    own = [module for module in modules if module not in ("", "pytest")]
    assert own
    for module in own:
        assert Path(ROOT, "src", module.replace(".", "/") + ".py").exists()


def test_the_editor_knows_the_source_roots() -> None:
    paths = read(".vscode/settings.json")["python.analysis.extraPaths"]
    roots = re.findall(r'^  "/([\w/-]+)",$', (ROOT / "pants.toml").read_text(), re.MULTILINE)
    assert paths == roots
