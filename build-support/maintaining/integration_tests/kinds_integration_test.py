"""Test that users' commands run pipelines and sweeps, here and in Azure ML's stand-in."""

from __future__ import annotations

import json
import re
import shlex
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from browsers import chromium, needs_browser, until
from documents import commands_run_by
from example import EXPERIMENT
from scratch import Scratch, Terminal
from selenium.webdriver.common.by import By

PIPELINE, SWEEP = f"{EXPERIMENT}:pipeline", f"{EXPERIMENT}:sweep"
NAME = r"(\S+) Completed in"
# What MLflow's page asks of a workspace in Azure: the trials of its last sweep, and a figure.
ASKS_PAGE = """
import json, re, subprocess, urllib.request
server = subprocess.Popen(
    ["./pants", "run", ":aml", "--", "ui", "--no-browser"], stdout=subprocess.PIPE, text=True
)
address = re.search(r"http://[^ ]+", server.stdout.readline())[0]
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
)
opener.open(address)
page = address.partition("?")[0]
def search(what, **wanted):
    request = urllib.request.Request(
        f"{page}ajax-api/2.0/mlflow/{what}/search",
        json.dumps({"max_results": 100, **wanted}).encode(),
        {"Content-Type": "application/json"},
    )
    return json.load(opener.open(request))[what]
(experiment,) = search("experiments")
ids = [experiment["experiment_id"]]
newest = {tag["key"]: tag["value"] for tag in search("runs", experiment_ids=ids)[0]["data"]["tags"]}
sweep = newest["mlflow.rootRunId"]
trials = search("runs", experiment_ids=ids, filter=f"tags.mlflow.parentRunId = '{sweep}'")
run = trials[0]["info"]["run_id"]
figure = opener.open(f"{page}get-artifact?path=confusion_matrix.png&run_uuid={run}").read()
metrics = sorted(each["key"] for each in trials[0]["data"]["metrics"])
print("page:", len(trials), metrics, figure[:4])
server.terminate()
"""


@pytest.fixture(scope="module")
def pipeline(scratch: Scratch) -> str:
    """Return the name of the example's pipeline, which has run."""
    printed = [scratch.bash(command).stdout for command in commands_run_by("pipeline")][-1]
    found = re.search(NAME, printed)
    assert found, printed
    return found[1]


def test_an_edit_of_one_step_runs_that_step_alone(scratch: Scratch, pipeline: str) -> None:
    edited = f"{EXPERIMENT}/evaluate.py"
    text = (scratch.root / edited).read_text() + "\n# An edit.\n"
    with scratch.changed({edited: text}):
        printed = scratch.pants("run", PIPELINE).stdout
    assert f"prepare: Completed (reused: {pipeline}_prepare)" in printed
    assert f"train: Completed (reused: {pipeline}_train)" in printed
    assert "evaluate: Running" in printed
    name = re.search(NAME, printed)
    assert name
    shown = scratch.json("run", ":aml", "--", "jobs", "show", name[1], "--json")
    assert [(step["step"], step["status"]) for step in shown["children"]] == [
        (step, "Completed") for step in ("prepare", "train", "evaluate")
    ]
    scores = json.loads(Path(shown["outputs"]["scores"], "scores.json").read_text())
    assert scores["accuracy"] > 0.9


@pytest.fixture(scope="module")
def sweep(scratch: Scratch) -> str:
    """Return the name of the example's sweep, which has run."""
    limits = ("limits.max_total_trials=2", "search_space.epochs.values=[5]")
    settings = [part for limit in limits for part in ("--set", limit)]
    printed = scratch.pants("run", SWEEP, "--", *settings).stdout
    best = re.search(r"^The best trial is (\S+), validation_loss (\S+)\.$", printed, re.MULTILINE)
    assert best, printed
    shown = scratch.json("run", ":aml", "--", "jobs", "show", best[1], "--json")
    assert shown["status"] == "Completed" and shown["parent"] == best[1].rpartition("_")[0]
    return str(shown["parent"])


