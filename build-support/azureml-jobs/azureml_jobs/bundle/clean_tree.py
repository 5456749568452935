"""Refuse uncommitted files for a workspace that requires it."""

from __future__ import annotations

from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.git_command import GitRefusal, NoRepository
from azureml_jobs.bundle.git_state import git_remedy, uncommitted


def check_clean_tree(workspace: AzureWorkspace | None, repository: Path) -> None:
    """Raise `JobError` if the workspace accepts only committed files, and some are not."""
    if workspace is None or not workspace.needs_clean_tree:
        return
    where = f"{workspace.source}: REQUIRE_CLEAN_TREE"
    try:
        changed = uncommitted(repository)
    except NoRepository as error:
        raise JobError(
            where,
            "git does not say which files are committed",
            "Submit from a clone of the repository, with git installed.",
        ) from error
    except GitRefusal as error:
        raise JobError(where, f"git refuses: {error}", git_remedy(str(error))) from error
    if changed:
        listed = "\n  ".join(changed[:10])
        more = f"\n  and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise JobError(
            where,
            f"{workspace.name} accepts only committed files, and these are not:\n  {listed}{more}",
            "Commit or stash them, or submit to another workspace.",
        )
