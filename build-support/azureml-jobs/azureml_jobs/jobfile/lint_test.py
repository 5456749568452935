from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.cli import main as cli
from azureml_jobs.conftest import JOB, cases
from azureml_jobs.jobfile.lint import findings_text, lint_jobs
from azureml_jobs.protocol import JobToLint, LintRequest

PATH = "src/exp/azure-ml-job.yaml"


def lint(
    folder: Path, text: str, errors: tuple[str, ...] = (), scripts: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The findings in a job file of this text, below `folder`."""
    file = folder / PATH
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return lint_jobs(LintRequest((JobToLint(PATH, errors, scripts),)), folder)


def test_finds_nothing_in_a_sound_job(tmp_path: Path) -> None:
    assert lint(tmp_path, JOB) == ()


@cases(
    "job, start",
    {
        "an unknown key": (f"comand: x\n{JOB}", f"{PATH}: comand: unknown key"),
        "a wrong value": (f"compute: 5\n{JOB}", f"{PATH}: compute: expects"),
        "placeholder": (f"compute: azureml:<name>\n{JOB}", f"{PATH}: compute: the placeholder"),
        "a reference to nothing": (
            JOB.replace("--epochs", "${{outputs.model}} --epochs"),
            f"{PATH}: command: `${{{{outputs.model}}}}` names no output",
        ),
        "an unused input": (
            JOB.replace("--epochs ${{inputs.epochs}}", "--epochs 3"),
            f"{PATH}: inputs.epochs: the command never uses this input",
        ),
        "a repeat": (f"compute: azureml:a\ncompute: azureml:b\n{JOB}", f"{PATH}: the same key"),
        "no YAML": ("a: b: c", f"{PATH}: line 1, column 5: not valid YAML"),
        "another kind of job": (f"type: horovod\n{JOB}", f"{PATH}: type: "),
    },
)
def test_finds(tmp_path: Path, job: str, start: str) -> None:
    (finding,) = lint(tmp_path, job)
    assert finding.startswith(start)


def test_finds_what_is_wrong_in_a_component_that_a_pipeline_names(tmp_path: Path) -> None:
    (tmp_path / "src/exp/parts").mkdir(parents=True)
    (tmp_path / "src/exp/parts/a.yml").write_text("command: ls ${{inputs.x}}\n")
    pipeline = "type: pipeline\njobs: {a: {type: command, component: parts/a.yml}}\n"
    findings = lint(tmp_path, pipeline)
    assert [finding.partition(".\n\n")[0] for finding in findings] == [
        "src/exp/parts/a.yml: environment: this key is missing",
        "src/exp/parts/a.yml: command: `${{inputs.x}}` names no input of this job",
    ]


def test_finds_bindings_of_a_pipeline_to_what_is_not_there(tmp_path: Path) -> None:
    step = "type: command, command: ls, environment: 'azureml:e:1'"
    bound = "inputs: {x: '${{parent.jobs.b.outputs.o}}'}"
    pipeline = f"{{type: pipeline, jobs: {{a: {{{step}, {bound}}}}}}}"
    (finding,) = lint(tmp_path, pipeline)
    assert "jobs.a.inputs.x: `${{parent.jobs.b.outputs.o}}` names no step" in finding


def test_reports_all_findings_of_all_kinds_at_once(tmp_path: Path) -> None:
    job = JOB.replace("inputs.epochs", "inputs.epoch").replace("environment", "enviroment")
    findings = lint(tmp_path, f"compute: <name>\n{job}", errors=("a: first.",))
    assert [finding.partition(".\n\n")[0] for finding in findings] == [
        "a: first.",
        f"{PATH}: enviroment: unknown key `enviroment`",
        f"{PATH}: compute: the placeholder `<name>` is not replaced yet",
        f"{PATH}: command: `${{{{inputs.epoch}}}}` names no input of this job",
        f"{PATH}: inputs.epochs: the command never uses this input",
    ]


def test_does_not_look_for_data(tmp_path: Path) -> None:
    job = JOB.replace("epochs: 3", "epochs: {type: uri_file, path: ../../data/not-here.csv}")
    assert lint(tmp_path, job) == ()


def test_reports_a_file_of_two_targets_once(tmp_path: Path) -> None:
    lint(tmp_path, f"comand: x\n{JOB}")
    job = JobToLint(PATH, ("a: first.",), ())
    assert len(lint_jobs(LintRequest((job, job)), tmp_path)) == 2


def test_leaves_files_that_are_missing_or_not_text_to_pants(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff")
    jobs = (JobToLint("gone.yaml", ("gone.yaml: gone.",), ()), JobToLint("binary.yaml", (), ()))
    assert lint_jobs(LintRequest(jobs), tmp_path) == ("gone.yaml: gone.",)


@cases(
    "script, count",
    {"reads them": ('os.environ["AZURE_ML_INPUT_" + name]', 0), "does not": ("os.environ", 1)},
)
def test_data_may_be_found_by_the_variables_of_azure_ml(
    tmp_path: Path, script: str, count: int
) -> None:
    (tmp_path / "main.py").write_text(script)
    job = "environment: azureml:env:1\ncommand: python main.py\ninputs:\n  wine: {path: wine.csv}\n"
    assert len(lint(tmp_path, job, scripts=("main.py",))) == count


def test_prints_a_finding_as_a_line_with_what_to_do_below() -> None:
    findings = ("a.yaml: x: wrong.\n\nWrite:\ny", "b.yaml: bad.")
    assert findings_text(findings) == "a.yaml: x: wrong.\n  Write:\n  y\nb.yaml: bad.\n"
    assert findings_text(()) == ""


@pytest.mark.parametrize(("more", "status"), [("", 0), ("comand: x\n", 1)])
def test_the_status_is_that_of_other_linters(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: str,
    status: int,
) -> None:
    (tmp_path / "job.yaml").write_text(more + JOB)
    request = LintRequest((JobToLint("job.yaml", (), ()),))
    (tmp_path / "request.json").write_bytes(request.to_json())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lint", "--request", "request.json"]) == status
    assert ("job.yaml: comand: unknown key" in capsys.readouterr().out) == bool(status)
