"""Submissions to the stand-in service, by real HTTPS and with the real azure-ai-ml."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from azureml_jobs.azure import sdk
from azureml_jobs.azure.blobs import file_md5
from azureml_jobs.azure.conftest import JOB, SNAPSHOT, Client, assert_one_whole_job, faults
from azureml_jobs.base.version import TOOLS_VERSION


def test_a_job_is_made_of_what_the_bundle_holds(client: Client) -> None:
    assert client.submit(JOB, "inputs.epochs=9") == 0
    out, err = client.printed()
    (job,) = client.jobs()
    known = job["properties"]
    assert err == ""
    assert re.fullmatch(r"exp-[0-9a-f]{8}-\d{8}-\d{6}", job["name"])
    assert out.startswith(
        f"{job['name']} submitted to standin-workspace in standin-group (environment variables), "
        "signed in by Azure CLI\n"
    )
    assert "  snapshot     3 files, 22 B sent\n" in out
    assert "  environment  2 files, 37 B sent\n" in out
    assert "  input data   2 files, 4 B sent\n" in out
    assert f"  studio       {client.service.url}/runs/{job['name']}?wsid=/subscriptions/" in out
    agents = {each.headers["user-agent"] for each in client.requests() if each.kind != "sign-in"}
    assert all(f"azureml-jobs/{TOOLS_VERSION}" in agent for agent in agents), agents
    assert known["experimentName"] == "exp"
    assert known["inputs"]["epochs"]["value"] == "9"
    assert known["computeId"].endswith("/computes/cpu-cluster")
    assert known["properties"]["azureml_jobs.address"] == "src/exp:job"
    assert len(known["properties"]["azureml_jobs.environment"]) == 64
    assert client.snapshot(job) == SNAPSHOT
    assert client.program_calls() == [
        f"az account get-access-token --output json --resource {client.service.url}"
    ]
    # Nothing is left of a submission that has ended.
    assert list((client.repository / ".azureml/submissions").iterdir()) == []


def test_the_address_is_printed_where_no_browser_opens(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = SimpleNamespace(open=lambda *_: True)
    monkeypatch.setattr("webbrowser._browsers", {"the user's": [None, browser]})
    for browsers in ([], ["the user's"]):
        monkeypatch.setattr("webbrowser._tryorder", browsers)
        assert client.submit(web=True) == 0
        err = client.printed().err
        assert (f"The job is at {client.service.url}/runs/" in err) == (not browsers)


def test_not_a_byte_is_sent_again(client: Client) -> None:
    assert client.submit() == 0
    client.printed()
    client.service.recording.clear()
    assert client.submit() == 0
    out = client.printed().out
    assert out.count("unchanged, nothing sent") == 4
    assert len(client.jobs()) == 2
    sent = [each for each in client.requests() if each.request_bytes]
    # The job itself; and the questions how the datastore and its account are reached.
    paths = [(each.method, each.path.rpartition("/")[2]) for each in sent]
    assert paths == [("POST", "listSecrets")] * 2 + [("PUT", client.jobs()[-1]["name"])]
    assert client.requests(kind="blob", method="PUT") == []


def test_the_environment_is_made_once_for_each_content(client: Client) -> None:
    assert client.submit() == 0
    client.gathered.add("src/exp/more.py", "1\n")
    assert client.submit() == 0
    assert len(client.requests("PUT", "/environments/")) == 1
    client.gathered.write("src/exp/docker/Dockerfile", "FROM y\n")
    assert client.submit() == 0
    made = {job["properties"]["environmentId"] for job in client.jobs()}
    assert len(made) == 2
    assert all(re.search(r"/environments/env-[0-9a-f]{12}/versions/1$", each) for each in made)


def test_build_contexts_whose_names_and_contents_join_alike_are_both_sent(client: Client) -> None:
    """azure-ai-ml's hash of a folder has no separators."""
    contents = []
    for files in ({"a": "b", "c": "d"}, {"a": "bcd"}):
        client.gathered.context_files = ["src/exp/docker/Dockerfile"]
        for name, text in files.items():
            client.gathered.add_context(f"src/exp/docker/{name}", text)
        assert client.submit() == 0
    for job in client.jobs():
        name = job["properties"]["environmentId"].split("/")[-3]
        uri = client.asset("environments", name)["build"]["contextUri"]
        path = uri.split("/azureml-blobstore-standin/")[1]
        blobs = client.service.blobs.blobs("azureml-blobstore-standin", path)
        contents.append({b.name[len(path) :]: b.file.read_text() for b in blobs})
    expected = {"Dockerfile": "FROM x\n", "requirements.txt": contents[0]["requirements.txt"]}
    assert {**expected, "a": "b", "c": "d"} in contents
    assert {**expected, "a": "bcd"} in contents


