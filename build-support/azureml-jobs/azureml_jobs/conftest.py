"""For the tests: a small repository, and what Pants would gather of it for a job."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.plan import JobPlan, plan_job
from azureml_jobs.bundle.provenance import Provenance
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.documents import referred_documents
from azureml_jobs.jobfile.units import code_units
from azureml_jobs.protocol import (
    REQUEST_FILE,
    SOURCES_FOLDER,
    JobRequest,
    LockedPackages,
    NeededFile,
    PackagesVenv,
    UnitFiles,
    requirements_file,
)
from hypothesis import HealthCheck, settings

# How long an example takes is a matter of what else this machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

JOB_FILE = "src/exp/azure-ml-job.yaml"
JOB = """\
code: ..
command: python -m exp.main --epochs ${{inputs.epochs}}
inputs:
  epochs: 3
environment: azureml:env:1
"""
NOTHING_KNOWN = Provenance(None, {})
CONTEXT_JOB = JOB.replace("environment: azureml:env:1", "environment: {build: {path: docker}}")


def cases(names: str, rows: Mapping[str, Any]) -> pytest.MarkDecorator:
    """Run a test with each of the rows; their keys say what they are."""
    return pytest.mark.parametrize(names, list(rows.values()), ids=list(rows))


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files by their paths below a folder."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogateescape")
        file.write_bytes(content)


class Gathered:
    """What Pants would gather; each file is in the repository and in the request's folder."""

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "repository"
        self.folder = folder / "gathered"
        self.files: list[tuple[str, str, str, tuple[str, ...]]] = []
        self.context_files: list[str] = []
        self.errors: tuple[str, ...] = ()
        self.requirements: tuple[str, ...] = ("numpy",)
        self.locked = "numpy==2.4.6 --hash=sha256:00\n"
        self.venv: PackagesVenv | None = None
        self.image_target: str | None = None
        for each in (self.repository, self.folder / SOURCES_FOLDER):
            each.mkdir(parents=True)

    def write(self, path: str, content: str | bytes = "", executable: bool = False) -> None:
        """Write a file that belongs to no target."""
        for base in (self.repository, self.folder / SOURCES_FOLDER):
            write_files(base, {path: content})
            (base / path).chmod(0o755 if executable else 0o644)

    def add(
        self,
        path: str,
        content: str | bytes = "",
        root: str = "src",
        executable: bool = False,
        why: str = "run or named by src/exp:job",
        units: tuple[str, ...] = (),
    ) -> None:
        """Write a file that these units need, or all of them."""
        self.write(path, content, executable)
        self.files.append((path, root, why, units))

    def add_context(self, path: str, content: str = "") -> None:
        """Write a file of the Docker build context."""
        self.write(path, content)
        self.context_files.append(path)

    def request(self, job: str | bytes = JOB, job_file: str = JOB_FILE) -> Path:
        """Write the job file and the request, and return the path of the request."""
        self.write(job_file, job)
        documents, units = self._documents_and_units(job_file)
        for name in units:
            requirements = self.folder / requirements_file(name)
            requirements.parent.mkdir(exist_ok=True)
            requirements.write_text(self.locked, encoding="utf-8")
        packages = LockedPackages("default", "3rdparty/a.lock", "ab" * 32, self.requirements)
        request = JobRequest(
            address="src/exp:job",
            job_file=job_file,
            documents=documents,
            units=tuple(
                UnitFiles(
                    name=name,
                    files=self.named_files(folder, name),
                    context_files=tuple(self.context_files),
                    packages=packages,
                    image_target=self.image_target,
                    venv=self.venv,
                    unused_modules=(("sklearn", "3rdparty:p#scikit-learn"),),
                )
                for name, folder in units.items()
            ),
            versions={"pants": "2.17.1"},
            source_roots=("src",),
            errors=self.errors,
        )
        (self.folder / REQUEST_FILE).write_bytes(request.to_json())
        return self.folder / REQUEST_FILE

    def named_files(self, folder: str | None = None, unit: str = "") -> tuple[NeededFile, ...]:
        """Return the files of the unit with their names in the snapshot of this code folder."""
        return tuple(
            NeededFile(
                path,
                Overlay(folder, (root,), single_files=[folder or ""]).name_of(path),
                f"//{path}",
                why,
            )
            for path, root, why, units in self.files
            if not units or unit in units
        )

    def _documents_and_units(self, job_file: str) -> tuple[tuple[str, ...], dict[str, str | None]]:
        """Return what the job file refers to, and the code folder of each unit by its name."""
        documents: dict[str, dict[str, Any]] = {}
        waiting = [job_file]
        try:
            while waiting:
                path = waiting.pop()
                text = (self.repository / path).read_text(encoding="utf-8")
                documents[path] = read_job_file(text, path)
                waiting += set(referred_documents(documents[path], path)) - set(documents)
            units = code_units(documents, job_file)
            return tuple(documents), {unit.name: unit.code.path for unit in units}
        except (JobError, UnicodeDecodeError, FileNotFoundError, AttributeError):
            # Plugin and tool report this.
            return (job_file,), {"": None}

    def plan(
        self, job: str = JOB, *settings: str, job_file: str = JOB_FILE, allow: Sequence[str] = ()
    ) -> JobPlan:
        return plan_job(self.request(job, job_file), self.repository, settings, allow=allow)

    def add_code(self) -> None:
        """Write the files that most tests use."""
        self.add("src/exp/__init__.py", why="makes its folder a package")
        self.add("src/exp/main.py", "import common.a\n")
        self.add("src/common/a.py", "A = 1\n", why="needed by src/exp/main.py")


@pytest.fixture(scope="session", autouse=True)
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the cache of a test run from the next run, and from the user."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def gathered(tmp_path: Path) -> Gathered:
    return Gathered(tmp_path)


@pytest.fixture
def venv(gathered: Gathered, tmp_path: Path) -> PackagesVenv:
    """The virtual environment of the job's packages, which exists."""
    (tmp_path / "cache/venv/bin").mkdir(parents=True)
    (tmp_path / "cache/venv/bin/python").write_text("")
    gathered.venv = PackagesVenv(str(tmp_path / "cache/venv"), "seed")
    return gathered.venv


class Terminal(io.StringIO):
    """A terminal in place of standard output; it has colours."""

    def isatty(self) -> bool:
        return True

    @classmethod
    def use(cls, monkeypatch: pytest.MonkeyPatch) -> Terminal:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        terminal = cls()
        monkeypatch.setattr("sys.stdout", terminal)
        return terminal


class Tool:
    """Runs Python in another process, with the job tool importable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    @staticmethod
    def environment(**changes: str) -> dict[str, str]:
        # Pants gives source roots relative to the folder of the test run.
        path = os.pathsep.join(os.path.abspath(each) for each in sys.path if each)
        # Output is buffered as for most users, whatever is set here.
        return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "", **changes}

    def json(self, script: str, *arguments: str, **environment: str) -> Any:
        """Return what `script` prints, read as JSON."""
        done = self.run("-c", script, *arguments, **environment)
        done.check_returncode()
        return json.loads(done.stdout)


@pytest.fixture
def tool(gathered: Gathered) -> Tool:
    return Tool(gathered.repository)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of everything below a folder; of a link, its target."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            content = b""
            if path.is_symlink():
                content = os.fsencode(os.readlink(path))
            elif path.is_file():
                content = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = (path.lstat().st_mode, content)
    return found
