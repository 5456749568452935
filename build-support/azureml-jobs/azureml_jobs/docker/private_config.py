"""A configuration of the docker client that signs in to one registry, and is gone afterwards."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# What a registry of Azure takes as the name that goes with a token:
# https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
_NOBODY = "00000000-0000-0000-0000-000000000000"
# What decides which engine is talked to, and how. No sign-ins, and no programs that keep them.
_KEPT = ("currentContext", "proxies", "HttpHeaders")


@contextlib.contextmanager
def signed_in(server: str, token: str, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a docker client that is signed in to `server` by an identity token.

    The token is in a file of a folder that only this user can read, and that is removed at the
    end. The client goes to the engine that it goes to with the user's own configuration.
    """
    own = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    folder = Path(tempfile.mkdtemp(prefix="azureml-jobs-docker-"))
    try:
        if (own / "contexts").is_dir():
            os.symlink((own / "contexts").absolute(), folder / "contexts")
        login = {
            "auth": base64.b64encode(f"{_NOBODY}:".encode()).decode("ascii"),
            "identitytoken": token,
        }
        config = {**_kept(own / "config.json"), "auths": {server: login}}
        file = os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as out:
            json.dump(config, out)
        changed = {"DOCKER_CONFIG": str(folder)}
        if environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_TLS"):
            # The client looks for its certificates beside its configuration.
            changed["DOCKER_CERT_PATH"] = environment.get("DOCKER_CERT_PATH") or str(own)
        yield {**environment, **changed}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kept(file: Path) -> dict[str, Any]:
    """The user's own configuration without what is secret; nothing where none can be read."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: given[key] for key in _KEPT if key in given} if isinstance(given, dict) else {}
