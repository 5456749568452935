"""Names of files that contain credentials by convention."""

from __future__ import annotations

import fnmatch

_NAMES = (
    *(".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass"),
    *("*.pem", "*.key", "*.pfx", "*.p12", "*.jks", "*.keystore", "*.ppk", "*.kdbx", "*.ovpn"),
    *("id_rsa", "id_dsa", "id_ed25519", "id_ecdsa", "id_ed25519_sk", "id_ecdsa_sk"),
    *(".git-credentials", "kubeconfig", "*.kubeconfig", ".dockercfg", ".dockerconfigjson"),
    *(".dockerconfig.json", ".htpasswd", ".vault-token", ".databrickscfg", ".s3cfg", ".boto"),
    *("credentials.json", "client_secret*.json", "service-account*.json", "secrets.toml"),
    # Microsoft's libraries and programs that sign in.
    *("msal_token_cache.*", "msal_http_cache.*", "service_principal_entries.*"),
    *("accesstokens.json", "token_cache.bin", "azureprofile.json", "*.publishsettings"),
    "local.settings.json",
)
# What says which values are needed, without them.
_TEMPLATES = ("*.example", "*.sample", "*.template", "*.dist", "example.env", "sample.env")
# Folders of a home that are for credentials, and what is public in them.
_FOLDERS = (".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker")
_PUBLIC = ("*.pub", "known_hosts", "authorized_keys")


def has_secret_name(path: str) -> bool:
    """Return whether a file of this path contains credentials by convention."""
    *folders, name = path.lower().split("/")
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in (*_TEMPLATES, *_PUBLIC)):
        return False
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _NAMES):
        return True
    return any(folder in _FOLDERS for folder in folders)
