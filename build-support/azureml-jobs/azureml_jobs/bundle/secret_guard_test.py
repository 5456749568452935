"""Every form of a secret, in every place of a job; and what is no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle import known, secret_forms
from azureml_jobs.bundle.conftest import (
    AWS,
    GITHUB,
    PASSWORD,
    PRIVATE_KEY,
    SECRETS,
    STORAGE_KEY,
    refusal,
)
from azureml_jobs.bundle.secret_guard import SCAN_BYTES
from azureml_jobs.bundle.suspicions import Allowed, Secret
from azureml_jobs.conftest import CONTEXT_JOB, JOB, JOB_FILE, Gathered, cases
from azureml_jobs.jobfile.document import read_job_file

LINES = [f"K{number}: '{secret}'" for number, secret in enumerate(SECRETS.values())]


def below(key: str, prefix: str = "  ") -> str:
    return key + "".join(f"{prefix}{line}\n" for line in LINES)


# Where they are: code and other files, the job, and the number of the first line.
PLACES: dict[str, tuple[str, str | bytes, str, int]] = {
    "code": ("src/exp/keys.py", below("", ""), JOB, 1),
    "code in UTF-16": ("src/exp/keys.py", below("", "").encode("utf-16"), JOB, 1),
    "code in UTF-16 without a mark": ("src/exp/keys.py", below("", "").encode("utf-16-be"), JOB, 1),
    "a notebook": ("src/exp/a.ipynb", json.dumps({"source": LINES}, indent=1), JOB, 3),
    "environment variables": (JOB_FILE, "", below("environment_variables:\n") + JOB, 2),
    "tags": (JOB_FILE, "", below("tags:\n") + JOB, 2),
    "the command": (JOB_FILE, "", below("command: |\n", "  run "), 2),
    "a component": (
        "src/exp/c.yaml",
        below("$schema: commandComponent\ncommand: run\ntags:\n"),
        "type: pipeline\njobs: {a: {type: command, component: ./c.yaml}}\n",
        4,
    ),
    "the build context": (
        "src/exp/docker/Dockerfile",
        "FROM x\n" + "".join(f"ENV {line.replace(': ', '=')}\n" for line in LINES),
        CONTEXT_JOB,
        2,
    ),
}


@cases("path, content, job, first", PLACES)
def test_names_each_secret_by_its_place_and_never_by_its_text(
    gathered: Gathered, path: str, content: str | bytes, job: str, first: int
) -> None:
    gathered.add_code()
    if "docker" in path:
        gathered.context_files.append(path)
    elif content and not path.endswith(".yaml"):
        gathered.add(path)
    gathered.write(path, content)
    lines = [f"{path}:{number}" for number in range(first, first + len(LINES))]
    check_refusal(refusal(gathered, job), lines)


def test_names_each_secret_in_a_setting_by_its_key(gathered: Gathered) -> None:
    gathered.add_code()
    settings = [f"tags.K{number}={secret}" for number, secret in enumerate(SECRETS.values())]
    message = refusal(gathered, JOB, *settings)
    check_refusal(message, [f"tags.K{number}" for number in range(len(LINES))])


def check_refusal(message: str, expected: list[str]) -> None:
    assert message.startswith("src/exp:job: the job would contain what looks like a secret:\n")
    found = {line.strip().split(": ")[0] for line in message.split(".\n\n")[0].splitlines()[1:]}
    assert found == set(expected)
    assert not [secret for secret in SECRETS.values() if secret in message]
    assert "Key Vault" in message and "# pragma: allowlist secret" in message
    assert f"`--allow {expected[0].partition(':')[0]}`" in message


@pytest.mark.parametrize("line", ["K: *{}", "K: a: {}", "K: [{}", "K: !{}", "K:\t{}"])
def test_a_job_file_that_is_not_yaml_is_refused_without_its_secrets(line: str) -> None:
    for secret in [*SECRETS.values(), "x\npass" + f"word: @{PASSWORD}"]:
        with pytest.raises(JobError) as caught:
            read_job_file(f"{line.format(secret)}\na: b: c", JOB_FILE)
        assert not [part for part in secret.split() if len(part) > 7 and part in str(caught.value)]


PASSWORDS = {
    "Python": ("a.py", "pass" + f"word = '{PASSWORD}'"),
    "a word": ("a.py", "pass" + "word = 'correct-horse-battery'"),
    "a word in YAML": ("a.yaml", "DB_PASS" + "WORD: correcthorsebattery"),
    "behind another": ("a.py", 'f(password=os.environ["A1"], secret' + f'="{PASSWORD}")'),
    "a token in Python": ("a.py", "access_" + "token = 'a1b2c3d4e5f6a7b8'"),
    "YAML": ("a.yaml", "db_pass" + f"word: {PASSWORD}  # of the database"),
    "YAML in one line": ("a.yaml", "{user: me, pass" + f"word: {PASSWORD}" + "}"),
    "a token in YAML": ("a.yml", "HF_" + "TOKEN: a1b2c3d4e5f6a7b8"),
    "an option": ("a.sh", "curl --pass" + f"word {PASSWORD} https://x.org"),
    "an option of a job": ("b.yaml", "command: python a.py --api-" + f"key={PASSWORD}"),
    "a shell": ("a.sh", "export DB_PASS" + f"WORD={PASSWORD}"),
    "an image": ("docker/Dockerfile", "ENV API_" + f"KEY={PASSWORD}"),
    "an address": ("a.py", "API_" + "SECRET = 'https://x.org/list?" + "code=a1b2c3d4e5f6a7b8'"),
}


@cases("name, line", PASSWORDS)
def test_finds_passwords_as_people_write_them(gathered: Gathered, name: str, line: str) -> None:
    gathered.add(f"src/{name}", f"first\n{line}\n")
    assert f"\n  src/{name}:2: " in refusal(gathered)


def test_finds_a_secret_in_a_long_line_and_among_bytes_that_are_not_text(
    gathered: Gathered,
) -> None:
    text = "x = 1\n" + '"token": "", ' * 2_000 + GITHUB + '"token": "", ' * 2_000
    gathered.add("src/a.ipynb", text)
    gathered.add("src/m.bin", b"\xff\x00\n\xfe " + AWS.encode())
    message = refusal(gathered)
    assert "src/a.ipynb:2: GitHub Token" in message and "src/m.bin:2: AWS" in message


ORDINARY = {
    "a public key": "-----BEGIN PUBLIC KEY-----",
    "a certificate": "-----BEGIN CERTIFICATE-----",
    "a placeholder of a storage key": "AccountKey=<your key>",
    "too short for a storage key": "AccountKey=" + "a" * 40,
    "a digest of npm": "sha512-" + STORAGE_KEY,
    "a picture in base64": "iVBORw0KGgo" + AWS + "AAAA",
    "another parameter named sig": "https://x.org/?sig=abc&y=1",
    "a word that ends in sig": "de" + "sig=" + "a" * 50,
    "an ordinary name": "self.hf_" + "model",
    "a digest": "sha256:" + "0123456789abcdef" * 4,
    "an example of a URL": "https://user:password@host.org",
    "a database of a test": "postgres://scott:ti" + "ger@localhost/test",
    "a URL that is put together": "https://{user}:{password}@host.org",
    "git by SSH": "git+ssh://git@github.com/me/x.git",
    "a password to fill in": 'password = "<your password>"',
    "a password from elsewhere": 'password = os.environ["DB_PASSWORD1"]',
    "a name of a password": "password: DB_PASSWORD",
    "another name of one": 'password = "my_password"',
    "an input as a password": "password: ${{inputs.password}}",
    "an attribute": "password: self.settings.word",
    "a value of an enumeration": 'PASSWORD2 = "password2"',
    "the name of a secret": 'secret_name = "storage-key-1"',
    "a reference": "password: ${{inputs.password1}}",
    "a variable": "python a.py --password $PASSWORD1 --token ${TOKEN1}",
    "a token of a model": "pad_token: <pad_12345678>",
    "an address": 'LIST_SECRETS = "https://x.org/list?version=2023"',
    "a sentence": '"password": "a sentence with 2 spaces"',
}


@cases("text", ORDINARY)
@pytest.mark.parametrize("is_plain", [False, True], ids=["code", "plain text"])
def test_takes_ordinary_text(text: str, is_plain: bool) -> None:
    assert secret_forms.secrets_in(f"X = 1\n{text}\n".encode(), is_plain) == []


def test_refuses_files_that_hold_credentials_by_their_names(gathered: Gathered) -> None:
    names = [
        *(".env", ".env.local", "prod.env", ".netrc", ".pypirc", "server.pem", "server.KEY"),
        *("a.pfx", "a.p12", "id_rsa", "id_ed25519", "id_ecdsa", ".git-credentials", "kubeconfig"),
        *(".dockerconfig.json", "msal_token_cache.bin", "accessTokens.json", ".databrickscfg"),
        *(".docker/config.json", ".aws/credentials", ".kube/config"),
    ]
    similar = [
        *("environment.py", "env", "keys.py", "monkey", "id_rsa.pub", "pem.txt", ".env.example"),
        *("config.json", "credentials.py", ".env/x.py"),
    ]
    for name in (*names, *similar):
        gathered.add(f"src/{name.replace('.env/', 'x.env/')}", "x")
    message = refusal(gathered)
    assert message.count("a file of this name contains credentials") == len(names)
    assert all(f"\n  src/{name}: a file" in message for name in names)


def test_takes_and_records_a_line_that_says_that_it_is_no_secret(gathered: Gathered) -> None:
    allowed = f"KEY = '{AWS}'  # pragma: allowlist secret"
    gathered.add("src/a.py", allowed)
    # The second time the file is known.
    for _ in range(2):
        assert gathered.plan().allowed == (Allowed("src/a.py:1", "AWS Access Key"),)
    gathered.write("src/a.py", f"{allowed}\nKEY = '{AWS}'\n{allowed}\n")
    message = refusal(gathered)
    assert "src/a.py:2: AWS Access Key." in message
    assert "src/a.py:1" not in message and "src/a.py:3" not in message


def test_takes_a_file_of_a_suspicious_name_that_says_that_it_is_no_secret(
    gathered: Gathered,
) -> None:
    text = "# pragma: allowlist secret\n-----BEGIN CERTIFICATE-----\n"
    gathered.add("src/ca.pem", text)
    what = "a file of this name contains credentials"
    assert gathered.plan().allowed == (Allowed("src/ca.pem", what),)
    gathered.write("src/ca.pem", f"{text}{PRIVATE_KEY}\n")
    assert "src/ca.pem:3: Private Key" in refusal(gathered)


def test_takes_and_records_what_is_allowed_by_its_path(gathered: Gathered) -> None:
    gathered.add("src/a/a.json", f'["{AWS}"]')
    gathered.add("src/a/b.pfx", b"\x00")
    gathered.add("src/b.pfx", b"\x00")
    found = [
        *(
            "src/a/a.json:1: AWS Access Key",
            "src/a/b.pfx: a file of this name contains credentials",
        ),
        "tags.x: AWS Access Key, in a setting of the command line",
    ]
    setting, allow = f"tags.x={AWS}", ["./src/a/", "tags.x"]
    message = refusal(gathered, JOB, setting, allow=allow)
    assert "src/b.pfx" in message and "src/a/" not in message
    # A variable of a script may be empty.
    assert refusal(gathered, JOB, setting, allow=[*allow, ""]) == message
    plan = gathered.plan(JOB, setting, allow=[*allow, "src/b.pfx"])
    assert [f"{each.where}: {each.what}" for each in plan.allowed] == [
        *found[:2],
        "src/b.pfx: a file of this name contains credentials",
        found[2],
    ]


def test_does_not_search_what_is_too_large_to_have_been_typed(gathered: Gathered) -> None:
    gathered.add("src/a.bin", AWS)
    for base in (gathered.repository, gathered.folder / "sources"):
        with open(base / "src/a.bin", "ab") as file:
            file.truncate(SCAN_BYTES + 1)
    gathered.plan()
    gathered.add("src/a.pem", "x")
    assert "src/a.pem" in refusal(gathered)


@pytest.fixture
def searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """Return the contents that are searched from now on; none was searched before."""
    found: list[bytes] = []
    search = secret_forms.secrets_in
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))

    def record(content: bytes, is_plain: bool) -> list[Secret]:
        found.append(content)
        return search(content, is_plain)

    monkeypatch.setattr(secret_forms, "secrets_in", record)
    return found


def test_does_not_search_the_same_content_again(gathered: Gathered, searched: list[bytes]) -> None:
    gathered.add("src/a.py", f"'{AWS}'")
    for _ in range(2):
        assert "src/a.py:1: AWS" in refusal(gathered)
    assert len(searched) == len(set(searched)) == 2


def test_searches_again_once_the_forms_differ(
    gathered: Gathered, searched: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for rules in ("some", "others"):
        monkeypatch.setattr(known, "_rules", lambda: rules)
        gathered.plan()
    assert len(searched) == 2


def test_does_without_a_cache_folder_that_can_be_made(
    gathered: Gathered, searched: list[bytes]
) -> None:
    Path(os.environ["XDG_CACHE_HOME"], "azureml-jobs").write_text("a file")
    gathered.plan()
