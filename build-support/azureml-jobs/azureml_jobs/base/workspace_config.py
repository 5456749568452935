"""Read which Azure ML workspace is configured in `config.env`, if any."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.nearest import nearest

CONFIG_FILE = "config.env"
LOCAL_FOLDER = ".azureml"
KEYS = ("SUBSCRIPTION_ID", "RESOURCE_GROUP", "WORKSPACE")
PUBLIC_CLOUD = "AzureCloud"
# The public clouds; azure-ai-ml knows the same three.
CLOUDS = (PUBLIC_CLOUD, "AzureChinaCloud", "AzureUSGovernment")
_ALL_KEYS = (*KEYS, "CLOUD", "REQUIRE_CLEAN_TREE")
# The address of a private cloud that a file of the repository may name.
TRUST_VARIABLE = "AZUREML_JOBS_TRUSTED_CLOUD"
_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RESOURCE_NAME = re.compile(r"[\w.()-]+")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SET_SUBSCRIPTION = re.compile(
    r"^[ \t]*(?:export[ \t]+)?['\"]?SUBSCRIPTION_ID['\"]?[ \t]*=[ \t]*['\"]?[ \t]*[^\s'\"<#]", re.M
)


@dataclass(frozen=True)
class AzureWorkspace:
    """A workspace of Azure Machine Learning.

    `cloud` is the name of a cloud, or the `https://` address of a private cloud's resource manager.
    `source` says who names the workspace, a file or variables, `cloud_source` the same of the
    cloud; `needs_clean_tree` says that only committed files may be sent there.
    """

    subscription_id: str
    resource_group: str
    name: str
    cloud: str = PUBLIC_CLOUD
    source: str = CONFIG_FILE
    cloud_source: str = f"{CONFIG_FILE}: CLOUD"
    needs_clean_tree: bool = False

    @property
    def resource_id(self) -> str:
        """The id in Azure Resource Manager, which begins with a slash."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )


def configured_workspace(
    repository: Path, profile: str | None = None, environment: Mapping[str, str] = os.environ
) -> AzureWorkspace | None:
    """Return the workspace that `config.env` names; environment variables override the file.

    With `profile` the file is `config.<profile>.env`. Return None, for the local workspace, when no
    value is set, or while all are still placeholders such as `<workspace>`. Raise `JobError` when
    some are missing, and for a profile that names no workspace. A variable `WORKSPACE` alone does
    not count, because build servers set one of that name to a folder.
    """
    file = repository / _config_file(repository, profile)
    written = _written(file)
    values = {key: (environment.get(key) or written.get(key) or "").strip() for key in _ALL_KEYS}
    _check_keys(file.name, written, values)
    where = {
        key: f"the variable {key}" if environment.get(key) else f"{file.name}: {key}"
        for key in _ALL_KEYS
    }
    given = {key: values[key] for key in KEYS if not _is_placeholder(values[key])}
    if not given or (list(given) == ["WORKSPACE"] and _is_placeholder(written.get("WORKSPACE"))):
        if profile is None:
            return None
        raise JobError(
            f"{file.name}: {KEYS[0]}",
            "the profile names no workspace",
            f"Write {', '.join(f'`{key}=…`' for key in KEYS)} in it.",
        )
    missing = [key for key in KEYS if key not in given]
    if missing:
        raise JobError(
            f"{file.name}: {missing[0]}",
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} set, "
            f"but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not",
            f"Write `{missing[0]}=…`, or clear the others to run jobs in the local workspace.",
        )
    for key in KEYS:
        _check_value(key, given[key], where[key])
    return AzureWorkspace(
        given["SUBSCRIPTION_ID"],
        given["RESOURCE_GROUP"],
        given["WORKSPACE"],
        cloud=_cloud(values["CLOUD"], where["CLOUD"], environment),
        source=_source(file.name, [key for key in KEYS if environment.get(key)]),
        cloud_source=where["CLOUD"],
        needs_clean_tree=_boolean(values["REQUIRE_CLEAN_TREE"], where["REQUIRE_CLEAN_TREE"]),
    )


