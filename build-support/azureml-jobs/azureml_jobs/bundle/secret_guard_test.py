from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle import secret_guard
from azureml_jobs.bundle.outgoing_files import OutgoingFile
from azureml_jobs.bundle.secret_guard import SCAN_BYTES, check_secrets

# In pieces, so that no scanner takes this file for one that holds secrets.
AWS = "AK" + "IA" + "ABCD1234" * 2
GITHUB = "gh" + "p_" + "a1" * 18
PRIVATE_KEY = "-----BEGIN RSA PRIVATE" + " KEY-----"
STORAGE_KEY = "a1+/" * 21 + "ab=="
JWT = "ey" + "JhbGciOiJub25lIn0." + "eyJzdWIiOiJtZSJ9." + "c2ln"

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
    "URL with a password": "postgres://me:hunter" + "2x@db.org/x",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def candidate(folder: Path, path: str, content: str | bytes) -> OutgoingFile:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    file.write_bytes(data)
    return OutgoingFile(path, file, len(data), hashlib.sha256(data).hexdigest())


def refusal(*files: OutgoingFile) -> str:
    with pytest.raises(JobError) as caught:
        check_secrets(files, "src/exp:job", {})
    assert caught.value.status == 2
    return str(caught.value)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_names_file_and_line_of_a_secret_and_never_its_text(
    tmp_path: Path, secret: str, encoding: str
) -> None:
    text = f"import os\n\nKEY = '{secret}'\nprint(KEY)\n"
    message = refusal(candidate(tmp_path, "src/a.py", text.encode(encoding)))
    assert message.startswith("src/exp:job: the snapshot would contain what looks like a secret:")
    assert "\n  src/a.py:3: " in message
    assert secret not in message and secret[-20:] not in message
    assert "# pragma: allowlist secret" in message


def test_finds_a_password_that_is_assigned(tmp_path: Path) -> None:
    assert "a.py:1: " in refusal(candidate(tmp_path, "a.py", "pass" + "word = 'hunter2-hunter3'\n"))


def test_finds_a_token_in_an_address(tmp_path: Path) -> None:
    line = "API_" + "SECRET = 'https://x.org/list?" + "code=a1b2c3d4e5f6a7b8'\n"
    assert "a.py:1: " in refusal(candidate(tmp_path, "a.py", line))


def test_finds_a_secret_in_a_long_line(tmp_path: Path) -> None:
    text = "x = 1\n" + '"token": "", ' * 20_000 + GITHUB + '"token": "", ' * 20_000
    assert "a.ipynb:2: GitHub Token" in refusal(candidate(tmp_path, "a.ipynb", text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-----BEGIN PUBLIC KEY-----", id="a public key"),
        pytest.param("-----BEGIN CERTIFICATE-----", id="a certificate"),
        pytest.param("AccountKey=<your key>", id="a placeholder of a storage key"),
        pytest.param("AccountKey=" + "a" * 40, id="too short for a storage key"),
        pytest.param("sha512-" + STORAGE_KEY, id="a digest of npm"),
        pytest.param("https://x.org/?sig=abc&y=1", id="another parameter named sig"),
        pytest.param("de" + "sig=" + "a" * 50, id="a word that ends in sig"),
        pytest.param("self.hf_" + "model", id="an ordinary name"),
        pytest.param("sha256:" + "0123456789abcdef" * 4, id="a digest"),
        pytest.param("https://user:password@host.org", id="an example of a URL"),
        pytest.param("https://{user}:{password}@host.org", id="a URL that is put together"),
        pytest.param('password = "<your password>"', id="a password to fill in"),
        pytest.param('password = os.environ["DB_PASSWORD1"]', id="a password from elsewhere"),
        pytest.param('secret_name = "storage-key-1"', id="the name of a secret"),
        pytest.param('LIST_SECRETS = "https://x.org/list?version=2023"', id="an address"),
        pytest.param('"password": "a sentence with 2 spaces"', id="a sentence"),
    ],
)
def test_takes_ordinary_text(tmp_path: Path, text: str) -> None:
    check_secrets([candidate(tmp_path, "src/a.py", f"X = 1\n{text}\n")], "src/exp:job", {})


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "prod.env", ".netrc", ".pypirc", "server.pem", "server.key"),
        *("a.pfx", "a.p12", "id_rsa", "id_ed25519", "id_ecdsa"),
    ],
)
def test_refuses_a_file_that_holds_credentials_by_its_name(tmp_path: Path, name: str) -> None:
    message = refusal(candidate(tmp_path, f"src/{name}", "x"))
    assert f"\n  src/{name}: a file of this name contains credentials." in message


