"""What the docker client finds for one push, and what is left of it afterwards: nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.docker.private_config import signed_in


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; none is left."""
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


def test_the_user_s_engine_is_kept_and_their_sign_ins_are_not(place: Path, tmp_path: Path) -> None:
    kept = {"currentContext": "far", "proxies": {"default": {"noProxy": "*"}}}
    others = {"auths": {"x": {"auth": "eDp5"}}, "credsStore": "desktop", "credHelpers": {"y": "z"}}
    own = own_config(tmp_path, json.dumps({**kept, **others}))
    environment = {"DOCKER_CONFIG": str(own), "DOCKER_HOST": "tcp://far:1", "PATH": "/bin"}
    with signed_in("my.azurecr.io", "a-token", environment) as changed:
        folder = Path(changed["DOCKER_CONFIG"])
        assert folder.parent == place
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
    # The folder that a link led to is still there.
    assert (own / "contexts/meta").is_dir()


def test_certificates_of_an_engine_are_where_they_were(place: Path, tmp_path: Path) -> None:
    own = own_config(tmp_path, "{}")
    environment = {"DOCKER_CONFIG": str(own), "DOCKER_TLS_VERIFY": "1"}
    with signed_in("s", "t", environment) as changed:
        assert changed["DOCKER_CERT_PATH"] == str(own)
    named = {**environment, "DOCKER_CERT_PATH": "/certificates"}
    with signed_in("s", "t", named) as changed:
        assert changed["DOCKER_CERT_PATH"] == "/certificates"


@pytest.mark.parametrize("text", ["no json", "[]"])
def test_a_configuration_that_cannot_be_read_is_none(
    place: Path, tmp_path: Path, text: str
) -> None:
    own = own_config(tmp_path, text)
    with signed_in("s", "t", {"DOCKER_CONFIG": str(own)}) as changed:
        config = json.loads(Path(changed["DOCKER_CONFIG"], "config.json").read_text())
        assert list(config) == ["auths"]


def test_nothing_is_left_when_it_fails(place: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        with signed_in("s", "t", {"DOCKER_CONFIG": str(tmp_path / "none")}):
            raise KeyboardInterrupt
