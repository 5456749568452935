from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.guard import (
    SCAN_BYTES,
    SIZE_WARNING_BYTES,
    Candidate,
    check_links,
    check_secrets,
    size_warning,
)

# In pieces, so that no scanner takes this file for one that holds secrets.
STORAGE_KEY = "Account" + "Key=" + "a1+/" * 21 + "ab=="
SIGNATURE = "https://x.blob.core.windows.net/c?sv=2024&si" + "g=" + "aB3%2F" * 8
CLIENT_SECRET = "abc" + "8Q~" + "x" * 34
GITHUB = "gh" + "p_" + "a1" * 18
GITHUB_FINE = "github_" + "pat_" + "a1" * 11 + "_" + "b" * 59
AWS = "AK" + "IA" + "ABCD1234" * 2
HUGGING_FACE = "h" + "f_" + "aB" * 17
PRIVATE_KEY = "-----BEGIN RSA PRIVATE" + " KEY-----"


def candidate(folder: Path, path: str, content: str | bytes) -> Candidate:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    file.write_bytes(data)
    return Candidate(path, file, len(data))


def refusal(*files: Candidate) -> str:
    with pytest.raises(JobError) as caught:
        check_secrets(files, "src/exp:job")
    assert caught.value.status == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        pytest.param(PRIVATE_KEY, "a private key", id="RSA key"),
        pytest.param(PRIVATE_KEY.replace("RSA ", ""), "a private key", id="PKCS 8 key"),
        pytest.param(PRIVATE_KEY.replace("RSA", "OPENSSH"), "a private key", id="SSH key"),
        pytest.param(STORAGE_KEY, "an Azure storage key", id="storage key"),
        pytest.param(SIGNATURE, "a shared access signature", id="shared access signature"),
        pytest.param(CLIENT_SECRET, "an Azure client secret", id="client secret"),
        pytest.param(GITHUB, "a GitHub token", id="GitHub token"),
        pytest.param(GITHUB_FINE, "a GitHub token", id="fine-grained GitHub token"),
        pytest.param(AWS, "an AWS access key", id="AWS access key"),
        pytest.param(HUGGING_FACE, "a Hugging Face token", id="Hugging Face token"),
    ],
)
def test_names_file_line_and_kind_of_a_secret_and_never_its_text(
    tmp_path: Path, secret: str, kind: str
) -> None:
    file = candidate(tmp_path, "src/a.py", f"import os\n\nKEY = '{secret}'\nprint(KEY)\n")
    message = refusal(file)
    assert message.startswith("src/exp:job: the snapshot would hold what looks like a secret:")
    assert f"\n  src/a.py:3: {kind}." in message
    assert secret not in message and secret[-20:] not in message
    assert "# pragma: allowlist secret" in message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-----BEGIN PUBLIC KEY-----", id="a public key"),
        pytest.param("-----BEGIN CERTIFICATE-----", id="a certificate"),
        pytest.param("AccountKey=<your key>", id="a placeholder of a storage key"),
        pytest.param("AccountKey=" + "a" * 40, id="too short for a storage key"),
        pytest.param("https://x.org/?sig=abc&y=1", id="another parameter named sig"),
        pytest.param("de" + "sig=" + "a" * 50, id="a word that ends in sig"),
        pytest.param("x" + CLIENT_SECRET, id="longer than a client secret"),
        pytest.param(CLIENT_SECRET[:-1], id="shorter than a client secret"),
        pytest.param("x" + GITHUB, id="the end of another word"),
        pytest.param(GITHUB + "a", id="longer than a GitHub token"),
        pytest.param(AWS.lower(), id="an AWS key in small letters"),
        pytest.param("X" + AWS, id="longer than an AWS key"),
        pytest.param("self.hf_" + "model", id="an ordinary name"),
        pytest.param("sha256:" + "0123456789abcdef" * 4, id="a digest"),
    ],
)
def test_takes_ordinary_text(tmp_path: Path, text: str) -> None:
    check_secrets([candidate(tmp_path, "src/a.py", f"X = '{text}'\n")], "src/exp:job")


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "prod.env", ".netrc", ".pypirc", "server.pem", "server.key"),
        *("a.pfx", "a.p12", "id_rsa", "id_ed25519", "id_ecdsa"),
    ],
)
def test_refuses_a_file_that_holds_credentials_by_its_name(tmp_path: Path, name: str) -> None:
    message = refusal(candidate(tmp_path, f"src/{name}", "x"))
    assert f"\n  src/{name}: a file of this name holds credentials." in message


@pytest.mark.parametrize(
    "name", ["environment.py", "env", "keys.py", "monkey", "id_rsa.pub", "pem.txt"]
)
def test_takes_files_of_similar_names(tmp_path: Path, name: str) -> None:
    check_secrets([candidate(tmp_path, f".env/{name}", "x")], "src/exp:job")


