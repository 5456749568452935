from __future__ import annotations

from typing import Any

from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.placeholders import placeholder_findings


@cases(
    "job",
    {
        "the whole value": {"compute": "<azure-ml-cluster-name>"},
        "after azureml:": {"compute": "azureml:<cluster>"},
        "two in one value": {"environment": "azureml:<env>:<version>"},
        "within a name": {"environment": {"image": "<registry>.azurecr.io/x"}},
        "a path": {"inputs": {"d": {"path": "azureml://datastores/<store>/paths/x"}}},
        "in a list": {"resources": {"locations": ["<region>"]}},
        "in a step": {"jobs": {"a": {"compute": "<cluster>"}}},
        "addressed to the reader, in a tag": {"tags": {"owner": "<your name>"}},
        "with a hyphen, as a literal": {"inputs": {"x": "<some-value>"}},
        "changeme": {"environment_variables": {"KEY": "<CHANGEME>"}},
    },
)
def test_finds_what_is_not_filled_in(job: dict[str, Any]) -> None:
    (finding,) = placeholder_findings(job)
    assert finding.what.endswith("is not replaced yet")


@cases(
    "job",
    {
        "redirections": {"command": "python a.py <in.txt >out.txt"},
        "a redirection like a placeholder": {"command": "cat <in-put.txt> out"},
        "a description": {"description": "uses <your-cluster>"},
        "of an input": {"inputs": {"x": {"description": "a <name-of-it>"}}},
        "in a step": {"jobs": {"a": {"command": "cat <in-put.txt> out"}}},
        "comparisons": {"tags": {"a": "a < b > c"}},
        "a token of a language model": {"inputs": {"token": "<pad>"}},
        "another such token": {"inputs": {"token": "<|end_of_text|>"}},
        "markup": {"inputs": {"html": "<b>bold</b>"}},
        "a literal with a value key": {"inputs": {"x": {"value": "<s>"}}},
        "no text at all": {"inputs": {"x": 5}, "outputs": {"y": None}},
        "a real name": {"compute": "azureml:cluster"},
        "shell variables": {"name": "$(date)-${X}"},
        "versions": {"environment": {"conda_file": {"a": ["b<2,c>1"]}}},
    },
)
def test_leaves_ordinary_text_alone(job: dict[str, Any]) -> None:
    assert placeholder_findings(job) == []


def test_names_the_key_and_what_to_write() -> None:
    (finding,) = placeholder_findings({"compute": "azureml:<azure-ml-cluster-name>"})
    assert str(finding.as_error("job.yaml")) == (
        "job.yaml: compute: the placeholder `<azure-ml-cluster-name>` is not replaced yet.\n\n"
        "Write your own value for `<azure-ml-cluster-name>`, for example "
        "`compute: azureml:my-cluster`, in the file or by `--set compute=…`."
    )


def test_names_all_of_them_at_once() -> None:
    findings = placeholder_findings({"compute": "<cluster>", "name": "<name>"})
    assert [each.key_path for each in findings] == ["compute", "name"]
