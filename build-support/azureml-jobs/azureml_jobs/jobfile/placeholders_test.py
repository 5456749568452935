from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.placeholders import check_placeholders


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({"compute": "<azure-ml-cluster-name>"}, id="the whole value"),
        pytest.param({"compute": "azureml:<cluster>"}, id="after azureml:"),
        pytest.param({"environment": "azureml:<env>:<version>"}, id="two in one value"),
        pytest.param({"environment": {"image": "<registry>.azurecr.io/x"}}, id="within a name"),
        pytest.param(
            {"inputs": {"d": {"path": "azureml://datastores/<store>/paths/x"}}}, id="a path"
        ),
        pytest.param({"resources": {"locations": ["<region>"]}}, id="in a list"),
        pytest.param({"jobs": {"a": {"compute": "<cluster>"}}}, id="in a step"),
        pytest.param({"tags": {"owner": "<your name>"}}, id="addressed to the reader, in a tag"),
        pytest.param({"inputs": {"x": "<some-value>"}}, id="with a hyphen, as a literal"),
        pytest.param({"environment_variables": {"KEY": "<CHANGEME>"}}, id="changeme"),
    ],
)
def test_finds_what_is_not_filled_in(job: dict[str, Any]) -> None:
    with pytest.raises(JobError, match="is not replaced yet"):
        check_placeholders(job, "job.yaml")


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({"command": "python a.py <in.txt >out.txt"}, id="redirections"),
        pytest.param({"command": "cat <in-put.txt> out"}, id="a redirection like a placeholder"),
        pytest.param({"description": "uses <your-cluster>"}, id="a description"),
        pytest.param({"inputs": {"x": {"description": "a <name-of-it>"}}}, id="of an input"),
        pytest.param({"jobs": {"a": {"command": "cat <in-put.txt> out"}}}, id="in a step"),
        pytest.param({"tags": {"a": "a < b > c"}}, id="comparisons"),
        pytest.param({"inputs": {"token": "<pad>"}}, id="a token of a language model"),
        pytest.param({"inputs": {"token": "<|end_of_text|>"}}, id="another such token"),
        pytest.param({"inputs": {"html": "<b>bold</b>"}}, id="markup"),
        pytest.param({"inputs": {"x": {"value": "<s>"}}}, id="a literal with a value key"),
        pytest.param({"inputs": {"x": 5}, "outputs": {"y": None}}, id="no text at all"),
        pytest.param({"compute": "azureml:cluster"}, id="a real name"),
        pytest.param({"name": "$(date)-${X}"}, id="shell variables"),
        pytest.param({"environment": {"conda_file": {"a": ["b<2,c>1"]}}}, id="versions"),
    ],
)
def test_leaves_ordinary_text_alone(job: dict[str, Any]) -> None:
    check_placeholders(job, "job.yaml")


def test_names_the_key_and_what_to_write() -> None:
    with pytest.raises(JobError) as caught:
        check_placeholders({"compute": "azureml:<azure-ml-cluster-name>"}, "job.yaml")
    assert str(caught.value) == (
        "job.yaml: compute: the placeholder `<azure-ml-cluster-name>` is not replaced yet.\n\n"
        "Write your own value for `<azure-ml-cluster-name>`, for example "
        "`compute: azureml:my-cluster`, in the file or by `--set compute=…`."
    )


def test_names_all_of_them_at_once() -> None:
    with pytest.raises(JobError, match="2 errors"):
        check_placeholders({"compute": "<cluster>", "name": "<name>"}, "job.yaml")
