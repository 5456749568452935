"""Test that usual mistakes are reported: where, what is wrong, and what to write instead.

One or two of each kind: the tests of the tools have all messages.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch

BUILD = f"{EXPERIMENT}/BUILD"
SECRET = "ghp_" + "a1B2" * 9
RUN = f"run {JOB}"


@dataclass(frozen=True)
class Slip:
    """A command, after `old` in a file became `new`; without `old`, `new` is added at its end.

    `message` says where, what, and what to write.
    """

    command: str
    message: tuple[str, ...]
    file: str
    old: str
    new: str
    status: int = 2

    def changes(self, scratch: Scratch) -> dict[str, str | None]:
        text = (scratch.root / self.file).read_text()
        assert self.old in text
        new = text.replace(self.old, self.new, 1) if self.old else f"{text}\n{self.new}\n"
        return {self.file: new}


UNKNOWN_KEY = (f"{JOB_FILE}: computer", "unknown key", "`compute`")
SLIPS = {
    # Pants reads BUILD files, and its status is 1.
    "an unknown name": Slip(
        "list src::",
        (f"{BUILD}:", "'experimnt' is not", "Did you mean experiment?"),
        *(BUILD, "experiment(", "experimnt("),
        status=1,
    ),
    "an unknown argument": Slip(
        "list src::",
        (f"{BUILD}:", "experiment() has no entrypoint", "Write one of these: job_file, jobs"),
        *(BUILD, "experiment(", "experiment(entrypoint='main.py',"),
        status=1,
    ),
    "another name of a job file": Slip(
        f"run {EXPERIMENT}:sweep",
        (f"{EXPERIMENT}/swep.yaml", "there is no such file", "or name another one in the target's"),
        *(BUILD, "sweep.yaml", "swep.yaml"),
    ),
    "an unknown key": Slip(RUN, UNKNOWN_KEY, JOB_FILE, "compute:", "computer:"),
    "an unknown key, in a bundle": Slip(
        f"package {JOB}", UNKNOWN_KEY, JOB_FILE, "compute:", "computer:", status=1
    ),
    "missing data": Slip(
        RUN,
        (f"{JOB_FILE}: inputs.training_data", "beer.csv does not exist", "Put the data there, or"),
        *(JOB_FILE, "sample-data/wine.csv", "sample-data/beer.csv"),
    ),
    "a missing module": Slip(
        RUN,
        (f"{JOB_FILE}: command", "it runs example_experiment.mian, which", "experiment.main`?"),
        *(JOB_FILE, "example_experiment.main", "example_experiment.mian"),
    ),
    "a layout in which imports fail": Slip(
        RUN,
        (f"{JOB_FILE}: command", "`example_experiment.main`", "`python -m main`, or `code"),
        *(JOB_FILE, "code: ..", "code: ."),
    ),
    "one value of three": Slip(
        RUN,
        ("config.env: SUBSCRIPTION_ID", "RESOURCE_GROUP is set", "or clear the others"),
        *("config.env", "RESOURCE_GROUP=<resource-group>", "RESOURCE_GROUP=mine"),
    ),
    "invalid Python": Slip(
        RUN, (f"{MAIN}:", "not valid Python", "Correct it"), MAIN, "", "def f(:"
    ),
    "a secret": Slip(
        RUN, (f"{MAIN}:", "what looks like a secret", "--allow"), MAIN, "", f'TOKEN = "{SECRET}"'
    ),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_reports_a_slip_before_anything_is_written(scratch: Scratch, slip: Slip) -> None:
    with scratch.changed(slip.changes(scratch)):
        before = scratch.job_folders()
        ran = scratch.pants(*slip.command.split(), status=slip.status)
        assert ran.stdout == "" and scratch.job_folders() == before
    assert not [text for text in slip.message if text not in ran.stderr], ran.stderr
    assert not [text for text in ("Traceback", "Wrote", SECRET) if text in ran.stderr], ran.stderr


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


def test_the_help_of_a_target_type_names_fields_and_options(scratch: Scratch) -> None:
    text = scratch.pants("help", "azureml_job").stdout
    assert "entry_point" in text and "--dry-run" in text