def test_odd_names_and_ignore_files_arrive_as_they_are(client: Client) -> None:
    odd = ["src/exp/größe #1?&%41.txt", "src/exp/a+b.txt", "src/exp/'q'.txt"]
    files = dict.fromkeys(odd, "x") | {"src/exp/.amlignore": "*\n", "src/exp/.gitignore": "*.py\n"}
    for name, text in files.items():
        client.gathered.add(name, text)
    assert client.submit() == 0
    sent = {f"src/{name}": content for name, content in client.snapshot(client.jobs()[0]).items()}
    assert {name: text.encode() for name, text in files.items()}.items() <= sent.items()
    assert {"src/exp/main.py", "src/exp/__init__.py", "src/common/a.py"} <= set(sent)


def test_a_large_file_goes_up_in_blocks(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml_jobs.azure.send_files.SINGLE_PUT_BYTES", 1000)
    monkeypatch.setattr("azureml_jobs.azure.send_files.BLOCK_BYTES", 300)
    content = bytes(range(256)) * 5
    client.gathered.write("src/exp/data/large", content)
    assert client.submit() == 0
    blocks = client.requests("PUT", "comp=block&")
    assert len([each for each in blocks if each.path.endswith("/data/large")]) == 5
    (blob,) = [
        each
        for each in client.service.blobs.blobs("azureml-blobstore-standin")
        if each.name.endswith("/data/large")
    ]
    assert blob.file.read_bytes() == content
    assert blob.md5 == file_md5(blob.file)


@pytest.mark.parametrize("credentials", ["AccountKey", "Sas", "None"])
def test_every_kind_of_datastore_takes_what_is_sent(client: Client, credentials: str) -> None:
    client.service.control.datastore_credentials = credentials
    if credentials == "None":
        # Then the user's own account writes, with a token for storage.
        client.use(client.service.client.direct("secret"))
    assert client.submit() == 0
    assert len(client.requests("PUT", "/LocalUpload/", kind="blob")) == 4


def test_a_name_stands_for_one_content(client: Client) -> None:
    # azure-ai-ml makes it lower-case.
    assert client.submit(JOB, "name=Mine") == 0
    client.printed()
    assert client.submit(JOB, "name=Mine") == 0
    assert "The workspace has it already" in client.printed().out
    assert client.submit(JOB, "name=Mine", "inputs.epochs=8") == 2
    assert "mine: standin-workspace has another job of this name already" in client.printed().err
    client.gathered.write("src/exp/data/a.csv", "2\n")
    assert client.submit(JOB, "name=Mine") == 2
    assert [job["name"] for job in client.jobs()] == ["mine"]


def test_a_name_may_be_as_long_as_azure_ml_allows(client: Client) -> None:
    name = "n" * 255
    assert client.submit(JOB, f"name={name}") == 0
    assert [job["name"] for job in client.jobs()] == [name]


def test_a_job_of_the_same_second_elsewhere_is_not_taken_for_ours(client: Client) -> None:
    first = client.create_submission()
    assert client.send(first) == 0
    # As another clone of the repository would make it at the same moment.
    second = client.create_submission()
    client.change_submission(second, name=first.path.name)
    assert client.send(second) == 0
    names = [job["name"] for job in client.jobs()]
    assert len(names) == 2 and names[1].startswith(f"{first.path.name}-")


def test_a_killed_submission_is_continued(client: Client) -> None:
    client.add_fault("status", "PUT", "/jobs/", status=400)
    folder = client.create_submission()
    assert client.send(folder) == 1
    again = client.create_submission(JOB, stream=False, timings=True)
    assert again.path == folder.path
    assert client.send(again) == 0
    assert [job["name"] for job in client.jobs()] == [folder.path.name]
    new = client.create_submission().read()
    assert new is not None and not new.is_started


@pytest.mark.parametrize(
    ("request_of", "said"),
    [
        pytest.param(("GET", "/codes/"), "No command job was made. ", id="before"),
        pytest.param(("PUT", "/jobs/"), " may have been made: ", id="amid"),
    ],
)
def test_ctrl_c_says_whether_there_is_a_job(
    client: Client, request_of: tuple[str, str], said: str
) -> None:
    # An import that is interrupted leaves this process without it.
    sdk.import_sdk()
    rule = client.add_fault(faults.SLOW, *request_of, seconds=1.5)

    def interrupt() -> None:
        client.until(lambda: rule.hits)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    assert client.submit() == 130
    assert said in client.printed().err
    client.service.faults.clear()
    assert client.submit() == 0
    # The service goes on with what it has received.
    client.until(lambda: all(each.seconds for each in client.requests(*request_of)))
    assert_one_whole_job(client)


def test_what_another_process_sends_is_left_to_it(client: Client) -> None:
    folder = client.create_submission()
    client.change_submission(folder, is_started=True)
    with folder.held() as is_ours:
        assert is_ours
        assert client.create_submission().path != folder.path


def test_reports_what_the_service_refuses(client: Client) -> None:
    assert client.submit(JOB.replace("cpu-cluster", "gone")) == 1
    err = client.printed().err
    assert "the service did not take the command job: (UserError) Unknown compute target" in err
    assert err.count("/computes/gone") == 1
    assert "Traceback" not in err


def test_data_with_a_circle_of_links_is_refused_before_anything_is_sent(client: Client) -> None:
    (client.repository / "src/exp/data/below/up").symlink_to("..")
    assert client.submit() == 1
    err = client.printed().err
    assert "the data could not be read: Too many levels of symbolic links" in err
    assert client.jobs() == []
    assert client.requests("PUT", "/LocalUpload/.*/data/") == []


def test_reports_the_parts_of_the_time(client: Client) -> None:
    assert client.submit(JOB, timings=True) == 0
    lines = client.printed().out.partition("\n\n")[2].splitlines()
    first, *reported, last = [re.split(r" {2,}", line)[0] for line in lines]
    assert (first, last) == ("part", "in all")
    assert {"signing in", "import of azure-ai-ml", "snapshot", "making the job"} <= {*reported}


def test_credentials_of_the_remote_are_not_sent(client: Client) -> None:
    for command in (
        ["init", "-q"],
        ["remote", "add", "origin", "https://me:secret@host.example/a/b.git"],
    ):
        subprocess.run(["git", *command], cwd=client.repository, check=True)
    assert client.submit() == 0
    client.monkeypatch.delenv("AZUREML_GIT_REPOSITORY_URI", raising=False)
    properties = client.jobs()[0]["properties"]["properties"]
    assert properties["mlflow.source.git.repoURL"] == "https://host.example/a/b.git"


def test_a_run_of_the_tool_submits(client_with_jobs: Client, tmp_path: Path) -> None:
    """All of it, in its own processes, as `./pants` starts them."""
    client = client_with_jobs
    request = client.gathered.request(JOB)
    known = json.loads(request.read_text())
    known["azure"] = {"prefix": str(tmp_path / "venv"), "seed": "seed"}
    request.write_text(json.dumps(known))
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    process = client.process(
        *("job", "--request", str(request), "--name", "by-a-process", "--tag", "a.b=c", "--stream"),
        *("--display-name", "Ours", "--compute", "cpu-cluster"),
        stderr=subprocess.PIPE,
    )
    _, err = process.communicate(timeout=60)
    job = client.service.jobs.stored("by-a-process")
    assert (job["name"], job["properties"]["displayName"]) == ("by-a-process", "Ours")
    assert job["properties"]["tags"] == {"a.b": "c"}
    # The module reads no arguments and ends well.
    assert process.returncode == 0, err
    assert re.sub(r"(?m)^[\d:]{8} \w+\n", "", err) == "by-a-process Completed\n"
