"""Make the variables with which clients find the service and sign in to it."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_standin.clouds import PRIVATE_CLOUD
from azureml_standin.control_plane.resources import PLACE
from azureml_standin.http.certificates import CertificateAuthority
from azureml_standin.sign_in.build_servers import GITHUB, PIPELINES
from azureml_standin.sign_in.entra import SignIn


@dataclass(frozen=True)
class ClientVariables:
    """Variables for clients of the service at `url`, or at `http` without TLS.

    Their files, such as certificates, are in the authority's folder.
    """

    url: str
    http: str
    sign_in: SignIn
    authority: CertificateAuthority

    def direct(self, sign_in: str = "secret") -> dict[str, str]:
        """Return variables by which azure-ai-ml and azure-identity find the service's address.

        sign_in: see `sign_in_by`.
        """
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2022-09-01",
            "AZUREML_CURRENT_CLOUD": PRIVATE_CLOUD,
            "AZURE_AUTHORITY_HOST": self.url,
            "CLOUD": self.url,
            **{name: "127.0.0.1,localhost" for name in ("NO_PROXY", "no_proxy")},
            **self._for_all(sign_in),
        }

    def by_proxy(self, sign_in: str = "secret") -> dict[str, str]:
        """Return variables by which a client reaches the service under real host names.

        The service is then the client's proxy for HTTPS: it ends TLS, and forwards nothing.
        """
        return {
            **{name: self.http for name in ("HTTPS_PROXY", "https_proxy")},
            **{name: "" for name in ("NO_PROXY", "no_proxy")},
            **self._for_all(sign_in),
        }

    def _for_all(self, sign_in: str) -> dict[str, str]:
        certificates = {"REQUESTS_CA_BUNDLE": str(self.authority.ca_file)}
        return {**certificates, **self.workspace(), **self.sign_in_by(sign_in)}

    def workspace(self) -> dict[str, str]:
        """Return the variables of `config.env`."""
        return {
            "SUBSCRIPTION_ID": PLACE["subscription"],
            "RESOURCE_GROUP": PLACE["group"],
            "WORKSPACE": PLACE["workspace"],
        }

    def sign_in_by(self, way: str) -> dict[str, str]:
        """Return the variables of azure-identity for one way to sign in.

        `secret`, `certificate`, `workload` (a federated token), `github` and `pipelines` (build
        servers), `machine` and `app-service` (managed identities), or empty for no sign-in.
        """
        principal, header = self.sign_in.principal, self.sign_in.identity_header
        if not way:
            return {}
        if way == "machine":
            return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.http}
        if way == "app-service":
            return {"IDENTITY_ENDPOINT": f"{self.http}/msi/token", "IDENTITY_HEADER": header}
        if way == "secret":
            credential = {"AZURE_CLIENT_SECRET": principal.secret}
        elif way == "certificate":
            file, certificate = self.authority.client_certificate()
            principal.certificate = certificate.decode()
            credential = {"AZURE_CLIENT_CERTIFICATE_PATH": str(file)}
        elif way == "workload":
            token = self.authority.folder / "federated-token"
            token.write_text(principal.federated_token, encoding="ascii")
            credential = {"AZURE_FEDERATED_TOKEN_FILE": str(token)}
        elif way in (GITHUB, PIPELINES):
            credential = self.sign_in.build_servers.variables(way, self.url)
        else:
            raise ValueError(f"unknown way to sign in: {way}")
        tenant = self.sign_in.tokens.tenant
        return {"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": principal.client_id, **credential}
