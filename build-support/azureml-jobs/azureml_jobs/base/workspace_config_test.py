from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import (
    AzureWorkspace,
    configured_workspace,
    may_need_azure,
)

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
def test_returns_none_when_no_workspace_is_named(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text) is None


def test_returns_none_without_a_file(tmp_path: Path) -> None:
    assert configured_workspace(tmp_path, environment={}) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FULL, id="plain"),
        pytest.param(FULL.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param("\ufeff" + FULL, id="a byte order mark"),
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


def test_expands_no_variables(tmp_path: Path) -> None:
    workspace = configured(tmp_path, FULL.replace("1234", "a$HOME${X}"), {"X": "1"})
    assert workspace is not None and workspace.subscription_id == "a$HOME${X}"


@pytest.mark.parametrize("text", [TEMPLATE, ""], ids=["placeholders", "nothing"])
def test_environment_variables_override_the_file(tmp_path: Path, text: str) -> None:
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


def test_ignores_the_folder_that_build_servers_call_workspace(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text(TEMPLATE)
    environment = {"WORKSPACE": "/var/lib/jenkins/workspace/x"}
    assert configured_workspace(tmp_path, environment=environment) is None


def test_refuses_a_file_that_is_not_text(tmp_path: Path) -> None:
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


def test_a_profile_has_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text(FULL + "CLOUD=AzureChinaCloud")
    (tmp_path / "config.prod.env").write_text(FULL.replace("my-workspace", "prod"))
    workspace = configured_workspace(tmp_path, "prod", {})
    assert workspace == AzureWorkspace("1234", "my-group", "prod", source="config.prod.env")


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("dev", "--profile dev: there is no file config.dev.env.\n\nProfiles that exist: empty."),
        ("../x", "there is no file config.../x.env"),
        ("empty", "config.empty.env: SUBSCRIPTION_ID: the profile names no workspace"),
    ],
)
def test_a_profile_must_exist_and_name_a_workspace(
    tmp_path: Path, profile: str, message: str
) -> None:
    (tmp_path / "config.empty.env").write_text(TEMPLATE)
    with pytest.raises(JobError) as caught:
        configured_workspace(tmp_path, profile, {})
    assert message in str(caught.value)


def test_a_profile_may_require_that_everything_is_committed(tmp_path: Path) -> None:
    workspace = configured(tmp_path, f"{FULL}REQUIRE_CLEAN_TREE=true")
    assert workspace is not None and workspace.needs_clean_tree


def test_refuses_any_other_value_than_true_or_false(tmp_path: Path) -> None:
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
def test_recognises_runs_that_may_need_azure(
    text: str, environment: dict[str, str], arguments: list[str], expected: bool
) -> None:
    assert may_need_azure([text], environment, arguments) is expected
