"""Conditions for what an asset is made of, and for what of it may change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.clouds import ACCOUNT
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.component_checks import check_component
from azureml_standin.control_plane.references import References
from azureml_standin.state import State
from azureml_standin.storage.addresses import storage_location

KINDS = ("codes", "environments", "data", "models", "components")
# What of an asset may change; all else is fixed with its first PUT.
_MUTABLE_OF_ASSETS = frozenset({"description", "tags", "isArchived", "autoDeleteSetting", "stage"})
_SET_FOR_ASSETS = frozenset({"provisioningState", "environmentType"})
_OWN_STORAGE = re.compile(rf"https://({ACCOUNT}\.blob\.|(127\.0\.0\.1|localhost):\d+/)")


def check_asset(
    kind: str, properties: Mapping[str, Any], state: State, references: References
) -> None:
    """Raise `HttpError` for properties that no version of this kind can have."""
    if kind == "codes":
        _check_code(properties, state)
    elif kind == "components":
        check_component(properties, references)
    else:
        _CHECKS[kind](properties)


def check_version_unchanged(
    present: Mapping[str, Any], properties: Mapping[str, Any], kind: str, name: str, version: str
) -> None:
    """Raise `HttpError` where a PUT would change what an existing version is.

    azure-ai-ml knows the answer for code, `(UserError) Asset paths cannot be updated.`
    (`_artifacts/_constants.py`), and calls versions immutable throughout.
    """

    def fixed(content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: _comparable(value)
            for key, value in content.items()
            if key not in _MUTABLE_OF_ASSETS | _SET_FOR_ASSETS and value not in (None, {}, [])
        }

    if fixed(present) == fixed(properties):
        return
    if kind == "codes":
        raise resources.user_error("Asset paths cannot be updated.")
    raise resources.user_error(
        f"{kind}/{name} version {version} exists, and versions are immutable.", 409
    )


def _comparable(value: Any) -> Any:
    """Return a value in which addresses in our storage are container and path.

    The service has another port after a new start, and is still the same.
    """
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    if isinstance(value, str) and _OWN_STORAGE.match(value):
        return storage_location(value)
    return value


def _check_environment(properties: Mapping[str, Any]) -> None:
    image, build = properties.get("image"), properties.get("build")
    if bool(image) == bool(build):
        raise resources.user_error("An environment has either 'image' or 'build'.")
    if build and not (isinstance(build, dict) and build.get("contextUri")):
        raise resources.user_error("properties.build.contextUri is required.")
    if build and properties.get("condaFile"):
        raise resources.user_error("'condaFile' needs 'image', not 'build'.")


def _check_data(properties: Mapping[str, Any]) -> None:
    resources.one_of(properties, "dataType", ("uri_file", "uri_folder", "mltable"))
    resources.required(properties, "dataUri")


def _check_model(properties: Mapping[str, Any]) -> None:
    resources.required(properties, "modelUri")


def _check_code(properties: Mapping[str, Any], state: State) -> None:
    uri = resources.required(properties, "codeUri")
    location = storage_location(uri)
    if location is None or not state.has_container(location[0]):
        raise resources.user_error(f"properties.codeUri is no container of this workspace: {uri}")


_CHECKS = {
    "environments": _check_environment,
    "data": _check_data,
    "models": _check_model,
}
