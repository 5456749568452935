"""Secrets that only the recorded diff has."""

from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.conftest import AWS, SECRETS, commit, git
from azureml_jobs.bundle.provenance import Provenance, provenance_of
from azureml_jobs.bundle.suspicions import Allowed
from azureml_jobs.conftest import Gathered

KEYS = "src/exp/keys.py"

pytestmark = pytest.mark.usefixtures("home")


def changed(gathered: Gathered, before: str | bytes, after: str | bytes) -> None:
    """Commit a file of the job, and change it."""
    gathered.add_code()
    gathered.add(KEYS, before)
    git(gathered.repository, "init", "-q")
    commit(gathered.repository)
    gathered.write(KEYS, after)


def provenance(gathered: Gathered, *allow: str) -> Provenance:
    return provenance_of(gathered.plan(allow=allow), gathered.repository)


def refusal(gathered: Gathered, *allow: str) -> str:
    with pytest.raises(JobError) as caught:
        provenance(gathered, *allow)
    assert caught.value.status == 2
    return str(caught.value)


def test_names_each_secret_that_is_only_in_the_last_commit(gathered: Gathered) -> None:
    lines = [f"K{number} = '{secret}'" for number, secret in enumerate(SECRETS.values())]
    changed(gathered, "import os\n" * 9 + "\n".join(lines), "import os\n" * 9)
    message = refusal(gathered)
    assert message.startswith("src/exp:job: the diff that is recorded with the job has what looks")
    found = {line.strip().split(": ")[0] for line in message.split(".\n\n")[0].splitlines()[1:]}
    assert found == {f"{KEYS}:{number + 10}" for number in range(len(lines))}
    assert "removed, and in the last commit" in message
    assert not [secret for secret in SECRETS.values() if secret in message]
    assert f"`--allow {KEYS}`" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_finds_a_secret_in_a_change_that_git_takes_for_binary(
    gathered: Gathered, encoding: str
) -> None:
    many = "".join(f"line {number}\n" for number in range(300))
    changed(gathered, f"{many}KEY = '{AWS}'\n".encode(encoding), many.encode(encoding))
    assert f"{KEYS}: AWS Access Key" in refusal(gathered)


def test_takes_a_diff_without_secrets(gathered: Gathered) -> None:
    changed(gathered, b"a = 1\n\x00", b"a = 2\n\x00" * 99)
    gathered.write("src/exp/main.py", "import common.a  # changed\n-- a\n++ b\n")
    assert provenance(gathered).git is not None


def test_takes_and_records_what_is_allowed(gathered: Gathered) -> None:
    line = f"KEY = '{AWS}'"
    changed(gathered, f"{line}\n{line}  # pragma: allowlist secret\n", "")
    state = provenance(gathered, KEYS).git
    what = "AWS Access Key (removed, and in the last commit)"
    assert state and state.allowed == (Allowed(f"{KEYS}:1", what), Allowed(f"{KEYS}:2", what))
    gathered.write(KEYS, f"{line}  # pragma: allowlist secret\n")
    # A file of this name in another folder is another file.
    assert f"{KEYS}:1: AWS" in refusal(gathered, "keys.py")


@pytest.mark.parametrize("path", ["src/a.json", "./src/"])
def test_takes_paths_from_the_folder_of_the_repository(gathered: Gathered, path: str) -> None:
    gathered.add_code()
    gathered.add("src/a.json", f'["{AWS}"]')
    git(gathered.repository.parent, "init", "-q")
    state = provenance(gathered, path).git
    assert state and [each.where for each in state.allowed] == ["repository/src/a.json:1"]
