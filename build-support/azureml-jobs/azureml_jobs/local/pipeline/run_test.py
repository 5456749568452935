"""Whole pipelines run in the local workspace, as real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.conftest import Gathered, Tool
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.conftest import Jobs
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import job_processes
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import PackagesVenv

STEP = """\
  {name}:
    type: command
    code: ..
    command: {command}
    environment: azureml:e:1
    inputs: {{{inputs}}}
    outputs: {{o: {output}}}
"""


def step(name: str, command: str, *before: str, output: str = "{}", **inputs: str) -> str:
    """Return a step that gets the outputs of earlier ones as `${{inputs.<step>}}`."""
    bound = {each: f"${{{{parent.jobs.{each}.outputs.o}}}}" for each in before} | inputs
    given = ", ".join(f'{key}: "{value}"' for key, value in bound.items())
    return STEP.format(name=name, command=command, inputs=given, output=output)


def pipeline(*steps: str, head: str = "") -> str:
    return f"type: pipeline\n{head}jobs:\n{''.join(steps)}"


class Pipelines:
    """Runs pipelines of one repository as `./pants run` does, and reads what is left of them."""

    def __init__(self, gathered: Gathered, tool: Tool) -> None:
        self.gathered = gathered
        self.tool = tool
        self.workspace = LocalWorkspace(gathered.repository / ".azureml")

    def arguments(self, text: str, *options: str) -> list[str]:
        request = self.gathered.request(text)
        return [str(RUN_SCRIPT), "job", "--request", str(request), "--runtime=venv", *options]

    def run(self, text: str, *options: str, status: int = 0) -> dict[str, str]:
        """Return the statuses of all jobs of the run, by what follows the name of the root."""
        self.done = self.tool.run(*self.arguments(text, *options))
        assert self.done.returncode == status, self.done.stderr
        return self.statuses()

    def start(self, text: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *self.arguments(text, *options)],
            cwd=self.gathered.repository,
            env=self.tool.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def root(self) -> JobFolder:
        record, *_ = [each for each in self.workspace.jobs() if not each.parent]
        return self.workspace.job(record.name)

    def job(self, step: str) -> JobFolder:
        return self.workspace.job(f"{self.root().name}_{step}")

    def statuses(self) -> dict[str, str]:
        root = self.root().name
        return {
            record.name[len(root) + 1 :]: (
                f"{record.status} reused" if record.reused else record.status
            )
            for record in self.workspace.jobs()
            if root in (record.name, record.root)
        }

    def output(self, step: str) -> str:
        return Path(self.job(step).read().outputs["o"], "o").read_text(encoding="utf-8")

    def processes(self) -> list[Any]:
        folders = [str(folder) for folder in self.workspace.jobs_folder.glob("*")]
        return [each for folder in folders for each in job_processes(folder, None)]


@pytest.fixture
def pipelines(gathered: Gathered, tool: Tool) -> Pipelines:
    gathered.venv = PackagesVenv(sys.prefix, "seed")
    gathered.add("src/common/a.py", "print('shared')\n")
    return Pipelines(gathered, tool)


PREPARE = f"{sys.executable} common/a.py > ${{{{outputs.o}}}}/o"
DIAMOND = (
    step("prep", PREPARE),
    step(
        "left", "cat ${{inputs.prep}}/o > ${{outputs.o}}/o; echo left >> ${{outputs.o}}/o", "prep"
    ),
    step("right", "echo torn; exit 3", "prep"),
    step("join", "cat ${{inputs.left}}/o ${{inputs.right}}/o", "left", "right"),
)
MISSING = step("report", "ls", output="{}").replace(
    "inputs: {}", 'inputs: {d: "${{parent.jobs.prep.outputs.o}}/gone"}'
)
REPAIRED = (*DIAMOND[:2], step("right", "cp ${{inputs.prep}}/o ${{outputs.o}}", "prep"), DIAMOND[3])


def test_a_failing_step_stops_its_dependents_only(pipelines: Pipelines) -> None:
    statuses = pipelines.run(pipeline(*DIAMOND, MISSING), status=3)
    assert statuses == {
        "": "Failed",
        "prep": "Completed",
        "left": "Completed",
        "right": "Failed",
        "join": "Canceled",
        "report": "Failed",
    }
    assert pipelines.output("left") == "shared\nleft\n"
    root, right = pipelines.root().read(), pipelines.job("right").read()
    assert root.error == "the steps `right`, `report` did not complete"
    # It needs what no step has written.
    assert "jobs.report.inputs.d: there is no" in str(pipelines.job("report").read().error)
    assert pipelines.job("join").read().error == "not run: `right` did not complete"
    assert (right.parent, right.root, right.step) == (root.name, root.name, "right")
    # Without a terminal there is a line for each change, and the end of the failing step's log.
    lines = [line.partition(" ")[2] for line in pipelines.done.stdout.splitlines()]
    assert lines[0] == f"prep: Running ({root.name}_prep)"
    assert "join: Canceled (not run: `right` did not complete)" in lines
    assert pipelines.root().log.read_text(encoding="utf-8") == pipelines.done.stdout
    assert f"end of the log of {right.name}" in pipelines.done.stderr
    assert "\ntorn\n" in pipelines.done.stderr
    tags = next(pipelines.workspace.mlruns.glob(f"*/{right.name}/tags"))
    assert (tags / "mlflow.parentRunId").read_text(encoding="utf-8") == root.name
    # With the step repaired, only that one and what comes after it run.
    assert pipelines.run(pipeline(*REPAIRED)) == {
        "": "Completed",
        "prep": "Completed reused",
        "left": "Completed reused",
        "right": "Completed",
        "join": "Completed",
    }


def test_a_pipeline_may_end_with_its_first_failure(pipelines: Pipelines) -> None:
    slow = step("slow", "sleep 30")
    head = "settings: {continue_on_step_failure: false}\n"
    statuses = pipelines.run(
        pipeline(slow, step("bad", "exit 4"), step("last", "ls", "slow"), head=head), status=4
    )
    assert statuses == {"": "Failed", "slow": "Canceled", "bad": "Failed", "last": "Canceled"}


INNER = """\
type: pipeline
inputs:
  d: {type: uri_file}
  n: {type: integer, default: 3}
  opt: {type: string, optional: true}
