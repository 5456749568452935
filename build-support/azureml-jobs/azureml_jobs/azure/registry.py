"""The registry of images of a workspace: where it is, signing in to it, which images it has.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, and for manifests
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from azureml_jobs.azure.connection import Connection
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.sign_in import SignIn
from azureml_jobs.azure.workspace import Workspace
from azureml_jobs.base.errors import OutsideError

_API_VERSION = "2023-07-01"
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


class NoRegistry(OutsideError):
    """The workspace has none yet."""


@dataclass(frozen=True)
class Manifest:
    """What a registry says of an image. `layers` are digests and sizes in bytes, in order.

    `config` is the digest of the image's configuration. Both are empty for an index, whose `parts`
    are the digests of other manifests: one for each platform, and notes of who built them.
    """

    digest: str
    config: str
    layers: tuple[tuple[str, int], ...]
    parts: tuple[str, ...] = ()


class Registry:
    """Found when it is first asked for. It gives its own tokens for the scopes of repositories."""

    def __init__(self, workspace: Workspace, sign_in: SignIn) -> None:
        self._workspace = workspace
        self._sign_in = sign_in
        self._connection = Connection(self)
        self._tokens: dict[str, str] = {}
        self._refresh_token = ""
        self._name = ""
        self._server = ""

    @property
    def server(self) -> str:
        """Its login server. Raises `NoRegistry`, `OutsideError` where it cannot be asked for."""
        if not self._server:
            self._server = self._find()
        return self._server

    def refresh_token(self) -> str:
        """What the docker client signs in by. Raises `OutsideError` when the registry refuses."""
        if not self._refresh_token:
            self._refresh_token = self._exchange()
        return self._refresh_token

    def token(self, scope: str, rejected: str | None = None) -> str:
        """An access token for a scope such as `repository:name:pull`."""
        if rejected is not None:
            self._refresh_token = ""
        if self._tokens.get(scope) in (None, rejected):
            form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token()}
            self._tokens[scope] = self._asked_token("token", {**form, "scope": scope})
        return self._tokens[scope]

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """The manifest of a tag or digest; None when the registry does not have it."""
        try:
            answer = self._connection.request(
                "GET",
                f"https://{self.server}/v2/{repository}/manifests/{reference}",
                scope=f"repository:{repository}:pull",
                headers={"Accept": ", ".join(_MANIFESTS)},
                accept=lambda status: status in (200, 404),
            )
        except ServiceError as error:
            raise self._in_words(error) from error
        if answer.status == 404:
            return None
        found = read_manifest(answer.body)
        if found is None or (":" in reference and found.digest != reference):
            raise OutsideError(
                f"{self.server}/{repository}", "the registry answered something else than an image"
            )
        return found

    def check_push(self, repository: str) -> None:
        """Raise `OutsideError` when the registry does not answer, or takes nothing from us.

        Docker tells a fault of the network and a role that lacks by the same word.
        """
        base = f"https://{self.server}/v2/"
        try:
            self._connection.request("GET", base, accept=lambda status: status in (200, 401))
            begun = self._connection.request(
                "POST",
                f"{base}{repository}/blobs/uploads/",
                scope=f"repository:{repository}:pull,push",
                body=b"",
            )
        except ServiceError as error:
            raise self._in_words(error) from error
        location = urljoin(base, begun.headers.get("location", ""))
        with contextlib.suppress(ServiceError):
            # What stays of it is forgotten by the registry within days.
            self._connection.request(
                "DELETE",
                location,
                scope=f"repository:{repository}:pull,push",
                accept=lambda status: True,
            )

    def _find(self) -> str:
        workspace = self._workspace
        resource = workspace.details["properties"].get("containerRegistry")
        if not resource:
            raise NoRegistry(
                workspace.place.name,
                "the workspace has no registry of images yet",
                "Azure ML makes one when it first builds an image: submit the job once without "
                "`--image`.\nOr attach one: `az ml workspace update --container-registry …`.",
            )
        cloud = workspace.cloud
        self._name = str(resource).rpartition("/")[2]
        try:
            answer = workspace.connection.request(
                "GET",
                f"{cloud.resource_manager}{resource}?api-version={_API_VERSION}",
                scope=cloud.management_scope,
            )
        except ServiceError as error:
            if error.status_code != 403 or not cloud.registry_suffix:
                raise
            # Who may push may still not be allowed to look at the resource.
            return f"{self._name.lower()}.{cloud.registry_suffix}"
        return str(answer.json()["properties"]["loginServer"])

    def _exchange(self) -> str:
        """A refresh token for a token of the resource manager, as `az acr login` gets it."""
        scope = self._workspace.cloud.management_scope
        token = self._sign_in.token(scope)
        try:
            return self._exchanged(token)
        except ServiceError as error:
            if error.status_code != 401:
                raise self._in_words(error) from error
        # It may have been revoked, or the clock here may be wrong.
        try:
            return self._exchanged(self._sign_in.token(scope, rejected=token))
        except ServiceError as error:
            raise self._in_words(error) from error

    def _exchanged(self, token: str) -> str:
        form = {"grant_type": "access_token", "access_token": token}
        tenant = _tenant_of(token)
        if tenant:
            form["tenant"] = tenant
        return self._posted("exchange", form, "refresh_token")

    def _asked_token(self, path: str, form: Mapping[str, str]) -> str:
        try:
            return self._posted(path, form, "access_token")
        except ServiceError as error:
            raise self._in_words(error) from error

    def _posted(self, path: str, form: Mapping[str, str], wanted: str) -> str:
        answer = self._connection.request(
            "POST",
            f"https://{self.server}/oauth2/{path}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({**form, "service": self.server}).encode(),
        )
        try:
            return str(answer.json()[wanted])
        except (ValueError, KeyError, TypeError) as error:
            # The answer is not shown: it may hold a token.
            raise OutsideError(
                self.server, "the registry answered something else than a token"
            ) from error

    def _in_words(self, error: ServiceError) -> OutsideError:
        if error.status_code not in (401, 403):
            return error
        return OutsideError(
            self.server,
            f"the registry refuses your account: {error.what}",
            "To push images, it needs the role AcrPush on the registry: docs/azure.md. And the "
            "registry has to take the tokens that\nAzure CLI gives: "
            f"`az acr config authentication-as-arm show --registry {self._name}`.",
        )


def read_manifest(content: bytes) -> Manifest | None:
    """A manifest by its own bytes; None for what is none."""
    try:
        given = json.loads(content)
        config = str((given.get("config") or {}).get("digest") or "")
        layers = tuple((str(each["digest"]), int(each["size"])) for each in given.get("layers", ()))
        parts = tuple(str(each["digest"]) for each in given.get("manifests", ()))
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    return Manifest(f"sha256:{hashlib.sha256(content).hexdigest()}", config, layers, parts)


def _tenant_of(token: str) -> str:
    """The tenant that issued a token; empty where it does not say."""
    try:
        claims = token.split(".")[1]
        known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return str(known.get("tid") or "")
    except (IndexError, ValueError, AttributeError):
        return ""
