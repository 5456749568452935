"""Test that settings of hooks, build servers and editors are valid, and name only what exists."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from documents import blocks, commands_in_text, pages
from example import EXPERIMENT
from scratch import Scratch, repository_root
from settings import CHECKS, JSON_FILES, SUBMIT, YAML_FILES, read

ROOT = repository_root()


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
    """Return the words of each `./pants …` in a file, up to the end of the command."""
    return [
        found.group(1).split()
        for text in texts(read(name))
        for found in re.finditer(r"(?:^|(?<=\s))\./pants\b([^\n;&|]*)", text)
    ]


@pytest.mark.parametrize("name", [*YAML_FILES, *JSON_FILES])
def test_settings_are_valid(name: str) -> None:
    assert isinstance(read(name), dict)


def commands_of_pages() -> dict[str, list[str]]:
    """Return the words of each `./pants …` in the pages, in blocks and in running text."""
    found = {}
    for page in pages(ROOT):
        text = page.read_text(encoding="utf-8")
        for command in (*commands_in_text(text), *(c for b in blocks(text) for c in b.commands)):
            if command.startswith("./pants "):
                found[f"{page.relative_to(ROOT)}: {command}"] = shlex.split(command)[1:]
    return found


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
    # After a goal, its own options are shorter.
    options |= {"--check", "--force", "--from", "--name", "--only", "--resolve", "--transitive"}
    options |= {"--debug-adapter", "--version"}
    commands = {
        f"{name}: {words}": words
        for name in (*YAML_FILES, *JSON_FILES)
        for words in pants_commands(name)
    }
    commands |= commands_of_pages()
    assert len(commands) > 100
    for where, words in commands.items():
        # Words after `--` are for the program that runs.
        for word in words[: words.index("--")] if "--" in words else words:
            if word.startswith("-"):
                assert word.partition("=")[0] in options | {"-ldebug"}, where
            elif not re.search(r"[:/\"$.…]", word) and words[0] != "help":
                assert word in goals, where


@pytest.mark.parametrize("name", CHECKS)
def test_build_servers_run_scripts_that_exist(name: str) -> None:
    named = {
        found
        for text in texts(read(name))
        for found in re.findall(r"(?<![\w/])build-support/ci/\w+", text)
    }
    assert named == {"build-support/ci/changed", "build-support/ci/images"}
    for script in named:
        assert (ROOT / script).stat().st_mode & 0o100


def test_actions_are_pinned_by_commit() -> None:
    folder = ROOT / ".github/workflows"
    used = [
        found
        for path in folder.iterdir()
        for found in re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    ]
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used)


def test_base_images_are_pinned_by_digest() -> None:
    places = (
        "src/*/docker/Dockerfile",
        "build-support/experiment-template/docker/*",
        ".devcontainer/*.json",
    )
    for place in places:
        for path in ROOT.glob(place):
            images = re.findall(
                r'BASE_IMAGE=(\S+)|"image": "([^"]+)"', path.read_text(encoding="utf-8")
            )
            assert images and all(
                re.search("@sha256:[0-9a-f]{64}$", "".join(each)) for each in images
            )


def test_a_build_server_may_only_read() -> None:
    workflow = read(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())


def test_jobs_are_submitted_only_by_hand_and_without_a_secret() -> None:
    workflow = read(SUBMIT)
    # YAML reads the key `on` as a boolean.
    assert list(workflow[True]) == ["workflow_dispatch"]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    pipeline = read("azure-pipelines.yml")
    assert [each["default"] for each in pipeline["parameters"]] == ["none"]
    assert not any("secrets." in text for name in (SUBMIT, *CHECKS) for text in texts(read(name)))
    for job in (workflow["jobs"]["submit"], pipeline["jobs"][1].popitem()[1][0]):
        # The script gets what a person typed as a variable, not as its own text.
        scripts = [text for text in texts(job) if "./pants" in text]
        assert scripts and not any("${{" in text for text in scripts)


def test_build_servers_sign_in_without_another_program() -> None:
    submit = read(SUBMIT)["jobs"]["submit"]["steps"]
    assert not any("azure/login" in text for text in texts(submit))
    (step,) = [step for step in submit if "./pants" in step.get("run", "")]
    assert {"AZURE_CLIENT_ID", "AZURE_TENANT_ID"} <= set(step["env"])
    _, job = read("azure-pipelines.yml")["jobs"][1].popitem()
    (task,) = [step for step in job[0]["steps"] if step.get("task", "").startswith("AzureCLI")]
    # The task does not pass this variable by itself.
    assert task["env"]["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)"


@pytest.fixture
def pull_request(scratch: Scratch) -> Iterator[Callable[[str], str]]:
    """Return a function that runs a script as a pull request into `main` does."""
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    # Every file affects the whole-run tests, this one among them.
    variables = {"PANTS_TAG": "['-integration']"}
    yield lambda script: scratch.bash(f"{script} origin/main", more=variables).stdout
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")


def test_a_pull_request_is_checked_by_what_it_affects(
    scratch: Scratch, pull_request: Callable[[str], str]
) -> None:
    path = f"{EXPERIMENT}/main.py"
    text = (scratch.root / path).read_text()
    with scratch.changed({path: "# A change.\n" + text}):
        output = pull_request("build-support/ci/changed")
    assert f"{EXPERIMENT}/tests/test_main.py:../tests succeeded" in output
    for linter in ("flake8", "azureml-jobs", "mypy"):
        assert f"✓ {linter} succeeded." in output
    assert "src/common/tests" not in output
    assert "Wrote dist/src.example_experiment/job" in output


EDIT, REMOVE, RENAME = "an edit of", "without", "another name for"


@pytest.mark.parametrize(
    "path, change",
    [
        ("pants.toml", EDIT),
        ("build-support/macros/experiment.py", EDIT),
        ("build-support/bootstrap/settings.sh", EDIT),
        ("src/common/figures.py", REMOVE),
        (f"{EXPERIMENT}/model.py", RENAME),
    ],
    ids=lambda value: value,
)
def test_changes_that_pants_cannot_see_affect_everything(
    scratch: Scratch, pull_request: Callable[[str], str], path: str, change: str
) -> None:
    text = (scratch.root / path).read_text()
    changes: dict[str, str | None] = {
        "pants": '#!/bin/sh\necho "$@"\n',
        "build-support/ci/hooks": "#!/bin/sh\n",
    }
    changes[path] = f"{text}# A change.\n" if change == EDIT else None
    if change == RENAME:
        changes[path.replace("model", "other_model")] = text
    with scratch.changed(changes):
        assert "lint check test ::\n" in pull_request("build-support/ci/changed")


def test_images_are_built_when_their_environment_changed(
    scratch: Scratch, pull_request: Callable[[str], str]
) -> None:
    path = f"{EXPERIMENT}/docker/Dockerfile"
    text = (scratch.root / path).read_text()
    with scratch.changed({path: f"{text}# A change.\n"}):
        # Pants' progress goes to stderr. An edit of code does not change the environment that the
        # script compares: image_integration_test.py.
        assert pull_request("build-support/ci/images 2>/dev/null") == f"{EXPERIMENT}:env\n"
    assert len(scratch.git("worktree", "list").splitlines()) == 1