def test_takes_a_line_that_says_that_it_is_no_secret(tmp_path: Path) -> None:
    allowed = f"KEY = '{AWS}'  # pragma: allowlist secret"
    check_secrets([candidate(tmp_path, "a.py", allowed)], "x")
    message = refusal(candidate(tmp_path, "a.py", f"{allowed}\nKEY = '{AWS}'\n{allowed}\n"))
    assert "a.py:2: an AWS access key." in message
    assert "a.py:1" not in message and "a.py:3" not in message


def test_takes_a_file_of_a_suspicious_name_that_says_that_it_is_no_secret(tmp_path: Path) -> None:
    text = "# pragma: allowlist secret\n-----BEGIN CERTIFICATE-----\n"
    check_secrets([candidate(tmp_path, "ca.pem", text)], "x")
    message = refusal(candidate(tmp_path, "ca.pem", f"{text}{PRIVATE_KEY}\n"))
    assert "ca.pem:3: a private key" in message


def test_names_every_finding_of_every_file(tmp_path: Path) -> None:
    message = refusal(
        candidate(tmp_path, "a.py", f"'{AWS}' '{GITHUB}'\n"),
        candidate(tmp_path, "b.py", "fine\n"),
        candidate(tmp_path, "ü/c.py", f"\r\n'{AWS}'"),
    )
    assert "a.py:1: an AWS access key" in message and "a.py:1: a GitHub token" in message
    assert "b.py" not in message
    assert "ü/c.py:2: an AWS access key" in message


def test_finds_a_secret_among_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert "m.bin:2" in refusal(candidate(tmp_path, "m.bin", b"\xff\x00\n\xfe" + AWS.encode()))


def test_does_not_search_what_is_too_large_to_have_been_typed(tmp_path: Path) -> None:
    file = candidate(tmp_path, "a.bin", AWS)
    check_secrets([Candidate(file.path, file.content, SCAN_BYTES + 1)], "x")
    named = candidate(tmp_path, "a.pem", "x")
    assert "a.pem" in refusal(Candidate(named.path, named.content, SCAN_BYTES + 1))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("")
    return folder


def test_takes_files_and_links_that_stay_inside(repository: Path) -> None:
    (repository / "src/b.py").symlink_to("a.py")
    (repository / "lib").symlink_to(repository / "src")
    check_links(repository, ["src/a.py", "src/b.py", "lib/b.py", "src/generated.py"], "x")


def test_takes_a_repository_that_is_reached_by_a_link(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(repository)
    check_links(tmp_path / "alias", ["src/a.py"], "x")


@pytest.mark.parametrize(
    ("link", "target", "path", "message"),
    [
        pytest.param("src/b.py", "/etc/hosts", "src/b.py", "leads out", id="a link to a file"),
        pytest.param("lib", "..", "lib/outside", "leads out", id="below a link to a folder"),
        pytest.param("src/b.py", "b.py", "src/b.py", "in a circle", id="a link to itself"),
        pytest.param("src/b.py", "gone.py", "src/b.py", "leads nowhere", id="a dangling link"),
    ],
)
def test_refuses_a_link_that_leads_elsewhere(
    repository: Path, tmp_path: Path, link: str, target: str, path: str, message: str
) -> None:
    (tmp_path / "outside").write_text("")
    (repository / link).symlink_to(target)
    with pytest.raises(JobError, match=f"x: {path} is a symbolic link .*{message}") as caught:
        check_links(repository, ["src/a.py", path], "x")
    assert caught.value.status == 2


def test_refuses_a_circle_of_several_links(repository: Path) -> None:
    (repository / "src/b").symlink_to("c")
    (repository / "src/c").symlink_to("b")
    with pytest.raises(JobError, match="in a circle"):
        check_links(repository, ["src/b/a.py", "src/c"], "x")


def test_warns_of_a_large_snapshot_and_names_the_largest_files() -> None:
    sizes = [("a.bin", 60), ("b.bin", 30), ("c.py", 1), ("d.bin", 20)]
    files = [Candidate(name, Path(name), size * 1024 * 1024) for name, size in sizes]
    warning = size_warning(files)
    assert warning is not None
    assert warning.startswith("the snapshot is 116 MB. The largest files: a.bin (63 MB), b.bin")
    assert "d.bin (21 MB)" in warning and "c.py" not in warning


@pytest.mark.parametrize("sizes", [(), (SIZE_WARNING_BYTES,)], ids=["nothing", "at the limit"])
def test_does_not_warn_up_to_the_limit(sizes: tuple[int, ...]) -> None:
    assert size_warning([Candidate("a", Path("a"), size) for size in sizes]) is None
