"""Test that `run` reports a user's mistakes with status 2, and `package` with the same text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch


def edited(scratch: Scratch, old: str, new: str) -> dict[str, str | None]:
    text = (scratch.root / JOB_FILE).read_text()
    assert old in text
    return {JOB_FILE: text.replace(old, new)}


MISTAKES = [
    pytest.param(
        lambda scratch: edited(scratch, "example_experiment.main", "example_experiment.mian"),
        [f"{JOB_FILE}: command", "example_experiment.mian"],
        id="missing module",
    ),
    pytest.param(
        lambda scratch: {MAIN: (scratch.root / MAIN).read_text() + "\ndef f(:\n"},
        [f"{MAIN}:", "this is not valid Python (", "`def f(:`"],
        id="invalid Python",
    ),
    pytest.param(
        lambda scratch: {MAIN: (scratch.root / MAIN).read_text() + "\nimport lightgbm  # noqa\n"},
        [
            f"{MAIN}:",
            "the module `lightgbm`",
            "3rdparty/python/experiments-requirements.txt",
            "`./pants sync-lockfiles --resolve=experiments`",
        ],
        id="import without an owner",
    ),
    pytest.param(
        lambda scratch: {JOB_FILE: None},
        [JOB_FILE, "no such file"],
        id="missing job file",
    ),
]


@pytest.mark.parametrize("changes, message", MISTAKES)
def test_reports_a_mistake_before_anything_is_written(
    scratch: Scratch,
    changes: Callable[[Scratch], Mapping[str, str | None]],
    message: list[str],
) -> None:
    with scratch.changed(changes(scratch)):
        before = scratch.job_folders()
        ran = scratch.pants("run", JOB, status=2)
        assert ran.stdout == "" and scratch.job_folders() == before
    check_message(ran.stderr, message)


def test_reports_the_same_mistake_in_other_goals(scratch: Scratch) -> None:
    with scratch.changed(edited(scratch, "compute:", "computer:")):
        for goal in (["run", JOB, "--", "--dry-run"], ["package", JOB]):
            ran = scratch.pants(*goal, status=1 if goal[0] == "package" else 2)
            check_message(ran.stderr, [f"{JOB_FILE}: computer", "`compute`"])
            assert "Wrote" not in ran.stderr


def check_message(printed: str, message: list[str]) -> None:
    assert not [text for text in message if text not in printed], printed
    assert "Traceback" not in printed


def test_reports_an_import_without_an_owner_wherever_the_file_is_used(scratch: Scratch) -> None:
    message = f"{EXPERIMENT}/local.py:1: no package of the resolve `experiments`"
    model = f"{EXPERIMENT}/model.py"
    changes = {
        f"{EXPERIMENT}/local.py": "import lightgbm  # noqa\n",
        model: "import lightgbm  # noqa\n" + (scratch.root / model).read_text(),
    }
    with scratch.changed(changes):
        script = scratch.pants("run", f"{EXPERIMENT}:local", status=2)
        image = scratch.pants("package", f"{EXPERIMENT}:env", status=1)
        lint = scratch.pants("lint", "--only=unowned-imports", f"{EXPERIMENT}::", status=1)
    assert message in script.stderr and message in lint.stderr
    assert f"{model}:1: no package" in image.stderr
    # One line for each of the two files, and no warning from Pants.
    assert script.stderr.count("has the module `lightgbm`") == 2


def test_lint_reports_all_errors_of_a_job_file_at_once(scratch: Scratch) -> None:
    valid = scratch.pants("lint", "--only=azureml-jobs", JOB)
    assert "✓ azureml-jobs succeeded." in valid.stderr
    changes = edited(scratch, "example_experiment.main", "example_experiment.mian")
    text = (changes[JOB_FILE] or "").replace("compute:", "computer:")
    text = text.replace("azureml:cpu-cluster", "<cluster-name>")
    text = text.replace("${{inputs.epochs}}", "${{inputs.epoch}}")
    with scratch.changed({JOB_FILE: text}):
        ran = scratch.pants("lint", "--only=azureml-jobs", JOB, status=1)
    assert [line for line in ran.stderr.splitlines() if line.startswith(JOB_FILE)] == [
        f"{JOB_FILE}: command: it runs example_experiment.mian, which does not exist.",
        f"{JOB_FILE}: computer: unknown key `computer`.",
        f"{JOB_FILE}: computer: the placeholder `<cluster-name>` is not replaced yet.",
        f"{JOB_FILE}: command: `${{{{inputs.epoch}}}}` names no input of this job.",
        f"{JOB_FILE}: inputs.epochs: the command never uses this input.",
    ]
    assert "✕ azureml-jobs failed." in ran.stderr


def test_reports_an_invalid_override(scratch: Scratch) -> None:
    before = scratch.job_folders()
    setting = "command=python -m example_experiment.other"
    ran = scratch.pants("run", JOB, "--", "--set", setting, status=2)
    assert "example_experiment.other" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert scratch.job_folders() == before


def test_reports_an_invalid_command_for_jobs(scratch: Scratch) -> None:
    ran = scratch.pants("run", ":aml", "--", "jobs", "lsit", status=2)
    assert "Traceback" not in ran.stderr
    assert "list" in ran.stderr


def test_rejects_a_secret_in_the_code_without_repeating_it(scratch: Scratch) -> None:
    main = (scratch.root / MAIN).read_text()
    secret = "ghp_" + "a1B2" * 9
    with scratch.changed({MAIN: f'{main}\nTOKEN = "{secret}"\n'}):
        ran = scratch.pants("run", JOB, status=2)
    assert f"{MAIN}:" in ran.stderr
    assert secret not in ran.stderr + ran.stdout


def test_reports_a_partly_configured_workspace(scratch: Scratch) -> None:
    ran = scratch.pants("run", JOB, status=2, more={"RESOURCE_GROUP": "mine"})
    assert "config.env: SUBSCRIPTION_ID" in ran.stderr


@pytest.mark.parametrize("target", [JOB, f"{EXPERIMENT}:local", ":aml"])
def test_targets_print_their_help(scratch: Scratch, target: str) -> None:
    if target.endswith(":local"):
        assert "--epochs" in scratch.pants("run", target, "--", "--help").stdout
    else:
        assert "usage: ./pants run" in scratch.pants("run", target, "--", "--help").stdout


def test_the_help_of_a_target_type_names_fields_and_options(scratch: Scratch) -> None:
    text = scratch.pants("help", "azureml_job").stdout
    assert "entry_point" in text and "--dry-run" in text
