from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import (
    AzureWorkspace,
    configured_workspace,
    may_need_azure,
)

ID = "00000000-0000-4000-8000-000000001234"
WORKSPACE = AzureWorkspace(ID, "my-group", "my-workspace")
TEMPLATE = "SUBSCRIPTION_ID=<subscription-id>\nRESOURCE_GROUP=<resource-group>\nWORKSPACE=<w>\n"
FULL = f"SUBSCRIPTION_ID={ID}\nRESOURCE_GROUP=my-group\nWORKSPACE=my-workspace\n"


def configured(
    folder: Path, text: str | bytes, environment: dict[str, str] | None = None
) -> AzureWorkspace | None:
    (folder / "config.env").write_bytes(text.encode() if isinstance(text, str) else text)
    return configured_workspace(folder, environment=environment or {})


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        pytest.param(TEMPLATE, {}, id="placeholders"),
        pytest.param("SUBSCRIPTION_ID=\nRESOURCE_GROUP\nWORKSPACE=''\n", {}, id="empty values"),
        pytest.param("# SUBSCRIPTION_ID=1234\nOTHER=1\n", {}, id="comments and other keys"),
        # Build servers set it to a folder.
        pytest.param(TEMPLATE, {"WORKSPACE": "/var/lib/jenkins/x"}, id="a variable of others"),
    ],
)
def test_returns_none_when_no_workspace_is_named(
    tmp_path: Path, text: str, environment: dict[str, str]
) -> None:
    assert configured_workspace(tmp_path, environment=environment) is None
    assert configured(tmp_path, text, environment) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FULL, id="plain"),
        pytest.param(FULL.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param("\ufeff" + FULL, id="a byte order mark"),
        pytest.param(FULL.replace("=", " = "), id="blanks"),
        pytest.param(FULL.replace(ID, f"'{ID}'").replace("my-group", '"my-group"'), id="quotes"),
        pytest.param(FULL.replace(ID, f'" {ID} "'), id="blanks in quotes"),
        pytest.param(FULL.replace("\n", "  # mine\n"), id="comments behind"),
        pytest.param("export " + FULL.replace("\n", "\nexport ").rstrip("export "), id="export"),
        pytest.param(f"# mine\n\n{FULL}OTHER=${{HOME}}\n", id="other lines"),
        pytest.param(FULL.rstrip(), id="no line end"),
        pytest.param(TEMPLATE + FULL, id="the last of several"),
    ],
)
def test_reads_the_workspace(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text) == WORKSPACE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            FULL.replace(ID, "a$HOME${X}"),
            "config.env: SUBSCRIPTION_ID: `a$HOME${X}` is no id of a subscription",
            id="a variable, which is not expanded",
        ),
        pytest.param(
            FULL.replace("my-group", "my/../group"),
            "config.env: RESOURCE_GROUP: `my/../group` is no name of Azure",
            id="a path",
        ),
        pytest.param(
            FULL.replace("SUBSCRIPTION_ID", "SUBSCRIPTON_ID"),
            "config.env: SUBSCRIPTON_ID: there is no such key.\n\nDid you mean `SUBSCRIPTION_ID`?",
            id="a misspelt key",
        ),
        pytest.param(
            f"{FULL}require_clean_tree=true\n",
            "config.env: require_clean_tree: there is no such key",
            id="a misspelt key that may be left out",
        ),
        pytest.param(
            FULL.replace("my-workspace", "<workspace>"),
            "config.env: WORKSPACE: SUBSCRIPTION_ID and RESOURCE_GROUP are set, but WORKSPACE is "
            "not.\n\nWrite `WORKSPACE=…`, or clear the others to run jobs in the local workspace.",
            id="one is missing",
        ),
        pytest.param(
            "WORKSPACE=my-workspace",
            "config.env: SUBSCRIPTION_ID: WORKSPACE is set, but SUBSCRIPTION_ID and RESOURCE_GROUP "
            "are not",
            id="two are missing",
        ),
        pytest.param(
            "SUBSCRIPTION_ID=ü".encode("latin-1"),
            "config.env: not text in UTF-8 (byte 16)",
            id="no text",
        ),
        pytest.param(
            f"{FULL}CLOUD=http://arm", "config.env: CLOUD: http://arm is not encrypted", id="http"
        ),
        pytest.param(
            f"{FULL}REQUIRE_CLEAN_TREE=perhaps",
            "config.env: REQUIRE_CLEAN_TREE: `perhaps` is not valid here",
            id="neither true nor false",
        ),
        pytest.param(
            f"{TEMPLATE}RESOURCEGROUP=mine\n",
            "config.env: RESOURCEGROUP: there is no such key.\n\nDid you mean `RESOURCE_GROUP`?",
            id="a misspelt key next to placeholders",
        ),
        pytest.param(
            f"# A comment.\n\n{FULL}RESOURCE_GROUP mine\n",
            "config.env:6: this line sets nothing.\n\nWrite `KEY=value`",
            id="a line without an equals sign",
        ),
    ],
)
def test_names_the_value_or_key_that_cannot_be(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(JobError) as caught:
        configured(tmp_path, text, {"X": "1"})
    assert caught.value.status == 2 and str(caught.value).startswith(message)


def test_reports_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.env").mkdir()
    with pytest.raises(OutsideError, match="^config.env: it cannot be read: Is a directory"):
        configured_workspace(tmp_path, environment={})


def test_names_the_variable_whose_value_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="^the variable SUBSCRIPTION_ID: `abc` is no id"):
        configured(tmp_path, FULL, {"SUBSCRIPTION_ID": "abc"})


