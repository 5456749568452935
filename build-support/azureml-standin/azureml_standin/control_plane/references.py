"""Check what a body names in the workspace: assets, components, computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane.resources import required, user_error
from azureml_standin.control_plane.workspace import ControlPlane

_ASSET_ID = re.compile(
    r"(?:azureml:)?(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.MachineLearningServices/workspaces/[^/]+/)(\w+)/([^/]+)/versions/([^/]+)"
)
# What is in every workspace: registries of assets, and environments that Azure itself keeps up.
_REGISTRY_ID = re.compile(r"azureml://registries/[^/]+/(environments|components|codes)/[^/]+/.+")
_CURATED = re.compile(
    r"azureml:AzureML-[^:@/]+[:@][^:@/]+|/.*/environments/AzureML-[^/]+/versions/.+"
)
_COMPUTE_ID = re.compile(r"(?i:.*/workspaces/[^/]+/computes/)([^/]+)")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs|search_space)\.(\w+)\s*\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[.*?\]\]", re.DOTALL)


class References:
    def __init__(self, control: ControlPlane) -> None:
        self._control = control

    def version(self, id_: str) -> dict[str, Any] | None:
        """Return the version of an asset that an id names; None for one that does not exist."""
        match = _ASSET_ID.fullmatch(id_)
        return self._control.state.document(match[1], f"{match[2]}/{match[3]}") if match else None

    def check_asset(self, id_: Any, kind: str) -> None:
        id_ = str(id_)
        if _REGISTRY_ID.fullmatch(id_) or kind == "environments" and _CURATED.match(id_):
            return
        match = _ASSET_ID.fullmatch(id_)
        if match is None or match[1] != kind:
            raise user_error(f"'{id_}' is not an address of {kind}.")
        if self.version(id_) is None:
            raise user_error(f"{kind}/{match[2]} version {match[3]} was not found.")

    def check_compute(self, id_: Any) -> None:
        """`serverless` is no compute of the workspace; an expression is known to its pipeline."""
        if not id_ or id_ == "serverless" or str(id_).startswith("${{"):
            return
        match = _COMPUTE_ID.fullmatch(str(id_))
        if match is None or match[1] not in self._control.computes:
            raise user_error(f"Unknown compute target '{id_}'.")

    def check_command(
        self, content: Mapping[str, Any], declared: Mapping[str, Any], suffix: str = ""
    ) -> None:
        """Check a command with its code and environment; `suffix` is `Id` in bodies of jobs.

        declared: what `${{inputs.x}}`, `${{outputs.x}}`, `${{search_space.x}}` may name.
        """
        command = required(content, "command")
        self.check_asset(required(content, f"environment{suffix}"), "environments")
        if content.get(f"code{suffix}"):
            self.check_asset(content[f"code{suffix}"], "codes")
        for group, name in _REFERENCE.findall(_OPTIONAL_PART.sub("", command)):
            if name not in (declared.get(group) or {}):
                raise user_error(f"The command names {group}.{name}, which is not declared.")
