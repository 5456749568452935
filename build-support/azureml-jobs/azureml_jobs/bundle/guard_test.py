"""Data of inputs, by its place and by the names of its files; and what is not committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.conftest import commit, git, refusal
from azureml_jobs.bundle.guard import check_clean_tree
from azureml_jobs.bundle.secret_guard import SECRET_NAME
from azureml_jobs.bundle.suspicions import Allowed
from azureml_jobs.conftest import JOB, Gathered, cases, write_files


def job_with(path: str) -> str:
    return JOB.replace("inputs:\n", f"inputs:\n  d: {{type: uri_folder, path: '{path}'}}\n")


@pytest.fixture(autouse=True)
def code(gathered: Gathered) -> None:
    gathered.add_code()


@pytest.mark.usefixtures("home")
def test_refuses_uncommitted_files_for_a_workspace_that_requires_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    workspace = AzureWorkspace("1234", "my-group", "prod", needs_clean_tree=True)
    with pytest.raises(JobError, match="git does not say"):
        check_clean_tree(workspace, folder)
    git(folder, "init", "-q")
    write_files(folder, {"a file": b""})
    commit(folder)
    check_clean_tree(workspace, folder)
    write_files(folder, {"new file": b""})
    with pytest.raises(JobError, match="prod accepts only committed files.*\n  new file\\."):
        check_clean_tree(workspace, folder)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(JobError, match="(?s)git refuses: detected dubious .*safe.directory"):
        check_clean_tree(workspace, folder)
    check_clean_tree(AzureWorkspace("1", "g", "w"), folder)


def test_takes_data_of_the_repository_that_is_there_or_not(gathered: Gathered) -> None:
    gathered.write("data/a/b.csv")
    absolute = str(gathered.repository / "data")
    for path in ("../../data", "../../gone", absolute, "azureml:x:1", "https://x.org/.env"):
        assert gathered.plan(job_with(path)).allowed == ()


@cases(
    "path, shown",
    {
        "an absolute path": ("/etc/passwd", "/etc/passwd"),
        "a relative path": ("../../../other/a", "../other/a"),
        "a link": ("../../data", "data"),
        "a folder that is not there": ("../../gone/../../x", "../x"),
    },
)
def test_refuses_data_from_elsewhere_unless_it_is_allowed(
    gathered: Gathered, tmp_path: Path, path: str, shown: str
) -> None:
    (gathered.repository / "data").symlink_to(tmp_path)
    error = refusal(gathered, job_with(path))
    assert f"from outside of the repository:\n  {shown}: the input `d`." in error
    assert f"`--allow {shown}`" in error
    assert refusal(gathered, job_with(path), allow=["/home", "other"]) == error
    plan = gathered.plan(job_with(path), allow=[shown])
    assert plan.allowed == (Allowed(shown, "the input `d`"),)


def test_searches_data_by_the_names_of_files(gathered: Gathered, tmp_path: Path) -> None:
    for name in ("a.csv", "b/.env", "b/key.pem", ".ssh/config"):
        gathered.write(f"data/{name}", "x")
    (tmp_path / "id_rsa").write_text("x")
    (gathered.repository / "data/c.txt").symlink_to(tmp_path / "id_rsa")
    (gathered.repository / "data/d.txt").symlink_to("/etc/hosts")
    (gathered.repository / "data/e").symlink_to("b")
    (gathered.repository / "data/circle").symlink_to(".")
    error = refusal(gathered, job_with("../../data"))
    found = error.split(".\n\n")[0].splitlines()[1:]
    names = [".ssh/config", "b/.env", "b/key.pem", "c.txt", "e/.env", "e/key.pem"]
    leads_out = "  data/d.txt: a symbolic link that leads out of the repository"
    assert sorted(found) == sorted(
        [leads_out, *(f"  data/{each}: {SECRET_NAME}" for each in names)]
    )
    assert "data/b/.env: a file of this name" in refusal(gathered, job_with("../../data/b/.env"))
    allowed = gathered.plan(job_with("../../data"), allow=["data"]).allowed
    assert sorted(f"  {each.where}: {each.what}" for each in allowed) == sorted(found)


def test_takes_what_is_below_a_folder_that_is_allowed(gathered: Gathered, tmp_path: Path) -> None:
    (tmp_path / "shared/x").mkdir(parents=True)
    (tmp_path / "shared/a.csv").write_text("")
    (tmp_path / "shared/x/a.csv").symlink_to("../a.csv")
    plan = gathered.plan(job_with("../../../shared/x"), allow=["../shared/"])
    assert plan.allowed == (Allowed("../shared/x", "the input `d`"),)


def test_leaves_data_that_cannot_be_read_to_what_reads_it(gathered: Gathered) -> None:
    gathered.write("data/closed/a.csv", "x")
    gathered.write("data/z/.env", "x")
    for link, target in (("circle", "."), ("gone", "nowhere"), ("self", "self")):
        (gathered.repository / "data" / link).symlink_to(target)
    (gathered.repository / "data/closed").chmod(0)
    assert f"\n  data/z/.env: {SECRET_NAME}.\n" in refusal(gathered, job_with("../../data"))
    (gathered.repository / "data/closed").chmod(0o700)
