from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import (
    AzureWorkspace,
    configured_workspace,
    may_need_azure,
)
from azureml_jobs.bundle.clean_tree import check_clean_tree

WORKSPACE = AzureWorkspace("1234", "my-group", "my-workspace")
TEMPLATE = "SUBSCRIPTION_ID=<subscription-id>\nRESOURCE_GROUP=<resource-group>\nWORKSPACE=<w>\n"
FULL = "SUBSCRIPTION_ID=1234\nRESOURCE_GROUP=my-group\nWORKSPACE=my-workspace\n"


def configured(
    folder: Path, text: str | bytes, environment: dict[str, str] | None = None
) -> AzureWorkspace | None:
    (folder / "config.env").write_bytes(text.encode() if isinstance(text, str) else text)
    return configured_workspace(folder, environment=environment or {})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEMPLATE, id="placeholders"),
        pytest.param("", id="an empty file"),
        pytest.param("SUBSCRIPTION_ID=\nRESOURCE_GROUP\nWORKSPACE=''\n", id="empty values"),
        pytest.param("# SUBSCRIPTION_ID=1234\n", id="comments"),
        pytest.param("OTHER=1\n", id="other keys"),
    ],
)
def test_takes_the_local_workspace_when_none_is_named(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text) is None


def test_takes_the_local_workspace_without_a_file(tmp_path: Path) -> None:
    assert configured_workspace(tmp_path, environment={}) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FULL, id="plain"),
        pytest.param(FULL.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param("\ufeff" + FULL, id="a mark of Windows at the beginning"),
        pytest.param(FULL.replace("=", " = "), id="blanks"),
        pytest.param(FULL.replace("1234", "'1234'").replace("my-group", '"my-group"'), id="quotes"),
        pytest.param(FULL.replace("1234", '" 1234 "'), id="blanks in quotes"),
        pytest.param(FULL.replace("\n", "  # mine\n"), id="comments behind"),
        pytest.param("export " + FULL.replace("\n", "\nexport ").rstrip("export "), id="export"),
        pytest.param(f"# mine\n\n{FULL}OTHER=${{HOME}}\n", id="other lines"),
        pytest.param(FULL.rstrip(), id="no line end"),
        pytest.param(TEMPLATE + FULL, id="the last of several"),
    ],
)
def test_reads_the_workspace(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text) == WORKSPACE


def test_takes_values_as_they_stand(tmp_path: Path) -> None:
    workspace = configured(tmp_path, FULL.replace("1234", "a$HOME${X}"), {"X": "1"})
    assert workspace is not None and workspace.subscription_id == "a$HOME${X}"


@pytest.mark.parametrize("text", [TEMPLATE, ""], ids=["placeholders", "nothing"])
def test_prefers_the_environment(tmp_path: Path, text: str) -> None:
    environment = {
        "SUBSCRIPTION_ID": "1234",
        "RESOURCE_GROUP": "my-group",
        "WORKSPACE": "my-workspace",
    }
    assert configured(tmp_path, text, environment) == WORKSPACE
    workspace = configured(tmp_path, FULL, {"WORKSPACE": "other", "RESOURCE_GROUP": ""})
    assert workspace == AzureWorkspace("1234", "my-group", "other")


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        pytest.param(
            FULL.replace("my-workspace", "<workspace>"),
            "WORKSPACE",
            "SUBSCRIPTION_ID and RESOURCE_GROUP are set, but WORKSPACE is not",
            id="one is missing",
        ),
        pytest.param(
            "WORKSPACE=my-workspace",
            "SUBSCRIPTION_ID",
            "WORKSPACE is set, but SUBSCRIPTION_ID and RESOURCE_GROUP are not",
            id="two are missing",
        ),
    ],
)
def test_says_what_to_write_when_a_part_is_missing(
    tmp_path: Path, text: str, key: str, what: str
) -> None:
    with pytest.raises(JobError) as caught:
        configured(tmp_path, text)
    assert caught.value.status == 2
    assert str(caught.value) == (
        f"config.env: {key}: {what}.\n\n"
        f"Write `{key}=…`, or clear the others to run jobs in the local workspace."
    )


