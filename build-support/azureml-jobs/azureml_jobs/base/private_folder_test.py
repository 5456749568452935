from __future__ import annotations

import stat
from pathlib import Path

import pytest
from azureml_jobs.base.files import make_folder, write_file


@pytest.mark.parametrize("exists", [True, False], ids=["of an older version", "new"])
def test_the_folder_of_the_workspace_is_its_owner_s_alone(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "repository/.azureml"
    if exists:
        folder.mkdir(mode=0o755, parents=True)
    make_folder(folder / "jobs/a")
    write_file(folder / "jobs/a/record.json", "{}")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder / "jobs/a/record.json")]
    assert modes == [0o700, 0o600]
    # A folder that is not ours is left as it is.
    assert stat.S_IMODE(folder.parent.stat().st_mode) & 0o055
