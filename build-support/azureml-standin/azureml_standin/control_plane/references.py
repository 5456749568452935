"""Check what a body names in the workspace: assets, components, computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from azureml_standin.control_plane import resources
from azureml_standin.state import State

_ASSET_ID = re.compile(
    r"(?:azureml:)?(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.MachineLearningServices/workspaces/[^/]+/)(\w+)/([^/]+)/versions/([^/]+)"
)
_REGISTRY_ID = re.compile(r"azureml://registries/[^/]+/(environments|components|codes)/[^/]+/.+")
_CURATED = re.compile(
    r"azureml:AzureML-[^:@/]+[:@][^:@/]+|/.*/environments/AzureML-[^/]+/versions/.+"
)
_COMPUTE_ID = re.compile(r"(?i:.*/workspaces/[^/]+/computes/)([^/]+)")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs|search_space)\.(\w+)\s*\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[.*?\]\]", re.DOTALL)


class References:
    def __init__(self, state: State, has_compute: Callable[[str], bool]) -> None:
        self._state = state
        self._has_compute = has_compute

    def version(self, id_: str) -> dict[str, Any] | None:
        """Return the version of an asset that an id names; None for one that does not exist."""
        match = _ASSET_ID.fullmatch(id_)
        return self._state.document(match[1], f"{match[2]}/{match[3]}") if match else None

    def check_asset(self, id_: Any, kind: str) -> None:
        # Environments that Azure itself keeps up are in every workspace.
        if _REGISTRY_ID.fullmatch(str(id_)) or kind == "environments" and _CURATED.match(str(id_)):
            return
        match = _ASSET_ID.fullmatch(str(id_))
        if match is None or match[1] != kind:
            raise resources.user_error(f"'{id_}' is not an address of {kind}.")
        if self.version(match[0]) is None:
            raise resources.user_error(f"{kind}/{match[2]} version {match[3]} was not found.")

    def check_compute(self, id_: Any) -> None:
        """`serverless` is no compute of the workspace; an expression is known to its pipeline."""
        if not id_ or id_ == "serverless" or str(id_).startswith("${{"):
            return
        match = _COMPUTE_ID.fullmatch(str(id_))
        if match is None or not self._has_compute(match[1]):
            raise resources.user_error(f"Unknown compute target '{id_}'.")

    def check_command(
        self, content: Mapping[str, Any], declared: Mapping[str, Any], suffix: str = ""
    ) -> None:
        """Check a command with its code and environment; `suffix` is `Id` in bodies of jobs.

        declared: what `${{inputs.x}}`, `${{outputs.x}}`, `${{search_space.x}}` may name.
        """
        command = resources.required(content, "command")
        environment = f"environment{suffix}"
        self.check_asset(resources.required(content, environment), "environments")
        if content.get(f"code{suffix}"):
            self.check_asset(content[f"code{suffix}"], "codes")
        for group, name in _REFERENCE.findall(_OPTIONAL_PART.sub("", command)):
            if name not in (declared.get(group) or {}):
                raise resources.user_error(
                    f"The command names {group}.{name}, which is not declared."
                )