@pytest.mark.parametrize(
    "name", ["environment.py", "env", "keys.py", "monkey", "id_rsa.pub", "pem.txt"]
)
def test_takes_files_of_similar_names(tmp_path: Path, name: str) -> None:
    check_secrets([candidate(tmp_path, f".env/{name}", "x")], "src/exp:job", {})


def test_takes_a_line_that_says_that_it_is_no_secret(tmp_path: Path) -> None:
    allowed = f"KEY = '{AWS}'  # pragma: allowlist secret"
    check_secrets([candidate(tmp_path, "a.py", allowed)], "x", {})
    message = refusal(candidate(tmp_path, "a.py", f"{allowed}\nKEY = '{AWS}'\n{allowed}\n"))
    assert "a.py:2: AWS Access Key." in message
    assert "a.py:1" not in message and "a.py:3" not in message


def test_takes_a_file_of_a_suspicious_name_that_says_that_it_is_no_secret(tmp_path: Path) -> None:
    text = "# pragma: allowlist secret\n-----BEGIN CERTIFICATE-----\n"
    check_secrets([candidate(tmp_path, "ca.pem", text)], "x", {})
    message = refusal(candidate(tmp_path, "ca.pem", f"{text}{PRIVATE_KEY}\n"))
    assert "ca.pem:3: Private Key" in message


def test_names_every_finding_of_every_file(tmp_path: Path) -> None:
    message = refusal(
        candidate(tmp_path, "a.py", f"'{AWS}' '{GITHUB}'\n"),
        candidate(tmp_path, "b.py", "fine\n"),
        candidate(tmp_path, "ü/c.py", f"\r\n'{AWS}'"),
    )
    assert "a.py:1: AWS Access Key" in message and "a.py:1: GitHub Token" in message
    assert "b.py" not in message
    assert "ü/c.py:2: AWS Access Key" in message


def test_finds_a_secret_among_bytes_that_are_not_text(tmp_path: Path) -> None:
    assert "m.bin:2" in refusal(candidate(tmp_path, "m.bin", b"\xff\x00\n\xfe" + AWS.encode()))


def test_does_not_search_what_is_too_large_to_have_been_typed(tmp_path: Path) -> None:
    file = candidate(tmp_path, "a.bin", AWS)
    check_secrets([OutgoingFile(file.path, file.content, SCAN_BYTES + 1, file.sha256)], "x", {})
    named = candidate(tmp_path, "a.pem", "x")
    assert "a.pem" in refusal(OutgoingFile(named.path, named.content, SCAN_BYTES + 1, named.sha256))


def test_does_not_read_again_what_it_found_harmless(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    file = candidate(tmp_path, "a.py", "fine\n")
    check_secrets([file], "x", environment)
    file.content.unlink()
    check_secrets([file], "x", environment)
    with pytest.raises(FileNotFoundError):
        check_secrets([file], "x", {"XDG_CACHE_HOME": str(tmp_path / "other")})


def test_searches_again_once_the_forms_differ(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = candidate(tmp_path, "a.py", "fine\n")
    check_secrets([file], "x", environment)
    monkeypatch.setattr(secret_guard, "_rules", lambda: "others")
    file.content.unlink()
    with pytest.raises(FileNotFoundError):
        check_secrets([file], "x", environment)


def test_reports_a_secret_every_time(tmp_path: Path, environment: dict[str, str]) -> None:
    file = candidate(tmp_path, "a.py", AWS)
    for _ in range(2):
        with pytest.raises(JobError):
            check_secrets([file], "x", environment)


@pytest.mark.parametrize("kept", [b"{", b"[]", b'{"rules": 1}', json.dumps("x").encode()])
def test_does_without_a_list_that_is_broken(
    tmp_path: Path, environment: dict[str, str], kept: bytes
) -> None:
    (tmp_path / "cache/azureml-jobs").mkdir(parents=True)
    (tmp_path / "cache/azureml-jobs/harmless-files.json").write_bytes(kept)
    check_secrets([candidate(tmp_path, "a.py", "fine\n")], "x", environment)


def test_does_without_a_cache_folder_that_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    check_secrets([candidate(tmp_path, "a.py", "fine\n")], "x", environment)
