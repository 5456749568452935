"""Make the variables with which clients find the service and sign in to it."""

from __future__ import annotations

from azureml_standin.clouds import PRIVATE_CLOUD
from azureml_standin.control_plane.resources import WorkspaceAddress
from azureml_standin.http.certificates import CertificateAuthority
from azureml_standin.sign_in.build_servers import GITHUB, PIPELINES
from azureml_standin.sign_in.entra import SignIn


class ClientVariables:
    """Files for clients, such as certificates, are written to the authority's folder."""

    def __init__(
        self,
        port: int,
        workspace: WorkspaceAddress,
        sign_in: SignIn,
        authority: CertificateAuthority,
    ) -> None:
        self._url = f"https://127.0.0.1:{port}"
        self._http = f"http://127.0.0.1:{port}"
        self._workspace = workspace
        self._sign_in = sign_in
        self._authority = authority

    def direct(self, sign_in: str = "secret", cloud: str = PRIVATE_CLOUD) -> dict[str, str]:
        """Return variables by which azure-ai-ml and azure-identity find the service's address.

        sign_in: see `sign_in_by`. cloud: the name of one of the clouds in the metadata.
        """
        return {
            "ARM_CLOUD_METADATA_URL": f"{self._url}/metadata/endpoints?api-version=2022-09-01",
            "AZUREML_CURRENT_CLOUD": cloud,
            "AZURE_AUTHORITY_HOST": self._url,
            "REQUESTS_CA_BUNDLE": str(self._authority.ca_file),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "CLOUD": self._url,
            **self.workspace(),
            **self.sign_in_by(sign_in),
        }

    def by_proxy(self, sign_in: str = "secret") -> dict[str, str]:
        """Return variables by which a client reaches the service under real host names.

        The service is then the client's proxy for HTTPS: it ends TLS, and forwards nothing.
        """
        return {
            "HTTPS_PROXY": self._http,
            "https_proxy": self._http,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(self._authority.ca_file),
            **self.workspace(),
            **self.sign_in_by(sign_in),
        }

    def workspace(self) -> dict[str, str]:
        """Return the variables of `config.env`."""
        return {
            "SUBSCRIPTION_ID": self._workspace.subscription,
            "RESOURCE_GROUP": self._workspace.group,
            "WORKSPACE": self._workspace.name,
        }

    def sign_in_by(self, way: str) -> dict[str, str]:
        """Return the variables of azure-identity for one way to sign in.

        `secret`, `certificate`, `workload` (a federated token), `github` and `pipelines` (build
        servers), `machine` and `app-service` (managed identities), or empty for no sign-in.
        """
        principal = self._sign_in.principal
        named = {
            "AZURE_TENANT_ID": self._sign_in.tokens.tenant,
            "AZURE_CLIENT_ID": principal.client_id,
        }
        if way == "secret":
            return {**named, "AZURE_CLIENT_SECRET": principal.secret}
        if way == "certificate":
            file, certificate = self._authority.client_certificate()
            principal.certificate = certificate.decode()
            return {**named, "AZURE_CLIENT_CERTIFICATE_PATH": str(file)}
        if way == "workload":
            token = self._authority.folder / "federated-token"
            token.touch(mode=0o600)
            token.write_text(principal.federated_token, encoding="ascii")
            return {**named, "AZURE_FEDERATED_TOKEN_FILE": str(token)}
        if way in (GITHUB, PIPELINES):
            return {**named, **self._sign_in.build_servers.variables(way, self._url)}
        if way == "machine":
            return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self._http}
        if way == "app-service":
            return {
                "IDENTITY_ENDPOINT": f"{self._http}/msi/token",
                "IDENTITY_HEADER": self._sign_in.managed_identity.header,
            }
        if way:
            raise ValueError(f"unknown way to sign in: {way}")
        return {}
