"""Refuse a job that would contain secrets: in its files, documents, settings and data."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.known import KnownTexts, known_texts
from azureml_jobs.bundle.suspicions import ALLOW_COMMENT, Allowed, Suspicion, judge

# Nobody types or pastes a credential into a larger file.
SCAN_BYTES = 32 * 1024 * 1024
SECRET_NAME = "a file of this name contains credentials"

_REMEDY = (
    "Remove it, and let the job get it when it runs: from Azure Key Vault, as a secret of the "
    "workspace,\nor by a managed identity, which needs none. A value in the job file or in `--set` "
    "is shown to\neverybody who may see the job.\n"
    f"If a line is harmless, add the comment `# {ALLOW_COMMENT}` to it. If it can have none, or "
    "is\nlisted for its name, add `--allow PATH` after `--`; for `package` write "
    "`./pants --azureml-allow=PATH package …`.\ndocs/security.md has more."
)


def check_secrets(
    suspicions: Iterable[Suspicion], allow: Sequence[str], where: str, noun: str = "job"
) -> tuple[Allowed, ...]:
    """Return what the user has allowed; raise `JobError` that names all else, never its text."""
    what = f"the {noun} would contain what looks like a secret:"
    return judge(suspicions, allow, where, what, _REMEDY)


def suspicious_files(files: Iterable[BundleFile]) -> list[Suspicion]:
    """Return what looks like secrets in files that are sent.

    A file whose content was searched before is not searched again.
    """
    with known_texts() as known:
        return [each for file in files for each in _in_file(file, known)]


def _in_file(file: BundleFile, known: KnownTexts) -> Iterator[Suspicion]:
    if has_secret_name(file.source):
        content = file.content.read_bytes() if file.size <= SCAN_BYTES else b""
        yield Suspicion(file.source, SECRET_NAME, is_marked=ALLOW_COMMENT.encode() in content)
    if file.size <= SCAN_BYTES:
        for secret in known.in_file(file):
            yield Suspicion(file.source, secret.kind, secret.line, secret.is_marked)


def suspicious_settings(settings: Iterable[str]) -> list[Suspicion]:
    """Return what looks like secrets in settings `key.path=value`."""
    with known_texts() as known:
        return [
            Suspicion(setting.partition("=")[0], f"{secret.kind}, in a setting of the command line")
            for setting in settings
            # No secret is shorter.
            if len(setting.partition("=")[2]) >= 8
            for secret in known.in_text(setting.encode(), is_plain=True)
        ]


def _matching(*names: str) -> re.Pattern[str]:
    # Data may be a million files, and one expression takes a tenth of the time of many.
    return re.compile("|".join(map(fnmatch.translate, names)))


_LISTED = _matching(
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
# Folders of a home that are for credentials.
_FOLDERS = frozenset({".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker"})
_HARMLESS = _matching(
    # What says which values are needed, without them.
    *("*.example", "*.sample", "*.template", "*.dist", "example.env", "sample.env"),
    # What is public in these folders.
    *("*.pub", "known_hosts", "authorized_keys"),
)


def has_secret_name(path: str) -> bool:
    """Return whether a file of this path contains credentials by convention."""
    *folders, name = path.lower().split("/")
    if _HARMLESS.match(name):
        return False
    return _LISTED.match(name) is not None or not _FOLDERS.isdisjoint(folders)
