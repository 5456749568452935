"""Test that usual mistakes are reported: where, what is wrong, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch

BUILD = f"{EXPERIMENT}/BUILD"
PACKAGES = "3rdparty/python/experiments-requirements.txt"
SECRET = "ghp_" + "a1B2" * 9
RUN = f"run {JOB}"


@dataclass(frozen=True)
class Slip:
    """A command, after `old` in a file became `new`; without `old`, `new` is added at its end.

    `message` says where, what, and what to write.
    """

    command: str
    message: tuple[str, ...]
    file: str = ""
    old: str = ""
    new: str = ""
    status: int = 2

    def changes(self, scratch: Scratch) -> dict[str, str | None]:
        if not self.file:
            return {}
        text = (scratch.root / self.file).read_text()
        assert self.old in text
        new = text.replace(self.old, self.new, 1) if self.old else f"{text}\n{self.new}\n"
        return {self.file: new}


def in_build(old: str, new: str, *message: str) -> Slip:
    return Slip("list src::", message, BUILD, old, new, status=1)


def in_job(old: str, new: str, key: str, *message: str) -> Slip:
    return Slip(RUN, (f"{JOB_FILE}: {key}", *message), JOB_FILE, old, new)


def typed(command: str, *message: str) -> Slip:
    return Slip(command, message)


SLIPS = {
    # Pants reads BUILD files, and its status is 1.
    "an open bracket": in_build(
        "experiment(", "experiment([", f"{BUILD}:", "parenthesis '['", "on line "
    ),
    "an unknown name": in_build(
        "experiment(", "experimnt(", f"{BUILD}:", "'experimnt' is not", "Did you mean experiment?"
    ),
    "an unknown argument": in_build(
        "experiment(",
        "experiment(entrypoint='main.py',",
        *(
            f"{BUILD}:",
            "experiment() has no entrypoint",
            "Write one of these: job_file, jobs",
        ),
    ),
    "a string in place of a list": in_build(
        "experiment(",
        "experiment(files='*.csv',",
        *(f"{BUILD}:", "files is a list", 'Write files=["*.csv"].'),
    ),
    "an unknown field": in_build(
        "",
        "azureml_job(name='x', sourc='x.yaml')",
        *(f"{BUILD}:", "Unrecognized field `sourc=x.yaml`", "Valid fields for the target type"),
    ),
    "another name of a job file": Slip(
        f"run {EXPERIMENT}:sweep",
        (f"{EXPERIMENT}/swep.yaml", "there is no such file", "or name another one in the target's"),
        *(BUILD, "sweep.yaml", "swep.yaml"),
    ),
    # Job files.
    "a tab": in_job(
        "inputs:\n", "inputs:\n\ta: 1\n", "line ", "not valid YAML", "spaces, not by tabs. Write"
    ),
    "a colon in a value": in_job(
        "type: command",
        "type: command\ndescription: a: b",
        *("line ", "not valid YAML", "Write `description: 'a: b'`."),
    ),
    "an unknown key": in_job("compute:", "computer:", "computer", "unknown key", "`compute`"),
    "an unknown input": in_job(
        "inputs.epochs}", "inputs.epoch}", "command", "names no input", "Did you mean `epochs`?"
    ),
    "one pair of braces": in_job(
        "${{inputs.epochs}}",
        "${inputs.epochs}",
        *("command", "`${inputs.epochs}` has one pair", "Write `${{inputs.epochs}}`."),
    ),
    "a placeholder": in_job(
        "cpu-cluster", "<name>", "compute", "`<name>` is not replaced", "`--set compute=…`"
    ),
    "missing data": in_job(
        "sample-data/wine.csv",
        "sample-data/beer.csv",
        *("inputs.training_data", "beer.csv does not exist", "Put the data there, or write"),
    ),
    "a missing module": in_job(
        "example_experiment.main",
        "example_experiment.mian",
        *("command", "it runs example_experiment.mian, which", "mean `example_experiment.main`?"),
    ),
    "a layout in which imports fail": in_job(
        "code: ..", "code: .", "command", "`example_experiment.main`", "`python -m main`, or `code"
    ),
    # Commands.
    "no `--`": typed(f"{RUN} --stream", "--stream is for", "follows `--`", f"{JOB} -- --stream"),
    "a missing folder": typed(
        "run src/example:job", "src/example.", "there is no", f"./pants run {JOB}\n"
    ),
    "an input as an option": typed(
        f"{RUN} -- --epochs 5", "--epochs", "has no such option", "Write `--set inputs.epochs=5`."
    ),
    "a value of another type": typed(
        f"{RUN} -- --set inputs.epochs=many",
        *(f"{JOB_FILE}: inputs.epochs", "expects an integer", "Write for example `--set inputs."),
    ),
    "an unknown command": typed(
        "run :aml -- jobs lsit", "./pants run :aml -- jobs", "invalid choice: 'lsit'", "'list', "
    ),
    # Configuration.
    "one value of three": Slip(
        RUN,
        ("config.env: SUBSCRIPTION_ID", "RESOURCE_GROUP is set", "or clear the others"),
        *("config.env", "RESOURCE_GROUP=<resource-group>", "RESOURCE_GROUP=mine"),
    ),
    "a misspelt key": Slip(
        RUN,
        ("config.env: RESOURCEGROUP", "there is no such key", "Did you mean `RESOURCE_GROUP`?"),
        *("config.env", "", "RESOURCEGROUP=mine"),
    ),
    # Code.
    "invalid Python": Slip(
        RUN, (f"{MAIN}:", "not valid Python", "Correct it"), MAIN, "", "def f(:"
    ),
    "a package that is not in the list": Slip(
        RUN,
        (f"{MAIN}:", "the module `lightgbm`", "`./pants sync-lockfiles --resolve=experiments`"),
        *(MAIN, "", "import lightgbm  # noqa"),
    ),
    "a secret": Slip(
        RUN, (f"{MAIN}:", "what looks like a secret", "--allow"), MAIN, "", f'TOKEN = "{SECRET}"'
    ),
    # Packages.
    "an option in the list": Slip(
        "sync-lockfiles",
        (f"{PACKAGES}:", "the option `-r` has no", "Write the lines"),
        PACKAGES,
        "",
        "-r more.txt",
    ),
    "an invalid limit": Slip(
        "sync-lockfiles", (f"{PACKAGES}:", "six=>1", "Write"), PACKAGES, "", "six=>1"
    ),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_reports_a_slip_before_anything_is_written(scratch: Scratch, slip: Slip) -> None:
    with scratch.changed(slip.changes(scratch)):
        before = scratch.job_folders()
        ran = scratch.pants(*slip.command.split(), status=slip.status)
        assert ran.stdout == "" and scratch.job_folders() == before
    check_message(ran.stderr, slip.message)
    assert SECRET not in ran.stderr


def test_reports_the_same_mistake_in_other_goals(scratch: Scratch) -> None:
    slip = SLIPS["an unknown key"]
    with scratch.changed(slip.changes(scratch)):
        for goal in (["run", JOB, "--", "--dry-run"], ["package", JOB]):
            ran = scratch.pants(*goal, status=1 if goal[0] == "package" else 2)
            check_message(ran.stderr, slip.message)
            assert "Wrote" not in ran.stderr


def check_message(printed: str, message: tuple[str, ...]) -> None:
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
    text = SLIPS["a missing module"].changes(scratch)[JOB_FILE] or ""
    text = text.replace("compute:", "computer:")
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


@pytest.mark.parametrize("target", [JOB, f"{EXPERIMENT}:local", ":aml"])
def test_targets_print_their_help(scratch: Scratch, target: str) -> None:
    if target.endswith(":local"):
        assert "--epochs" in scratch.pants("run", target, "--", "--help").stdout
    else:
        assert "usage: ./pants run" in scratch.pants("run", target, "--", "--help").stdout


def test_the_help_of_a_target_type_names_fields_and_options(scratch: Scratch) -> None:
    text = scratch.pants("help", "azureml_job").stdout
    assert "entry_point" in text and "--dry-run" in text
