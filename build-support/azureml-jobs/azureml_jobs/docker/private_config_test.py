"""The docker client is signed in for one push, and nothing is left of it afterwards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.docker.private_config import signed_in


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of temporary folders, and check that none is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def own_config(folder: Path, text: str) -> Path:
    own = folder / "own"
    (own / "contexts/meta").mkdir(parents=True)
    (own / "config.json").write_text(text)
    return own


def test_the_engine_of_the_user_is_kept_and_their_sign_ins_are_not(
    temporary_folder: Path, tmp_path: Path
) -> None:
    kept = {"currentContext": "far", "proxies": {"default": {"noProxy": "*"}}}
    others = {"auths": {"x": {"auth": "eDp5"}}, "credsStore": "desktop", "credHelpers": {"y": "z"}}
    own = own_config(tmp_path, json.dumps({**kept, **others}))
    environment = {"DOCKER_CONFIG": str(own), "DOCKER_HOST": "tcp://far:1", "PATH": "/bin"}
    with signed_in("my.azurecr.io", "a-token", environment) as changed:
        folder = Path(changed["DOCKER_CONFIG"])
        assert folder.parent == temporary_folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "config.json").stat().st_mode & 0o777 == 0o600
        config = json.loads((folder / "config.json").read_text())
        assert config.pop("auths") == {
            "my.azurecr.io": {
                "auth": "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==",
                "identitytoken": "a-token",
            }
        }
        assert config == kept
        assert (folder / "contexts/meta").is_dir()
        assert "a-token" not in repr(changed)
    assert {**changed, "DOCKER_CONFIG": str(own)} == environment
    # The target of the link still exists.
    assert (own / "contexts/meta").is_dir()


def test_the_client_finds_the_certificates_of_an_engine(
    temporary_folder: Path, tmp_path: Path
) -> None:
    own = own_config(tmp_path, "{}")
    environment = {"DOCKER_CONFIG": str(own), "DOCKER_TLS_VERIFY": "1"}
    with signed_in("s", "t", environment) as changed:
        assert changed["DOCKER_CERT_PATH"] == str(own)
    named = {**environment, "DOCKER_CERT_PATH": "/certificates"}
    with signed_in("s", "t", named) as changed:
        assert changed["DOCKER_CERT_PATH"] == "/certificates"


@pytest.mark.parametrize("text", ["no json", "[]"])
def test_an_unreadable_configuration_counts_as_none(
    temporary_folder: Path, tmp_path: Path, text: str
) -> None:
    own = own_config(tmp_path, text)
    with signed_in("s", "t", {"DOCKER_CONFIG": str(own)}) as changed:
        config = json.loads(Path(changed["DOCKER_CONFIG"], "config.json").read_text())
        assert list(config) == ["auths"]


def test_a_failure_leaves_nothing_behind(temporary_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        with signed_in("s", "t", {"DOCKER_CONFIG": str(tmp_path / "none")}):
            raise KeyboardInterrupt