def test_a_private_cloud_needs_consent_from_outside_of_the_repository(tmp_path: Path) -> None:
    address = "https://arm.private.example"
    text = f"{FULL}CLOUD={address}/\n"
    for environment in ({}, {"AZUREML_JOBS_TRUSTED_CLOUD": "https://arm.private"}):
        with pytest.raises(JobError) as caught:
            configured(tmp_path, text, environment)
        assert f"`export AZUREML_JOBS_TRUSTED_CLOUD={address}`" in caught.value.remedy
    for environment in ({"AZUREML_JOBS_TRUSTED_CLOUD": address}, {"CLOUD": address}):
        workspace = configured(tmp_path, text, environment)
        assert workspace is not None and workspace.cloud == address


@pytest.mark.parametrize("text", [TEMPLATE, ""], ids=["placeholders", "nothing"])
def test_environment_variables_override_the_file(tmp_path: Path, text: str) -> None:
    environment = {
        "SUBSCRIPTION_ID": ID,
        "RESOURCE_GROUP": "my-group",
        "WORKSPACE": "my-workspace",
    }
    named = configured(tmp_path, text, environment)
    assert named == replace(WORKSPACE, source="environment variables")
    workspace = configured(tmp_path, FULL, {"WORKSPACE": "other", "RESOURCE_GROUP": ""})
    source = "config.env, WORKSPACE from the environment"
    assert workspace == AzureWorkspace(ID, "my-group", "other", source=source)


@pytest.mark.parametrize(
    ("line", "cloud"),
    [
        ("", "AzureCloud"),
        ("CLOUD=<cloud>", "AzureCloud"),
        ("CLOUD=azurechinacloud", "AzureChinaCloud"),
        ("CLOUD=AzureUSGovernment", "AzureUSGovernment"),
        ("CLOUD=private", "private"),
    ],
)
def test_reads_the_cloud(tmp_path: Path, line: str, cloud: str) -> None:
    workspace = configured(tmp_path, FULL + line)
    assert workspace is not None and workspace.cloud == cloud


def test_a_profile_has_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text(FULL + "CLOUD=AzureChinaCloud")
    (tmp_path / "config.prod.env").write_text(FULL.replace("my-workspace", "prod"))
    workspace = configured_workspace(tmp_path, "prod", {})
    assert workspace == AzureWorkspace(
        *(ID, "my-group", "prod"), source="config.prod.env", cloud_source="config.prod.env: CLOUD"
    )


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


@pytest.mark.parametrize(
    ("text", "environment", "arguments", "expected"),
    [
        pytest.param(TEMPLATE, {}, [], False, id="placeholders"),
        pytest.param("", {"SUBSCRIPTION_ID": "1"}, [], True, id="the environment"),
        pytest.param(FULL, {}, ["--local"], False, id="local"),
        pytest.param(FULL, {}, ["jobs", "reproduce", "x", "--local"], True, id="again here"),
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
