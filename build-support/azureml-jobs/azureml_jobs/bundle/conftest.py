"""Bundles, a repository of git and invented secrets, for the tests of this room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.git_state import GitState
from azureml_jobs.bundle.plan import plan_job
from azureml_jobs.bundle.provenance import provenance_of
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import JOB, Gathered, tree, write_files

GIT = GitState("c0ffee", b"diff --git a/x b/x\n")


def written(gathered: Gathered, job: str = JOB, *settings: str, with_data: bool = True) -> Path:
    """Return the folder of a bundle, as `package` writes it."""
    plan = gathered.plan(job, *settings, allow=["/", ".."])
    bundle = gathered.folder / "bundle"
    provenance = replace(provenance_of(plan, gathered.repository), git=GIT)
    write_bundle(plan, provenance, bundle, gathered.repository, with_data)
    return bundle


def document_of(bundle: Path, name: str = "azure-ml-job.yaml") -> Any:
    """Return a document of a bundle as plain data."""
    return yaml.safe_load((bundle / name).read_text(encoding="utf-8"))


def refusal(gathered: Gathered, job: str = JOB, *settings: str, allow: Sequence[str] = ()) -> str:
    """Return the error for which a job is refused, without anything having been written."""
    request = gathered.request(job)
    before = tree(gathered.folder.parent)
    with pytest.raises(JobError) as caught:
        plan_job(request, gathered.repository, settings, allow=allow)
    assert caught.value.status == 2
    assert tree(gathered.folder.parent) == before
    return str(caught.value)


AS_IN_AN_EMPTY_HOME = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in AS_IN_AN_EMPTY_HOME.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


BEGINNING = {"src/a.py": b"a = 1\n" * 30, "src/b.py": b"b = 1\n", "src/gone.py": b"", "c.md": b"c"}


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "a répo: of mine"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    write_files(folder, BEGINNING)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "x")
    return head(folder)


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").decode().strip()


def with_submodule(repository: Path, tmp_path: Path) -> Path:
    """Add a submodule in `lib/sub`, and return it."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q")
    write_files(origin, {"s.py": b"s = 1\n", "t.py": b"t = 1\n"})
    commit(origin)
    allow = ("-c", "protocol.file.allow=always")
    git(repository, *allow, "submodule", "--quiet", "add", str(origin), "lib/sub")
    commit(repository)
    return repository / "lib/sub"


# In pieces, so that no scanner takes this file for one that holds secrets.
AWS = "AK" + "IA" + "ABCD1234" * 2
GITHUB = "gh" + "p_" + "a1" * 18
PRIVATE_KEY = "-----BEGIN RSA PRIVATE" + " KEY-----"
STORAGE_KEY = "a1+/" * 21 + "ab=="
JWT = "ey" + "JhbGciOiJub25lIn0." + "eyJzdWIiOiJtZSJ9." + "c2ln"
PASSWORD = "hunter" + "2x9Q"

SECRETS = {
    "RSA key": PRIVATE_KEY,
    "PKCS 8 key": PRIVATE_KEY.replace("RSA ", ""),
    "SSH key": PRIVATE_KEY.replace("RSA", "OPENSSH"),
    "storage connection string": "Account" + f"Key={STORAGE_KEY}",
    "storage key alone": STORAGE_KEY,
    "shared access signature": "https://x.blob.core.windows.net/c?sv=2024&si" + "g=" + "aB3%2F" * 8,
    "Service Bus": "Endpoint=sb://x/;SharedAccess" + "Key=" + "aB3+" * 10 + "abc=",
    "SQL connection string": "Server=x;User ID=me;Pass" + "word=Sup3r-S4fe;Encrypt=yes",
    "client secret": "abc" + "8Q~" + "x" * 34,
    "Azure DevOps token": "aB3d" * 19 + "AZ" + "DO" + "a1b2",
    "old Azure DevOps token": "AZURE_DEVOPS_EXT_PAT=" + "ab2c" * 13,
    "Azure AI key": "aB3d" * 13 + "JQ" + "QJ99" + "BCA" + "aB3d" * 5 + "A1x",
    "old Azure OpenAI key": "AZURE_OPENAI_API_" + "KEY=" + "0123abcd" * 4,
    "GitHub token": GITHUB,
    "fine-grained GitHub token": "github_" + "pat_" + "a1" * 11 + "_" + "b" * 59,
    "GitLab token": "gl" + "pat-" + "aB3d" * 5,
    "AWS access key": AWS,
    "Hugging Face token": "h" + "f_" + "aB" * 17,
    "OpenAI key": "s" + "k-proj-" + "aB3d" * 10,
    "W&B key": "WANDB_API_" + "KEY=" + "0123abcd" * 5,
    "Slack token": "xo" + "xb-1234567890-" + "aB3d" * 6,
    "JSON web token": JWT,
    "URL with a password": "postgres://me:" + f"{PASSWORD}@db.org/x",
    "URL with a token": "https://" + "a1b2" * 5 + "@github.com/me/x.git",
}
