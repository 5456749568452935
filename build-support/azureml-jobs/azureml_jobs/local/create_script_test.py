"""Scripts, shells and tests are created in the local workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.conftest import Gathered, tree
from azureml_jobs.docker.container import Container, Mount
from azureml_jobs.docker.engine import Engine, Image
from azureml_jobs.local.conftest import below
from azureml_jobs.local.create_script import create_script, pytest_command, script_command
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script
from azureml_jobs.protocol import PackagesVenv, RuntimeOptions, ScriptRequest


def created(
    gathered: Gathered,
    request: ScriptRequest,
    arguments: Sequence[str] = (),
    runtime: Runtime | None = None,
) -> Path:
    command = script_command(request, arguments)
    return create_script(
        request, gathered.folder, gathered.repository, runtime or Runtime(), command
    )


def script_request(gathered: Gathered, venv: PackagesVenv) -> ScriptRequest:
    gathered.add_code()
    gathered.add("src/exp/local.py", "import common.a\n", executable=True)
    gathered.write("data/a.csv", "1")
    for path in (gathered.folder / "sources/src").rglob("*.py"):
        path.chmod(path.stat().st_mode & ~0o222)
    return ScriptRequest("src/exp:local", "src/exp/local.py", gathered.named_files(), (), venv)


def test_creates_a_script_with_its_code_and_data(gathered: Gathered, venv: PackagesVenv) -> None:
    request = script_request(gathered, venv)
    folder = created(gathered, request, ["--epochs", "3", "a b"])
    assert folder.parent == gathered.repository / ".azureml/local"
    assert folder.name.startswith("exp-")
    assert below(folder / "code") == [
        *("common", "common/a.py", "exp"),
        *("exp/__init__.py", "exp/local.py", "exp/main.py"),
    ]
    # The script may change its copy even when the gathered files are read-only.
    assert (folder / "code/exp/main.py").stat().st_mode & 0o777 == 0o644
    assert (folder / "code/exp/local.py").stat().st_mode & 0o777 == 0o755
    assert (folder / "code/../data/a.csv").read_text() == "1"
    script = Script.read(folder)
    assert script.argv[-5:] == ["python", "exp/local.py", "--epochs", "3", "a b"]
    assert script.argv[:2] == ["sh", "-c"] and script.argv[3] == str(folder / "code")
    assert (script.python, script.experiment_name) == (venv.prefix, "exp")


def test_rejects_a_target_without_a_script_or_tests() -> None:
    request = ScriptRequest("src/exp:x", None, ())
    with pytest.raises(JobError, match="src/exp:x: its `entry_point` names no file"):
        script_command(request, [])
    with pytest.raises(JobError, match="src/exp:x: it has no tests"):
        pytest_command(request, [])


def test_leaves_no_half_written_script(gathered: Gathered, venv: PackagesVenv) -> None:
    request = script_request(gathered, venv)
    os.unlink(gathered.folder / "sources/src/exp/main.py")
    before = tree(gathered.folder)
    with pytest.raises(OutsideError):
        created(gathered, request)
    assert below(gathered.repository / ".azureml/local") == []
    assert tree(gathered.folder) == before


def container_of(folder: Path) -> Container:
    container = Script.read(folder).container
    assert container is not None
    return container


def in_docker(*security: str) -> Runtime:
    return Runtime.in_image(
        Image("exp:env-0123456789ab", "sha256:0123"), Engine({}, frozenset(security))
    )


def test_creates_a_script_for_a_container(gathered: Gathered, venv: PackagesVenv) -> None:
    request = script_request(gathered, venv)
    options = RuntimeOptions("docker", ("--gpus", "all"))
    request = ScriptRequest(request.address, request.script, request.files, options=options)
    folder = created(gathered, request, runtime=in_docker())
    script = Script.read(folder)
    container = container_of(folder)
    work = f"/mnt/azureml/cr/j/{folder.name}/exe/wd"
    root = gathered.repository / ".azureml"
    assert script.python == ""
    assert container.mounts == [
        Mount(str(folder / "code"), work),
        Mount(str(gathered.repository / "data"), f"/mnt/azureml/cr/j/{folder.name}/exe/data"),
        Mount(str(root / "mlruns"), str(root / "mlruns")),
        Mount(str(root / "home"), "/mnt/azureml/home"),
    ]
    assert (container.image, container.image_id) == ("exp:env-0123456789ab", "sha256:0123")
    assert container.work == work
    assert container.arguments == ["--gpus", "all"]
    assert container.user == f"{os.getuid()}:{os.getgid()}"


def test_a_container_gets_no_data_that_does_not_exist(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    request = script_request(gathered, venv)
    shutil.rmtree(gathered.repository / "data")
    mounts = container_of(created(gathered, request, runtime=in_docker())).mounts
    assert [Path(mount.source).name for mount in mounts] == ["code", "mlruns", "home"]


def test_an_engine_that_maps_users_gets_what_it_needs(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    request = script_request(gathered, venv)
    rootless = container_of(created(gathered, request, runtime=in_docker("rootless")))
    mapped = container_of(created(gathered, request, runtime=in_docker("userns")))
    assert (rootless.user, mapped.arguments) == ("0:0", ["--userns=host"])


def test_pytest_runs_the_tests_by_their_names_in_the_snapshot(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    files = script_request(gathered, venv).files
    request = ScriptRequest("src/exp:test", None, files, tests=("src/exp/main.py",))
    command = pytest_command(request, ["-k", "it"])
    assert command[:3] == ["python", "-m", "pytest"]
    assert command[-3:] == ["exp/main.py", "-k", "it"]


def test_imports_begin_in_the_search_path(gathered: Gathered, venv: PackagesVenv) -> None:
    request = replace(script_request(gathered, venv), search_path=("exp", ""))
    code = created(gathered, request) / "code"
    assert Script.read(code.parent).argv[3] == f"{code}/exp:{code}"
