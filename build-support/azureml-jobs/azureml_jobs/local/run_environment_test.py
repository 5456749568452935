"""Runs whose commands install packages, in real processes."""

from __future__ import annotations

from pathlib import Path

from azureml_jobs.local.conftest import SHOW, Jobs, below, make_wheel

INSTALL = """
set -e
show-shared before
pip install --quiet --no-index --find-links="$WHEELS" extra shared==2
show-shared after
python -c 'import extra, sys; print(extra.VERSION, open(sys.prefix + "/share/shared.txt").read())'
"""


def test_pip_installs_into_an_environment_of_the_run(packages: Path, tmp_path: Path) -> None:
    # Nothing in the name of a folder is a command of a shell.
    repository = tmp_path / 'a "répo\'s" `touch $HOME`'
    repository.mkdir()
    jobs = Jobs(repository)
    make_wheel(tmp_path, "extra", "1")
    make_wheel(tmp_path, "shared", "2")
    before = below(packages)
    variables = {"WHEELS": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    folder = jobs.new(INSTALL, python=str(packages), environment_variables=variables)
    status, out, err = jobs.run(folder)
    assert (status, out.decode().splitlines()[:3]) == (
        0,
        ["shared 1 before", "shared 2 after", "1 2"],
    ), err
    assert below(packages) == before
    assert (packages / "share/shared.txt").read_text() == "1"
    assert not (folder.path / "environment").exists()
    assert SHOW in (packages / "bin/show-shared").read_text()