outputs: {deep: {type: uri_file}}
jobs:
  one:
    type: command
    component:
      type: command
      inputs: {d: {type: uri_file}, n: {type: integer}, opt: {type: string, optional: true}}
      outputs: {o: {type: uri_file}}
      environment: azureml:e:1
      command: >-
        cp ${{inputs.d}} ${{outputs.o}};
        echo ${{inputs.n}} $[[opt=${{inputs.opt}}]] >> ${{outputs.o}}
    inputs:
      d: ${{parent.inputs.d}}
      n: ${{parent.inputs.n}}
      opt: ${{parent.inputs.opt}}
    outputs: {o: "${{parent.outputs.deep}}"}
"""
OUTER = """\
type: pipeline
inputs: {table: {type: uri_folder, path: data}}
outputs: {final: {type: uri_file}}
jobs:
  first:
    type: pipeline
    component: ./inner.yaml
    inputs: {d: {type: uri_file, path: "${{parent.inputs.table}}/in.csv"}}
  second:
    type: pipeline
    component: ./inner.yaml
    inputs: {d: "${{parent.jobs.first.outputs.deep}}", n: 4, opt: given}
    outputs: {deep: "${{parent.outputs.final}}"}
"""


def test_pipelines_inside_of_a_pipeline(pipelines: Pipelines) -> None:
    pipelines.gathered.write("src/exp/data/in.csv", "1,2\n")
    pipelines.gathered.write("src/exp/inner.yaml", INNER)
    assert set(pipelines.run(OUTER)) == {"", "first", "first_one", "second", "second_one"}
    final = pipelines.root().read().outputs["final"]
    assert Path(final).read_text(encoding="utf-8") == "1,2\n3\n4 opt=given\n"
    inner = pipelines.job("second_one").read()
    assert inner.parent == pipelines.job("second").name
    assert inner.root == pipelines.root().name


def test_each_step_runs_in_its_own_environment(
    pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = "echo $PATH > ${{outputs.o}}/o"
    # The output `artifacts` is what a step wrote without naming it.
    show = f"{command}; ls ${{{{inputs.left}}}} >> ${{{{outputs.o}}}}/o"
    left = "${{parent.jobs.a.outputs.artifacts}}"
    request = pipelines.gathered.request(
        pipeline(step("a", command, output="{}, artifacts: {}"), step("b", show, left=left))
    )
    content = json.loads(request.read_text())
    for unit in content["units"]:
        prefix = tmp_path / f"venv-{unit['name']}"
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin/python").symlink_to(sys.executable)
        unit["venv"] = {"prefix": str(prefix), "seed": "seed"}
    request.write_text(json.dumps(content))
    monkeypatch.setattr(pipelines.gathered, "request", lambda text: request)
    pipelines.run("")
    for own, other in (("a", "b"), ("b", "a")):
        assert f"{tmp_path}/venv-{own}/bin" in pipelines.output(own)
        assert f"{tmp_path}/venv-{other}/bin" not in pipelines.output(own)
    assert pipelines.output("b").endswith("\nlogs\noutputs\nuser_logs\n")


def test_options_limit_what_runs_at_a_time_and_forbid_reuse(pipelines: Pipelines) -> None:
    alone = "mkdir ../../lock && sleep .2 && rmdir ../../lock"
    text = pipeline(step("a", alone), step("b", alone))
    pipelines.run(text, "--jobs-at-once=1")
    again = pipelines.run(text, "--jobs-at-once=1", "--no-cache")
    assert again == {"": "Completed", "a": "Completed", "b": "Completed"}


def test_reports_missing_data_before_anything_starts(pipelines: Pipelines) -> None:
    text = pipeline(step("a", "ls"), step("b", "cat ${{inputs.d}}")).replace(
        "inputs: {}\n    outputs: {o: {}}\n", "inputs: {d: {path: gone}}\n"
    )
    done = pipelines.tool.run(*pipelines.arguments(text))
    assert done.returncode == 2
    assert "src/exp/azure-ml-job.yaml: jobs.a.inputs.d.path: gone does not exist" in done.stderr
    assert not pipelines.workspace.root.exists()


@pytest.mark.parametrize(
    ("is_killed", "status", "root"),
    [(False, 143, "Canceled"), (True, -signal.SIGKILL, "Failed")],
    ids=["canceled", "killed"],
)
def test_whatever_ends_a_pipeline_ends_its_steps(
    pipelines: Pipelines, is_killed: bool, status: int, root: str
) -> None:
    steps = (step(name, "sleep 60 & sleep 60") for name in ("a", "b"))
    text = pipeline(*steps, step("c", "ls", "a"))
    process = pipelines.start(text, "--jobs-at-once=2")
    expected = {"": root, "a": "Canceled", "b": "Canceled"}
    try:
        # Both run next to each other, each as a shell with two others.
        Jobs.until(lambda: len(pipelines.processes()) >= 6)
        if is_killed:
            process.kill()
        else:
            cancel(pipelines.root())
            expected["c"] = "Canceled"
        assert process.wait(15) == status
        Jobs.until(lambda: not pipelines.processes() and pipelines.statuses() == expected)
    finally:
        process.kill()


COMPONENT = """\
type: command
name: reader
code: ..
command: cat common/a.py ${{inputs.model}}/o ${{inputs.file}} > ${{outputs.o}}/o
environment: azureml:e:1
inputs:
  model: {type: custom_model}
  file: {type: uri_file}
