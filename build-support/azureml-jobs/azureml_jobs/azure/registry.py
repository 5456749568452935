"""The registry of images of a workspace: where it is, signing in to it, and its images.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, and for manifests
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import urlencode, urljoin

from azureml_jobs.azure.answers import ServiceError, json_object
from azureml_jobs.azure.connection import Connection
from azureml_jobs.azure.sign_in import token_claims
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.pushable_image import PushableImage

_API_VERSION = "2023-07-01"
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


class NoRegistry(OutsideError):
    """The workspace has no registry yet."""


class Registry:
    """The registry of a workspace, looked for when it is first needed.

    It gives its own tokens for the scopes of repositories.
    """

    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self._workspace = workspace
        self._connection = Connection(self, is_trusted=self._is_own)
        self._tokens: dict[str, str] = {}
        self._refresh_token = ""
        self._name = ""

    @cached_property
    def server(self) -> str:
        """Its login server. Raises `NoRegistry`, or `OutsideError` when it cannot be found out."""
        server, cloud = self._find_server(), self._workspace.cloud
        if not cloud.owns(f"https://{server}/"):
            raise OutsideError(
                self._workspace.config.name,
                f"its registry {server} is no host of {cloud.name}, and gets no token",
                "Check who attached it to the workspace.",
            )
        return server

    def _is_own(self, url: str) -> bool:
        return url.startswith(f"https://{self.server}/")

    def refresh_token(self) -> str:
        """Return what the docker client signs in with.

        It is exchanged for a token of the resource manager, as `az acr login` does. Raises
        `OutsideError` when the registry refuses.
        """
        if not self._refresh_token:
            sign_in, scope = self._workspace.sign_in, self._workspace.cloud.management_scope
            with self._names_the_role():
                try:
                    self._refresh_token = self._exchange(sign_in.token(scope))
                except ServiceError as error:
                    if error.status_code != 401:
                        raise
                    # The token may have been revoked, or the clock here may be wrong.
                    self._refresh_token = self._exchange(sign_in.renew(scope))
        return self._refresh_token

    def token(self, scope: str, rejected: str | None = None) -> str:
        """Return an access token for a scope such as `repository:name:pull`."""
        if rejected is not None:
            self._refresh_token = ""
        if self._tokens.get(scope) in (None, rejected):
            refresh_token = self.refresh_token()
            form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": scope}
            with self._names_the_role():
                self._tokens[scope] = self._request_token("token", form, "access_token")
        return self._tokens[scope]

    def find(self, image: PushableImage) -> str | None:
        """Return the digest of an image, None unless the registry has the same by its tag."""
        with self._names_the_role():
            response = self._connection.request(
                "GET",
                f"https://{self.server}/v2/{image.repository}/manifests/{image.tag}",
                scope=f"repository:{image.repository}:pull",
                headers={"Accept": ", ".join(_MANIFESTS)},
                accept=(200, 404),
                check=json_object,
            )
        if response.value is None:
            return None
        digest = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
        # An engine's id of an image is the digest of its configuration, or of its manifest.
        config = (response.value.get("config") or {}).get("digest")
        return digest if image.id in (config, digest) else None

    def check_push(self, repository: str) -> None:
        """Raise `OutsideError` when the registry does not answer, or does not let us push.

        Docker reports a network error and a missing role in the same words.
        """
        base = f"https://{self.server}/v2/"
        scope = f"repository:{repository}:pull,push"
        with self._names_the_role():
            self._connection.request("GET", base, accept=(200, 401))
            upload = self._connection.request(
                "POST", f"{base}{repository}/blobs/uploads/", scope=scope, body=b""
            )
        location = urljoin(base, upload.headers.get("location", ""))
        with contextlib.suppress(ServiceError):
            # The registry itself removes what is left of it within days.
            self._connection.request("DELETE", location, scope=scope, accept=range(600))

    def _find_server(self) -> str:
        workspace = self._workspace
        resource = workspace.details["properties"].get("containerRegistry")
        if not resource:
            raise NoRegistry(
                workspace.config.name,
                "the workspace has no registry of images yet",
                "Azure ML makes one when it first builds an image: submit the job once without "
                "`--image`.\nOr attach one: `az ml workspace update --container-registry …`.",
            )
        cloud = workspace.cloud
        self._name = str(resource).rpartition("/")[2]
        url = f"{cloud.resource_manager}{resource}?api-version={_API_VERSION}"
        try:
            found = workspace.read(json_object, "GET", url)
        except ServiceError as error:
            if error.status_code != 403 or not cloud.registry_suffix:
                raise
            # An account that may push may still not be allowed to see the resource.
            return f"{self._name.lower()}.{cloud.registry_suffix}"
        return str(found["properties"]["loginServer"])

    def _exchange(self, token: str) -> str:
        form = {"grant_type": "access_token", "access_token": token}
        if tenant := token_claims(token).get("tid"):
            form["tenant"] = str(tenant)
        return self._request_token("exchange", form, "refresh_token")

    def _request_token(self, path: str, form: Mapping[str, str], key: str) -> str:
        found = self._connection.read(
            json_object,
            "POST",
            f"https://{self.server}/oauth2/{path}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({**form, "service": self.server}).encode(),
        )
        return str(found[key])

    @contextlib.contextmanager
    def _names_the_role(self) -> Iterator[None]:
        """Let errors say what to do when the account is missing a role."""
        try:
            yield
        except ServiceError as error:
            if error.status_code not in (401, 403):
                raise
            raise OutsideError(
                self.server,
                f"the registry refuses your account: {error.what}",
                "To push images, it needs the role AcrPush on the registry: docs/azure.md. And the "
                "registry has to accept the tokens of\nAzure CLI: "
                f"`az acr config authentication-as-arm show --registry {self._name}`.",
            ) from error