@needs_browser
def test_a_browser_shows_the_curves_of_a_sweep(
    scratch: Scratch, sweep: str, tmp_path: Path
) -> None:
    (start,) = commands_run_by("test_a_browser_shows_the_curves_of_a_sweep")
    # As if the repository had been somewhere else when the trial ran.
    (meta,) = (scratch.root / ".azureml/mlruns").glob(f"*/{sweep}_0/meta.yaml")
    meta.write_text(meta.read_text().replace(meta.parent.as_uri(), "file:///elsewhere"))
    server = Terminal(scratch, *start.split()[1:], sweep, "--no-browser")
    # MLflow is installed once.
    server.read_until("Ctrl-C ends it.", seconds=600)
    (address,) = re.findall(r"MLflow: (http://127\.0\.0\.1:\d+/\?token=[\w-]+)", server.seen)
    page = address.partition("?")[0]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{page}ajax-api/2.0/mlflow/experiments/get?experiment_id=0")
    with chromium(tmp_path) as browser:

        def shows(*texts: str) -> None:
            until(browser, lambda: all(text in seen() for text in texts))

        def seen() -> str:
            return browser.find_element(By.TAG_NAME, "body").text

        browser.get(address)
        shows(f"{sweep}_0", f"{sweep}_1", "validation_loss", "train_loss")
        # Curves, not single points.
        until(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "path.js-line")) >= 4)
        runs = f"{page}#{browser.current_url.partition('#')[2].partition('?')[0]}"
        browser.get(f"{runs}?searchFilter=&orderByKey=attributes.start_time")
        shows("wine-sweep")
        assert f"{sweep}_0" not in seen()
        browser.find_element(By.CSS_SELECTOR, "[role='gridcell'] button").click()
        shows(f"{sweep}_0")
        browser.get(f"{runs}/{sweep}_0")
        shows("learning_rate", "wine-sweep", "azureml_jobs.commit", "azureml_jobs.snapshot", SWEEP)
        browser.get(f"{runs}/{sweep}_0/artifacts/confusion_matrix.png")
        figure = "img[alt='confusion_matrix.png']"
        until(browser, lambda: browser.find_element(By.CSS_SELECTOR, figure).size["width"] > 200)
    server.type("\x03")
    assert server.status() == 0
    compare = ("run", ":aml", "--", "jobs", "compare", sweep, "--plot", "train_loss")
    assert f"{sweep}_1" in scratch.pants(*compare).stdout
    drawn = scratch.root / ".azureml/downloads/train_loss.png"
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert server.seen.partition("Ctrl-C ends it.")[2].strip() in ("", "^C")


def test_a_pipeline_and_a_sweep_are_submitted(scratch: Scratch, pipeline: str) -> None:
    (command,) = commands_run_by("test_a_pipeline_and_a_sweep_are_submitted")
    record = json.loads((scratch.root / f".azureml/jobs/{pipeline}_train/job.json").read_text())
    sweep = f"./pants run {SWEEP} -- --stream --set limits.max_total_trials=2"
    # The packages that are there: installing them is tested with the job.
    service = f"./pants run :aml -- service --python {shlex.quote(record['python'])}"
    page = f"python3 -c {shlex.quote(ASKS_PAGE)}"
    script = f"{command} && {sweep} && ./pants run :aml -- jobs list && {page}"
    printed = scratch.bash(f"{service} -- bash -c {shlex.quote(script)}").stdout
    for line in ("[prepare] training: 124 rows", "[evaluate] Completed", "[1] Completed"):
        assert line in printed.splitlines(), printed
    metrics = "['accuracy', 'macro_f1', 'train_loss', 'validation_loss']"
    assert f"page: 2 {metrics} b'\\x89PNG'" in printed, printed
    names = re.findall(r"^(\S+) submitted to standin-workspace", printed, re.MULTILINE)
    for name in names:
        assert re.search(rf"^{name} +Completed", printed, re.MULTILINE), printed
    assert len(names) == 2
