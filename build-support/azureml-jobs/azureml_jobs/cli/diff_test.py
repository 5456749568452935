"""`:aml -- jobs diff` and the short form of it in `jobs show`, on jobs that the tool made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.cli import aml
from azureml_jobs.cli import main as cli
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.protocol import PackagesVenv

JOB = """\
experiment_name: exp
code: ..
command: python -m exp.main --epochs ${{inputs.epochs}} --data ${{inputs.table}}
inputs:
  epochs: 3
  table: {type: uri_file, path: a.csv}
environment: {build: {path: docker}}
limits: {timeout: 90}
"""


STEP = "{type: command, code: .., command: python -m exp.main %s, environment: azureml:%s}"
PIPELINE = f"""\
type: pipeline
experiment_name: exp
jobs:
  train: {STEP}
  score: {{type: command, code: .., command: ls, environment: azureml:e:1, inputs: {{n: %s}}}}
"""


class Repository:
    def __init__(self, gathered: Gathered, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gathered = gathered
        monkeypatch.chdir(gathered.repository)
        monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(folder / "command"))
        self.monkeypatch = monkeypatch

    def start(self, name: str, *settings: str, loss: float = 0.5, job: str = JOB) -> str:
        """Make a job by the tool, and the values that its run would log."""
        request = str(self.gathered.request(job))
        with_name = ("--set", f"name={name}")
        sets = [part for setting in settings for part in ("--set", setting)]
        assert cli.main(["job", "--request", request, "--runtime=venv", *with_name, *sets]) == 0
        folder = JobFolder(self.gathered.repository / ".azureml/jobs" / name)
        run = next(folder.mlruns.glob(f"*/{name}"), None)
        if run is None:
            store = MlflowStore(folder.mlruns)
            run = store.create_run(store.ensure_experiment("exp"), name, name, {}, "2026-01-01")
        (run / "metrics/loss").write_text(f"1 0.9 0\n2 {loss} 1\n")
        return name

    def aml(self, *arguments: str) -> int:
        return aml.run_aml(["--repository", str(self.gathered.repository), "jobs", *arguments])


@pytest.fixture
def repository(
    gathered: Gathered, venv: PackagesVenv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    gathered.add_code()
    gathered.add("src/exp/weights.bin", b"\xff\x00")
    gathered.write("src/exp/a.csv", "1\n")
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    return Repository(gathered, tmp_path, monkeypatch)


def change_everything(gathered: Gathered) -> None:
    gathered.write("src/exp/main.py", "import common.a\nprint('two')\n")
    gathered.write("src/exp/weights.bin", b"\xff\x01")
    gathered.add("src/exp/new.py", "N = 1\n")
    gathered.locked = "numpy==2.4.7 --hash=sha256:01\nscipy==1.16.0 --hash=sha256:02\n"
    gathered.write("src/exp/a.csv", "2\n")
    gathered.write("src/exp/docker/Dockerfile", "FROM y\n")


def different(repository: Repository, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert repository.aml("diff", "a", "b", "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["parts"]
    return found


def test_tells_jobs_apart_by_each_part(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.start("a")
    change_everything(repository.gathered)
    command = "command=python -m exp.main --fast"
    repository.start("b", "inputs.epochs=5", "limits.timeout=91", command, loss=0.25)
    found = different(repository, capsys)
    assert {part: [each["name"] for each in changes] for part, changes in found.items()} == {
        "code": ["exp/main.py", "exp/weights.bin", "exp/new.py"],
        "packages": ["numpy", "scipy"],
        "image": ["Dockerfile"],
        "command": ["command"],
        "inputs": ["epochs"],
        "data": ["table"],
        "settings": ["limits.timeout"],
        "parameters": [],
        "metrics": ["loss"],
        "tools": [],
    }
    diffs = [each["diff"] for each in found["code"]]
    assert diffs[0].splitlines()[1:] == [" import common.a", "+print('two')"]
    assert diffs[1:] == ["binary files differ", "@@ -0,0 +1 @@\n+N = 1"]
    values = [(each["a"], each["b"]) for each in (*found["packages"], *found["metrics"])]
    assert values == [("2.4.6", "2.4.7"), (None, "1.16.0"), (0.5, 0.25)]


def test_tells_the_steps_of_pipelines_apart(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.gathered.files = [(*each[:3], ("train",)) for each in repository.gathered.files]
    repository.start("a", job=PIPELINE % ("--slow", "e:1", 1))
    repository.gathered.write("src/exp/main.py", "print('two')\n")
    repository.start("b", job=PIPELINE % ("--fast", "e:2", 2))
    found = different(repository, capsys)
    names = {part: [each["name"] for each in changes] for part, changes in found.items()}
    assert {part: each for part, each in names.items() if each} == {
        "code": ["train/exp/main.py"],
        "image": ["train: environment"],
        "command": ["train: command"],
        "settings": ["jobs.score.inputs.n"],
    }
    assert found["code"][0]["diff"].endswith("+print('two')")


def test_hides_the_values_of_environment_variables(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.start("a", "environment_variables.LEVEL=one", "environment_variables.OLD=one")
    repository.start("b", "environment_variables.LEVEL=two")
    names = ("environment_variables.LEVEL", "environment_variables.OLD")
    assert different(repository, capsys)["settings"] == [
        {"name": names[0], "a": "hidden", "b": "hidden", "diff": ""},
        {"name": names[1], "a": "hidden", "b": None, "diff": ""},
    ]


def test_prints_both_jobs_next_to_each_other(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.start("a")
    repository.gathered.write("src/common/a.py", "A = 2\n")
    repository.start("b", "inputs.epochs=5", loss=0.5000001)
    repository.monkeypatch.setenv("COLUMNS", "72")
    capsys.readouterr()
    assert repository.aml("diff", "a", "b") == 0
    shown = capsys.readouterr().out
    head, _, rest = shown.partition("\n\n")
    assert head.splitlines()[0].split() == ["a", "b"]
    assert all(len(line) <= 72 for line in shown.splitlines())
    lines = rest.splitlines()
    assert [line.split() for line in lines[:5]] == [
        *(["inputs"], ["epochs", "3", "5"], []),
        *(["metrics"], ["loss", "0.5", "0.5000001"]),
    ]
    assert lines[-6:] == [
        "  common/a.py",
        "@@ -1 +1 @@",
        "-A = 1",
        "+A = 2",
        "",
        "The same: packages, image, command, data, settings, parameters, tools.",
    ]


def test_shows_a_job_with_what_differs_from_the_one_before_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.start("a")
    change_everything(repository.gathered)
    repository.start("b", "inputs.epochs=5", loss=0.25)
    capsys.readouterr()
    assert repository.aml("show", "b") == 0
    shown = capsys.readouterr().out.partition("\ncompared with a, ")[2].partition("\n\n")[0]
    assert shown.splitlines() == [
        "the job of this target before it",
        "  code        exp/main.py, exp/weights.bin, + exp/new.py",
        "  packages    numpy 2.4.6 → 2.4.7, + scipy 1.16.0",
        *(line for line in shown.splitlines() if line.startswith("  image ")),
        "  inputs      epochs 3 → 5",
        *(line for line in shown.splitlines() if line.startswith("  data ")),
        "  metrics     loss 0.5 → 0.25",
        "  in full     ./pants run :aml -- jobs diff a b",
    ]
    assert repository.aml("show", "a") == 0
    assert "compared with" not in capsys.readouterr().out


def test_compares_what_was_logged_where_a_record_is_missing(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.start("a")
    repository.start("b", loss=0.25)
    (repository.gathered.repository / ".azureml/jobs/a/bundle/manifest.json").unlink()
    capsys.readouterr()
    assert repository.aml("diff", "a", "b") == 0
    printed = capsys.readouterr()
    assert "warning: only what the jobs logged is compared: a: the job has no record" in printed.err
    assert printed.out.endswith(
        "\nThe same: inputs, parameters.\n"
        "Not known: code, packages, image, command, data, settings, tools.\n"
    )
