"""An online endpoint serves a registered model, from its creation to its deletion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import Client, faults


def run(client: Client, *arguments: str) -> int:
    return client.run_aml("endpoints", *arguments)


def test_serves_a_registered_model(client: Client) -> None:
    model = ("net", "--path", "src/exp/data", "--type", "mlflow_model")
    assert client.run_aml("models", "register", *model) == 0
    # An answer that is lost, and a token that has expired, are met once each.
    client.add_fault(faults.RESET_AFTER, "PUT", "/onlineEndpoints/wine[?]")
    client.add_fault(faults.EXPIRED_TOKEN, "PUT", "/deployments/blue")
    assert run(client, "create", "wine", "--model", "azureml:net:1") == 0
    line = client.printed().out.splitlines()[-1]
    assert line.split()[:4] == ["wine", "Succeeded", "key", "blue=100"]
    url = line.split()[4]
    sent = client.requests("PUT", "/deployments/blue")[-1].content["properties"]
    assert sent["model"].endswith("/models/net/versions/1")
    assert client.requests("PUT", "/deployments/blue")[-1].content["sku"]["capacity"] == 1
    assert (
        run(client, "create", "wine", "--model", "azureml:net@latest", "--deployment", "green") == 0
    )
    assert "blue=100" in client.printed().out
    assert run(client, "traffic", "wine", "blue=90", "green=10") == 0
    assert run(client, "list", "--json") == 0
    out = client.printed().out
    assert out.startswith("wine: blue=90 green=10\n")
    row = {"name": "wine", "state": "Succeeded", "auth_mode": "key", "url": url}
    assert json.loads(out.partition("\n")[2]) == [{**row, "traffic": {"blue": 90, "green": 10}}]
    Path("request.json").write_text('[{"x": 1}]')
    assert run(client, "invoke", "wine", "--request", "request.json", "--deployment", "green") == 0
    assert json.loads(client.printed().out) == {"deployment": "green", "request": [{"x": 1}]}
    assert run(client, "keys", "wine") == 0
    assert client.printed().out.startswith("primary_key: ")
    assert run(client, "traffic", "wine", "blue=100") == 0
    assert run(client, "delete", "wine", "--deployment", "green") == 0
    assert run(client, "delete", "wine") == 0
    assert run(client, "list") == 0
    assert "There are no endpoints." in client.printed().out


def test_serves_what_a_file_describes(client: Client) -> None:
    client.run_aml("models", "register", "net", "--path", "src/exp/data")
    client.put_environment()
    Path("scoring").mkdir()
    Path("scoring/score.py").write_text("def init(): pass\ndef run(data): return data\n")
    Path("deployment.yaml").write_text(
        "name: other\nendpoint_name: other\nmodel: azureml:net:1\n"
        "code_configuration: {code: scoring, scoring_script: score.py}\n"
        "environment: azureml:curated:1\ninstance_type: Standard_F4s_v2\ninstance_count: 2\n"
    )
    file = ("--file", "deployment.yaml")
    assert run(client, "create", "wine", *file, "--instance-type", "Standard_F8s_v2") == 0
    assert "azure-ai-ml sends every file in" in client.printed().err
    sent = client.requests("PUT", "/onlineEndpoints/wine/deployments/blue")[-1].content
    assert sent["sku"]["capacity"] == 2 and "/codes/" in str(sent["properties"])
    assert sent["properties"]["instanceType"] == "Standard_F8s_v2"
    Path("deployment.yaml").write_text("instance_count: many\n")
    assert run(client, "create", "wine", "--file", "deployment.yaml") == 2
    assert "deployment.yaml: azure-ai-ml refuses it:" in client.printed().err


def test_sends_no_secret_of_what_a_file_describes(client: Client) -> None:
    key = "AK" + "IA" + "ABCD1234" * 2
    for name, text in {
        "d.yaml": (
            "name: x\nendpoint_name: x\nmodel: {path: net}\n"
            f"environment_variables: {{K: {key}}}\n"
            "code_configuration: {code: scoring, scoring_script: score.py}\n"
            "environment: {image: x, conda_file: conda.yaml}\n"
        ),
        "scoring/score.py": f"KEY = '{key}'\n",
        "scoring/.amlignore": "left_out.py\n",
        "scoring/left_out.py": f"KEY = '{key}'\n",
        "conda.yaml": f"dependencies: [python=3.11]\nvariables: {{K: {key}}}\n",
        "net/.env": "",
    }.items():
        Path("serve", name).parent.mkdir(parents=True, exist_ok=True)
        Path("serve", name).write_text(text)
    file = ("--file", "serve/d.yaml", "--instance-type", "x", "--instance-count", "1")
    assert run(client, "create", "wine", *file) == 2
    error = client.printed().err
    assert "serve/d.yaml: the deployment would contain what looks like a secret:" in error
    found = [line.split(": ")[0] for line in error.splitlines() if line.startswith("  ")]
    assert found == [f"  serve/{name}" for name in ("d.yaml:4", "scoring/score.py:1")] + [
        *("  serve/conda.yaml:2", "  serve/net/.env")
    ]
    assert key not in error and not client.requests("PUT", "/onlineEndpoints/wine")
    assert client.run_aml("data", "register", "x", "--path", "serve/net") == 2
    assert "  serve/net/.env: a file of this name" in client.printed().err
    allowed = ("--path", "serve/net", "--allow", "serve/net")
    assert client.run_aml("data", "register", "x", *allowed) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("keys none", "none: standin-workspace has no such endpoint", id="none"),
        pytest.param("delete none", "standin-workspace has no such endpoint", id="not there"),
        pytest.param("create wine", "wine: nothing to serve is named", id="no model"),
        pytest.param("create wine --model azureml:none:1", "has no such model", id="unknown"),
        pytest.param("create wine --model custom", "type custom_model needs a scoring", id="type"),
        pytest.param("create wine --file none.yaml", "none.yaml: there is no such", id="no file"),
        pytest.param("invoke wine --request none", "none: there is no such file", id="no request"),
        pytest.param("traffic wine blue=90 g=20", "no percentages that make 100", id="too much"),
        pytest.param("traffic wine blue", "no percentages that make 100", id="no share"),
    ],
)
def test_reports_what_to_write(client: Client, arguments: str, message: str) -> None:
    client.run_aml("models", "register", "custom", "--path", "src/exp/data")
    assert run(client, *arguments.split()) == 2
    assert message in client.printed().err


def test_there_are_none_here(client: Client) -> None:
    assert run(client, "list", "--local") == 2
    assert "the local workspace has no endpoints" in client.printed().err
