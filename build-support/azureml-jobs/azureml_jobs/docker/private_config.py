"""Sign the docker client in to one registry, by a temporary configuration."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# The user name that an Azure registry expects with a token:
# https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
_TOKEN_USER = "00000000-0000-0000-0000-000000000000"
# What decides which engine the client uses, and how. No sign-ins, and no programs that keep them.
_KEPT_KEYS = {"currentContext", "proxies", "HttpHeaders"}


@contextlib.contextmanager
def signed_in(server: str, token: str, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the environment of a docker client that is signed in to `server` by an identity token.

    The token is in a folder that only this user can read, and that is removed at the end. The
    client uses the same engine as with the user's own configuration.
    """
    own = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="azureml-jobs-docker-") as name:
        folder = Path(name)
        if (own / "contexts").is_dir():
            os.symlink((own / "contexts").absolute(), folder / "contexts")
        login = {
            "auth": base64.b64encode(f"{_TOKEN_USER}:".encode()).decode("ascii"),
            "identitytoken": token,
        }
        config = {**_without_secrets(own / "config.json"), "auths": {server: login}}
        file = os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as out:
            json.dump(config, out)
        changed = {"DOCKER_CONFIG": str(folder)}
        if environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_TLS"):
            # By default the client looks for certificates next to its configuration.
            changed["DOCKER_CERT_PATH"] = environment.get("DOCKER_CERT_PATH") or str(own)
        yield {**environment, **changed}


def _without_secrets(file: Path) -> dict[str, Any]:
    """Return the user's configuration without secrets, empty if it cannot be read."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        return {key: given[key] for key in given.keys() & _KEPT_KEYS}
    except (OSError, ValueError, AttributeError):
        return {}
