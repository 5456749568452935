"""Refuse what is not committed, where the workspace asks for that."""

from __future__ import annotations

from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.provenance import uncommitted


def check_clean_tree(workspace: AzureWorkspace | None, repository: Path) -> None:
    """Raise `JobError` where the workspace takes only what is committed, and something is not."""
    if workspace is None or not workspace.needs_clean_tree:
        return
    changed = uncommitted(repository)
    if changed is None:
        raise JobError(
            f"{workspace.source}: REQUIRE_CLEAN_TREE",
            "git does not tell what is committed here",
            "Run it in a clone of the repository, with git installed.",
        )
    if changed:
        listed = "\n  ".join(changed[:10])
        more = f"\n  and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise JobError(
            f"{workspace.source}: REQUIRE_CLEAN_TREE",
            f"{workspace.name} takes only what is committed, and these are not:\n  {listed}{more}",
            "Commit or stash them, or submit to another workspace.",
        )