outputs: {o: {type: uri_folder}}
"""
READS = """\
type: pipeline
outputs: {whole: {type: uri_folder, name: whole}}
jobs:
  read:
    type: command
    component: azureml:reader@latest
    inputs:
      model: {type: custom_model, path: azureml:net:1}
      file: {type: uri_file, path: azureml://jobs/JOB_prep/outputs/o/paths/o}
    outputs: {o: "${{parent.outputs.whole}}"}
"""


def test_a_registered_component_reads_a_model_and_the_output_of_an_earlier_job(
    pipelines: Pipelines,
) -> None:
    named = step("prep", PREPARE, output="{type: custom_model, name: net}")
    pipelines.run(pipeline(named))
    first = pipelines.root().name
    done = pipelines.tool.run(*pipelines.arguments(COMPONENT))
    assert done.stdout.startswith("azureml:reader:1 registered in the local workspace")
    # The step has the code that the component was registered with.
    pipelines.gathered.write("src/common/a.py", "print('edited')\n")
    assert pipelines.run(READS.replace("JOB", first)) == {"": "Completed", "read": "Completed"}
    assert pipelines.output("read") == "print('shared')\nshared\nshared\n"
    kept = pipelines.gathered.repository / "data/whole/1/o"
    assert kept.read_text(encoding="utf-8") == pipelines.output("read")