def may_need_azure(
    texts: Iterable[str], environment: Mapping[str, str], arguments: Sequence[str]
) -> bool:
    """Return whether a run with these arguments may need the packages that talk to Azure.

    `texts` are the contents of all configuration files, which are not fully read here. True may be
    wrong, and then only costs time; False is always right.
    """
    if tuple(arguments[:1]) == ("service",):
        # The stand-in of Azure ML needs the same packages.
        return True
    # MLflow's web page has an environment of its own, whatever it shows.
    if tuple(arguments[:1]) == ("ui",):
        return False
    # What ran in Azure can be run again on this machine.
    again = (("jobs", "reproduce"), ("jobs", "rerun"))
    if "--local" in arguments and tuple(arguments[:2]) not in again:
        return False
    if any(argument.partition("=")[0] == "--profile" for argument in arguments):
        return True
    return bool(environment.get("SUBSCRIPTION_ID")) or any(
        _SET_SUBSCRIPTION.search(text) for text in texts
    )


def _config_file(repository: Path, profile: str | None) -> str:
    if profile is None:
        return CONFIG_FILE
    name = f"config.{profile}.env"
    if not _PROFILE.fullmatch(profile) or not (repository / name).is_file():
        existing = sorted(
            path.name.removeprefix("config.").removesuffix(".env")
            for path in repository.glob("config.*.env")
        )
        raise JobError(
            f"--profile {profile}",
            f"there is no file {name}",
            (
                f"Profiles that exist: {', '.join(existing)}."
                if existing
                else f"Copy {CONFIG_FILE} to {name}."
            ),
        )
    return name


def _check_keys(file: str, written: Mapping[str, str | None], values: Mapping[str, str]) -> None:
    """Raise `JobError` for a key that was probably meant to be one of ours, which is not set."""
    missing = [key for key in _ALL_KEYS if _is_placeholder(values[key])]
    for key in set(written) - set(_ALL_KEYS):
        if (meant := nearest(key, missing)) is not None:
            raise JobError(f"{file}: {key}", "there is no such key", f"Did you mean `{meant}`?")


def _check_value(key: str, value: str, where: str) -> None:
    if key == "SUBSCRIPTION_ID" and not _SUBSCRIPTION.fullmatch(value):
        raise JobError(
            where,
            f"`{value}` is no id of a subscription, which is 32 digits in five groups",
            "`az account list --output table` lists yours, with their names.",
        )
    if not _RESOURCE_NAME.fullmatch(value):
        raise JobError(where, f"`{value}` is no name of Azure", "Copy it from the studio.")


def _source(file: str, variables: Sequence[str]) -> str:
    """Return who names the workspace: a file, variables, or both."""
    if len(variables) == len(KEYS):
        return "environment variables"
    return f"{file}, {', '.join(variables)} from the environment" if variables else file


def _cloud(value: str, where: str, environment: Mapping[str, str]) -> str:
    if _is_placeholder(value):
        return PUBLIC_CLOUD
    named = {cloud.lower(): cloud for cloud in CLOUDS}
    if value.lower() in named:
        return named[value.lower()]
    if value.startswith("http:"):
        raise JobError(where, f"{value} is not encrypted", "Write an `https://` address.")
    value = value.rstrip("/")
    is_ours = bool(environment.get("CLOUD")) or value == environment.get(TRUST_VARIABLE, "").rstrip(
        "/"
    )
    if value.startswith("https://") and not is_ours:
        raise JobError(
            where,
            f"a file of the repository names {value}, which would get your tokens",
            "If you trust it, say so outside of the repository:\n"
            f"`export {TRUST_VARIABLE}={value}`.",
        )
    # Any other name is looked up in the metadata of a private cloud.
    return value


def _boolean(value: str, where: str) -> bool:
    if value.lower() in ("", "false", "no", "0"):
        return False
    if value.lower() in ("true", "yes", "1"):
        return True
    raise JobError(where, f"`{value}` is not valid here", "Write `true` or `false`.")


def _written(file: Path) -> dict[str, str | None]:
    """Return what a file sets, without looking at variables in its values."""
    from dotenv.parser import parse_stream

    try:
        # Editors on Windows begin a file with a byte order mark.
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise JobError(
            file.name, f"not text in UTF-8 (byte {error.start})", "Save it as UTF-8."
        ) from error
    except OSError as error:
        raise OutsideError(file.name, f"it cannot be read: {error.strerror}") from error
    written = {}
    for line in parse_stream(StringIO(text)):
        if line.error:
            raise JobError(
                f"{file.name}:{line.original.line}",
                "this line sets nothing",
                "Write `KEY=value`, or begin a comment with `#`.",
            )
        if line.key is not None:
            written[line.key] = line.value
    return written


def _is_placeholder(value: str | None) -> bool:
    return not value or re.fullmatch(r"<[^<>]*>", value.strip()) is not None
