"""Test JupyterLab in an experiment's image and without one, with a real browser."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import needs_engine
from browsers import chromium, needs_browser, until
from documents import commands_run_by
from example import EXPERIMENT
from images import BUILD_ARGUMENTS, containers
from scratch import Scratch, Terminal, wait_for
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

pytestmark = needs_browser

MODULE = "src/common/seen_in_notebooks.py"
CELL = """\
import importlib, os
import common.seen_in_notebooks as seen, numpy, example_experiment.model
importlib.reload(seen)
print("cell says", seen.WORD, os.listdir("../data"), numpy.__file__)
"""


def notebook(source: str) -> str:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "first",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    return json.dumps(
        {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path) as started:
        yield started


def cells(browser: webdriver.Chrome) -> list[WebElement]:
    """Return the visible cells."""
    found = browser.find_elements(By.CSS_SELECTOR, ".jp-CodeCell .cm-content")
    return [each for each in found if each.is_displayed()]


def output_of_cell(browser: webdriver.Chrome) -> str:
    found = browser.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output")
    return " ".join(each.text for each in found)


def run_cell(browser: webdriver.Chrome, word: str) -> str:
    """Run the cell until its output contains `word`, and return the output."""

    # While the kernel is still starting, a key press is lost.
    def has_run() -> bool:
        if f"cell says {word}" in output_of_cell(browser):
            return True
        for cell in cells(browser):
            cell.click()
        ActionChains(browser).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(
            Keys.CONTROL
        ).perform()
        return False

    until(browser, has_run)
    return output_of_cell(browser)


@pytest.mark.parametrize(
    "runtime, packages",
    [
        pytest.param("docker", "/opt/venv/lib/", marks=needs_engine),
        pytest.param("venv", "/pex_root/venvs/"),
    ],
)
def test_a_notebook_runs_on_the_repository_s_files(
    scratch: Scratch, browser: webdriver.Chrome, runtime: str, packages: str
) -> None:
    in_docker = runtime == "docker"
    if in_docker:
        scratch.pants("package", f"{EXPERIMENT}:env", BUILD_ARGUMENTS)
    files = {
        MODULE: 'WORD = "first"\n',
        "notebooks/seen.ipynb": notebook(CELL),
        "data/seen.csv": "1\n",
    }
    with scratch.changed(files):
        (start,) = commands_run_by("test_a_notebook_runs_on_the_repository_s_files")
        server = Terminal(scratch, f"--azureml-runtime={runtime}", *start.split()[1:])
        # JupyterLab is installed once.
        server.read_until("Ctrl-C ends it.", seconds=600)
        (url,) = re.findall(r"JupyterLab: (http://127\.0\.0\.1:\d+/lab)\?token=[\w-]+", server.seen)
        (token,) = re.findall(r"\?token=([\w-]+)", server.seen)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{url.rpartition('/lab')[0]}/api/contents", timeout=20)
        # Pants runs other commands meanwhile.
        assert scratch.pants("list", "src/common:").stdout

        browser.get(f"{url}/tree/notebooks/seen.ipynb?token={token}")
        until(browser, lambda: cells(browser))
        output = run_cell(browser, "first")
        assert "seen.csv" in output
        assert packages in output
        # The server itself prints nothing.
        assert re.search(rf"Runtime: {runtime}.*\s+JupyterLab: http\S+\s+Ctrl-C ends", server.seen)
        # The notebook sees an edit on the host at once.
        (scratch.root / MODULE).write_text('WORD = "second"\n')
        run_cell(browser, "second")

        assert not in_docker or len(containers("jupyter-")) == 1
        server.type("\x03")
        assert server.status() == 0
        if in_docker:
            wait_for(lambda: not containers("jupyter-"), "the end of the container")
        assert list((scratch.root / ".azureml/local").iterdir()) == []