def test_a_build_server_s_folder_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text(TEMPLATE)
    environment = {"WORKSPACE": "/var/lib/jenkins/workspace/x"}
    assert configured_workspace(tmp_path, environment=environment) is None


def test_refuses_a_file_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"config.env: not text in UTF-8 \(byte 16\)"):
        configured(tmp_path, "SUBSCRIPTION_ID=ü".encode("latin-1"))


@pytest.mark.parametrize(
    ("line", "cloud"),
    [
        ("", "AzureCloud"),
        ("CLOUD=<cloud>", "AzureCloud"),
        ("CLOUD=azurechinacloud", "AzureChinaCloud"),
        ("CLOUD=AzureUSGovernment", "AzureUSGovernment"),
        ("CLOUD=https://arm.private.example/", "https://arm.private.example"),
        ("CLOUD=private", "private"),
    ],
)
def test_reads_the_cloud(tmp_path: Path, line: str, cloud: str) -> None:
    workspace = configured(tmp_path, FULL + line)
    assert workspace is not None and workspace.cloud == cloud


def test_refuses_a_cloud_that_is_not_encrypted(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="config.env: CLOUD: http://arm is not encrypted"):
        configured(tmp_path, f"{FULL}CLOUD=http://arm")


def test_a_profile_is_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text(FULL + "CLOUD=AzureChinaCloud")
    (tmp_path / "config.prod.env").write_text(FULL.replace("my-workspace", "prod"))
    workspace = configured_workspace(tmp_path, "prod", {})
    assert workspace == AzureWorkspace("1234", "my-group", "prod", source="config.prod.env")


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("dev", "--profile dev: there is no file config.dev.env.\n\nProfiles that exist: empty."),
        ("../x", "there is no file config.../x.env"),
        ("empty", "config.empty.env: SUBSCRIPTION_ID: the profile names no workspace yet"),
    ],
)
def test_a_profile_that_is_named_has_to_be_there(
    tmp_path: Path, profile: str, message: str
) -> None:
    (tmp_path / "config.empty.env").write_text(TEMPLATE)
    with pytest.raises(JobError) as caught:
        configured_workspace(tmp_path, profile, {})
    assert message in str(caught.value)


def test_a_profile_may_demand_that_all_is_committed(tmp_path: Path) -> None:
    (tmp_path / "config.prod.env").write_text(f"{FULL}REQUIRE_CLEAN_TREE=true")
    workspace = configured_workspace(tmp_path, "prod", {})
    with pytest.raises(JobError, match="git does not tell"):
        check_clean_tree(workspace, tmp_path)
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    check_clean_tree(workspace, tmp_path)
    (tmp_path / "new file").write_text("")
    with pytest.raises(JobError, match="takes only what is committed.*\n  new file\\."):
        check_clean_tree(workspace, tmp_path)
    check_clean_tree(AzureWorkspace("1", "g", "w"), tmp_path)


def test_refuses_another_answer_than_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="REQUIRE_CLEAN_TREE: `perhaps` is not valid here"):
        configured(tmp_path, f"{FULL}REQUIRE_CLEAN_TREE=perhaps")


@pytest.mark.parametrize(
    ("text", "environment", "arguments", "expected"),
    [
        pytest.param(TEMPLATE, {}, [], False, id="placeholders"),
        pytest.param("", {"SUBSCRIPTION_ID": "1"}, [], True, id="the environment"),
        pytest.param(FULL, {}, ["--local"], False, id="local"),
        pytest.param(TEMPLATE, {}, ["--profile=prod"], True, id="a profile"),
        pytest.param(TEMPLATE, {}, ["service", "--", "x", "--local"], True, id="the stand-in"),
        *[
            pytest.param(text, {}, [], True, id=repr(text))
            for text in (FULL, "export SUBSCRIPTION_ID = '1'", 'A=1\n SUBSCRIPTION_ID="1"')
        ],
        pytest.param("# SUBSCRIPTION_ID=1", {}, [], False, id="a comment"),
        pytest.param("SUBSCRIPTION_ID=\nA=1", {}, [], False, id="empty"),
    ],
)
def test_knows_beforehand_what_may_need_azure(
    text: str, environment: dict[str, str], arguments: list[str], expected: bool
) -> None:
    assert may_need_azure([text], environment, arguments) is expected
