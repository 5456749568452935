"""Command lines of containers, run by a real engine if one answers."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import needs_engine
from azureml_jobs.docker.container import Container, Mount, client_environment, input_path
from azureml_jobs.docker.engine import image_id
from hypothesis import given
from hypothesis import strategies as st

# What a path can hold.
PATHS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1)


@given(PATHS, st.booleans())
def test_a_mount_is_one_row_of_csv_whatever_the_path(path: str, read_only: bool) -> None:
    option = Mount(path, "/x", read_only).option()
    (row,) = csv.reader(io.StringIO(option, newline=""), strict=True)
    assert row == ["type=bind", f"source={path}", "target=/x", *["readonly"] * read_only]


def test_values_of_variables_are_not_in_the_command_line() -> None:
    container = Container("n", "i:1", "sha256:0", "/w", "1:2")
    environment = {"TOKEN": "s3cret", "PATH": "/own/bin", "DOCKER_HOST": "tcp://inner"}
    line = container.run_arguments(["true"], environment)
    client = client_environment(environment, {"PATH": "/usr/bin", "DOCKER_HOST": "unix:///outer"})
    assert "s3cret" not in " ".join(line)
    assert "TOKEN" in line and client["TOKEN"] == "s3cret"
    # The client's own variables stay as they are.
    assert (client["PATH"], client["DOCKER_HOST"]) == ("/usr/bin", "unix:///outer")
    assert {"PATH=/own/bin", "DOCKER_HOST=tcp://inner"} < set(line)


def test_an_input_file_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    folder = "/mnt/azureml/cr/j/job-1/cap/data-capability/wd/INPUT_table"
    assert input_path("job-1", "table", tmp_path / "a.csv") == f"{folder}/a.csv"
    assert input_path("job-1", "table", tmp_path) == folder


@needs_engine
@pytest.mark.parametrize("name", ["plain", 'with , a "quote" and é: blanks'])
def test_a_command_gets_its_folder_variables_and_user(
    base_image: str, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    read_only = tmp_path / "data"
    read_only.mkdir()
    container = Container(
        f"test-container-{os.getpid()}",
        base_image,
        image_id(base_image) or "",
        "/mnt/work",
        "12345:12346",
        [Mount(str(folder), "/mnt/work"), Mount(str(read_only), "/mnt/data", read_only=True)],
        ["--env=GIVEN=by the user"],
    )
    folder.chmod(0o777)
    environment = {"SEVERAL": "two\nlines", "PATH": "/usr/bin:/bin"}
    script = 'echo "$SEVERAL,$GIVEN,$PATH"; id -u; touch made; touch /mnt/data/x || exit 7'
    done = subprocess.run(
        container.run_arguments(["bash", "-c", script], environment),
        env=client_environment(environment, os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == "two\nlines,by the user,/usr/bin:/bin\n12345\n", done.stderr
    assert done.returncode == 7
    made = (folder / "made").stat()
    assert (made.st_uid, made.st_gid) == (12345, 12346)
    assert list(read_only.iterdir()) == []
