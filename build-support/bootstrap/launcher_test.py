"""Tests of ./pants: how it sets itself up, starts Pants and runs what a run leaves behind.

Those that use `made` install Pants from the package index that pip is configured with.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

REPOSITORY = next(
    folder for folder in Path(__file__).resolve().parents if (folder / "pants.toml").is_file()
)
BASH = shutil.which("bash") or "/bin/bash"
PYTHON = "%d.%d" % sys.version_info[:2]
SYSTEM_TOOLS = ("bash", "cat", "env", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "sleep")

# A client in place of Pants' own: says how it was started, and leaves behind what $LEAVE holds.
CLIENT = """\
#!/usr/bin/env bash
printf '%s\\n' "$_PANTS_SERVER_EXE" "$NO_SCIE_WARNING" "$@" >"$SAID"
if [[ -n ${LEAVE:-} ]]; then cat "$LEAVE" >"$AZUREML_JOBS_HANDOVER"; fi
if [[ -n ${LINGER:-} ]]; then touch "$LINGER"; sleep 60; fi
exit "${STATUS:-0}"
"""
RECORD = """\
import os, sys
with open(os.environ["RECORD"], "wb") as record:
    record.write(b"\\0".join(os.fsencode(part) for part in sys.argv[1:]))
    record.write(b"|" + sys.stdin.buffer.read())
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def copy_launcher(folder: Path) -> Path:
    """A repository that holds the launcher and nothing else; returns its folder."""
    folder.mkdir(parents=True)
    for name in ("pants", ".pants.bootstrap"):
        shutil.copy2(REPOSITORY / name, folder / name)
    shutil.copytree(
        REPOSITORY / "build-support/bootstrap",
        folder / "build-support/bootstrap",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "pants.toml").write_text(
        '[GLOBAL]\npants_version = "2.17.1"\nbackend_packages = ["pants.backend.python"]\n'
        f'[python]\ninterpreter_constraints = ["CPython=={PYTHON}.*"]\nenable_resolves = true\n'
        'resolves = { python-default = "default.lock" }\n',
        encoding="utf-8",
    )
    (folder / "BUILD").write_text(
        'python_requirement(name="six", requirements=["six==1.17.0"])\n'
        'pex_binary(name="app", dependencies=[":six"])\n'
    )
    return folder


def environment(cache: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PANTS_", "PEX_", "PYTEST_", "PYTHON", "AZUREML_"))
    }
    kept.setdefault("HOME", str(Path.home()))
    kept.setdefault("PATH", os.defpath)
    return {**kept, "PANTS_BOOTSTRAP_CACHE_DIR": str(cache), **more}


def start(
    repository: Path, *arguments: str, env: Mapping[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(repository / "pants"), *arguments],
        cwd=cwd or repository,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
    )


def ask_settings(repository: Path, expression: str, env: Mapping[str, str]) -> str:
    """What the shell makes of an expression after settings.sh was read."""
    settings = repository / "build-support/bootstrap/settings.sh"
    asked = f'set -eu; source "$1"; bootstrap_folder; printf %s "{expression}"'
    return subprocess.check_output(
        [BASH, "-c", asked, "bash", str(settings)], env=dict(env), encoding="utf-8"
    )


def leftovers(cache: Path) -> list[str]:
    """What is in the folders that a setup works in, but for finished ones."""
    return sorted(path.name for path in cache.glob("*/*") if not (path / "finished").is_file())


# --- without a setup: a folder that looks like one, with a client of ours -----------------------


class Fake:
    """A repository and a cache in which the client, Python and the rest only look alike."""

    def __init__(self, folder: Path) -> None:
        self.repository = copy_launcher(folder / "a répository")
        self.cache = folder / "cäche"
        self.temporary = folder / "temporary files"
        self.temporary.mkdir()
        self.said = folder / "said"
        self.record = folder / "record"
        self.env = environment(
            self.cache,
            SAID=str(self.said),
            RECORD=str(self.record),
            TMPDIR=str(self.temporary),
            PIP_CONFIG_FILE=os.devnull,
            PIP_INDEX_URL="https://me:secret@index.example/simple",
        )
        self.made = (
            Path(ask_settings(self.repository, "$BOOTSTRAP_FOLDER", self.env)) / "py311.fake"
        )
        script(self.made / "client", CLIENT)
        for name in ("venv/bin/python", "venv/bin/pants"):
            script(self.made / name, f'#!/bin/sh\ntouch "{folder}/python was started"\nexit 9\n')
        self.python_started = folder / "python was started"
        (self.made / "pex").write_text("a tool")
        (self.made / "index").write_text(
            f"asked=https://***@index.example/simple {os.devnull}\n"
            "files=/files.example/a\nurl=https://files.example/simple\ncert=\n"
        )
        (self.made / "finished").write_text("interpreter=/opt/python3.11\nnative_client=client\n")

    def start(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return start(self.repository, *arguments, env={**self.env, **more})

    def left(self, *command: str, end: str = "\0") -> str:
        """A file that holds a command line as a run leaves it behind."""
        path = self.said.with_name("left")
        path.write_bytes(os.fsencode("\0".join(command) + end))
        return str(path)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def no_link_stays_behind() -> Iterator[None]:
    """Removes the link by which Pants reaches a pex tool whose path has unusual characters."""
    yield
    for path in Path("/tmp").glob(f"pants-from-index-{os.getuid()}-pex-*"):
        if not path.exists() or path.resolve().parents[2].name.startswith("cäche"):
            path.unlink()


def test_hands_the_arguments_to_the_native_client_as_they_are(fake: Fake) -> None:
    result = fake.start("list", "", "a b", "é\t*", "--", "run")
    assert (result.returncode, result.stderr) == (0, "")
    server = str(fake.made / "venv/bin/pants")
    assert fake.said.read_text() == "\n".join(
        (server, "1", "list", "", "a b", "é\t*", "--", "run", "")
    )


def test_a_later_start_needs_no_python_and_no_other_program(fake: Fake) -> None:
    tools = fake.said.with_name("tools")
    tools.mkdir()
    for name in ("bash", "env"):
        (tools / name).symlink_to(shutil.which(name) or "/bin/" + name)
    assert fake.start("list").returncode == 0
    result = fake.start("list", PATH=str(tools))
    assert (result.returncode, result.stderr) == (0, "")
    assert not fake.python_started.exists()


def test_asks_the_index_again_once_when_pip_is_configured_differently(fake: Fake) -> None:
    script(fake.made / "client", '#!/bin/sh\necho "$PANTS_PYTHON_REPOS_PATH_MAPPINGS"\n')
    script(
        fake.made / "venv/bin/python",
        f'#!/bin/sh\necho asked >>"{fake.record}"\n'
        'case "$*" in *package_index.py*) printf "files=/new.example\\nurl=\\ncert=\\n" ;; esac\n',
    )
    other = {"PIP_INDEX_URL": "https://me:secret@other.example/simple"}
    assert fake.start("list").stdout == "['PACKAGE_FILES|/files.example/a']\n"
    assert not fake.record.exists()
    assert fake.start("list", **other).stdout == "['PACKAGE_FILES|/new.example']\n"
    times_asked = fake.record.read_text()
    assert fake.start("list", **other).stdout == "['PACKAGE_FILES|/new.example']\n"
    assert fake.record.read_text() == times_asked
    assert "secret" not in (fake.made / "index").read_text()


def test_an_index_out_of_reach_does_not_keep_pants_from_starting(fake: Fake) -> None:
    result = fake.start("list", PIP_INDEX_URL="https://other.example/simple")
    assert result.returncode == 0
    assert "does not answer" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("run", "x")], ids=["another goal", "run"])
def test_passes_the_clients_status_on(fake: Fake, arguments: tuple[str, ...]) -> None:
    assert fake.start(*arguments, STATUS="42").returncode == 42


def test_a_left_command_gets_its_words_and_the_standard_input_unchanged(fake: Fake) -> None:
    words = ["", "two words", "a\nline\n", "\n", "é∑", "$HOME `x` \\n *", "", "-n"]
    recorder = fake.said.with_name("récorder with spaces.py")
    recorder.write_text(RECORD)
    left = fake.left(sys.executable, str(recorder), *words)
    result = subprocess.run(
        [str(fake.repository / "pants"), "run", "src:job", "--", "--flag"],
        env={**fake.env, "LEAVE": left},
        input=b"typed\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert fake.record.read_bytes() == os.fsencode("\0".join(words)) + b"|typed\n"
    assert list(fake.temporary.iterdir()) == []


def test_a_left_command_takes_the_place_of_the_launcher(fake: Fake) -> None:
    left = fake.left(BASH, "-c", "echo $$; exit 7")
    process = subprocess.Popen(
        [str(fake.repository / "pants"), "run", "src:job"],
        env={**fake.env, "LEAVE": left},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (7, f"{process.pid}\n")


def test_starts_nothing_after_a_failure(fake: Fake) -> None:
    left = fake.left("touch", str(fake.record))
    assert fake.start("run", "src:job", LEAVE=left, STATUS="3").returncode == 3
    assert not fake.record.exists()
    assert list(fake.temporary.iterdir()) == []


def test_starts_nothing_when_the_left_command_is_cut_off(fake: Fake) -> None:
    left = fake.left("touch", str(fake.record), end="")
    result = fake.start("run", "src:job", LEAVE=left)
    assert result.returncode == 1
    assert "cut off" in result.stderr
    assert not fake.record.exists()
    assert list(fake.temporary.iterdir()) == []


def test_ctrl_c_during_a_run_gives_130_and_leaves_nothing(fake: Fake) -> None:
    lingering = fake.said.with_name("lingering")
    left = fake.left("touch", str(fake.record))
    process = subprocess.Popen(
        [str(fake.repository / "pants"), "run", "src:job"],
        env={**fake.env, "LEAVE": left, "LINGER": str(lingering)},
        start_new_session=True,
    )
    wait_for(lingering)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert not fake.record.exists()
    assert list(fake.temporary.iterdir()) == []


def test_a_run_is_told_where_to_leave_its_command_and_another_goal_is_not(fake: Fake) -> None:
    script(fake.made / "client", '#!/bin/sh\necho "${AZUREML_JOBS_HANDOVER:-nowhere}"\n')
    assert fake.start("list", "--", "run").stdout == "nowhere\n"
    folder = Path(fake.start("--no-pantsd", "run", "x").stdout.strip()).parent
    assert folder.parent == fake.temporary


def test_tells_pants_of_this_machine_and_keeps_what_the_user_has_set(
    fake: Fake, tmp_path: Path
) -> None:
    script(fake.made / "client", "#!/bin/sh\nexec env\n")
    authority = tmp_path / "ca.pem"
    authority.touch()

    def told(**more: str) -> dict[str, str]:
        output = fake.start("list", PIP_CERT=str(authority), **more).stdout
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    seen = told()
    assert seen["PANTS_PEX_CLI_VERSION"] == "v2.105.2"
    tool = Path(seen["PANTS_PEX_CLI_URL_TEMPLATE"].removeprefix("file://"))
    assert re.fullmatch(r"[A-Za-z0-9/._+-]+", str(tool)), "Pants does not decode a URL's path"
    assert tool.samefile(fake.made / "pex")
    assert seen["PANTS_PEX_CLI_KNOWN_VERSIONS"].count("v2.105.2|") == 4
    assert seen["PANTS_PYTHON_REPOS_PATH_MAPPINGS"] == "['PACKAGE_FILES|/files.example/a']"
    assert seen["PANTS_PYTHON_REPOS_INDEXES"] == "['https://files.example/simple']"
    assert seen["PANTS_CA_CERTS_PATH"] == str(authority)

    own = {
        "PANTS_PEX_CLI_VERSION": "v1",
        "PANTS_PYTHON_REPOS_PATH_MAPPINGS": "[]",
        "PANTS_PYTHON_REPOS_INDEXES": "[]",
        "PANTS_CA_CERTS_PATH": "/mine",
    }
    seen = told(**own)
    assert {name: seen[name] for name in own} == own
    assert "PANTS_PEX_CLI_URL_TEMPLATE" not in seen


def test_the_digest_in_the_settings_is_that_of_the_requirements() -> None:
    folder = REPOSITORY / "build-support/bootstrap"
    digest = hashlib.sha256()
    for name in ("installer.txt", "pants.txt", "engine.txt", "pex.txt"):
        digest.update((folder / name).read_bytes())
    settings = (folder / "settings.sh").read_text(encoding="utf-8")
    assert f"\nBOOTSTRAP_DIGEST={digest.hexdigest()[:16]}\n" in settings


# --- what is answered before anything is set up -------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> Fake:
    """Like `fake`, with an empty cache and no Python within reach."""
    fake = Fake(tmp_path)
    shutil.rmtree(fake.cache)
    for name in SYSTEM_TOOLS:
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "/bin/" + name)
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
        fake.env.pop(name, None)
    empty = str(tmp_path / "home")
    fake.env.update(PATH=str(tmp_path / "bin"), HOME=empty, HOMEBREW_PREFIX=empty)
    return fake


def test_names_what_to_install_when_there_is_no_usable_python(bare: Fake) -> None:
    # A shim of pyenv is found, but does not work.
    script(bare.cache.parent / "bin/python3.11", "#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    result = bare.start("list", "::")
    assert result.returncode == 2
    assert result.stderr.startswith("pants: no usable Python found.")
    assert "uv python install 3.11" in result.stderr
    assert "PANTS_BOOTSTRAP_PYTHON=" in result.stderr
    assert "not installed" not in result.stderr
    assert leftovers(bare.cache) == []


@pytest.mark.parametrize("python", ["/nowhere/python3.11", "/bin/sh"])
def test_names_the_variable_when_the_named_python_is_unusable(bare: Fake, python: str) -> None:
    result = bare.start("list", "::", PANTS_BOOTSTRAP_PYTHON=python)
    assert result.returncode == 2
    assert result.stderr.startswith(f"pants: PANTS_BOOTSTRAP_PYTHON: {python} cannot be used.")
    assert leftovers(bare.cache) == []


def test_names_the_variable_when_the_cache_cannot_be_written(bare: Fake) -> None:
    bare.cache.write_text("a file where the folder should be")
    result = bare.start("list", "::")
    assert result.returncode == 2
    assert "cannot write to this cache folder" in result.stderr
    assert "PANTS_BOOTSTRAP_CACHE_DIR=" in result.stderr
    assert len(result.stderr.splitlines()) == 3


# --- real setups --------------------------------------------------------------------------------


class Made:
    """A repository whose Pants was really set up, by two starts at once."""

    def __init__(self, folder: Path) -> None:
        self.repository = copy_launcher(folder / "répository with spaces")
        self.cache = folder / "cäche with {spaces}"
        self.env = environment(self.cache, PANTS_PANTSD="false", PANTS_CONCURRENT="true")
        first, second = (
            subprocess.Popen(
                [str(self.repository / "pants"), "--version"],
                cwd=self.repository,
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            for _ in range(2)
        )
        self.results = [
            (process.communicate(timeout=300), process.returncode) for process in (first, second)
        ]

    @property
    def folders(self) -> list[Path]:
        return list(self.cache.glob("*/py3*"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def test_two_starts_at_once_make_one_whole_setup(made: Made) -> None:
    for (output, errors), status in made.results:
        assert (status, output) == (0, "2.17.1\n"), errors
    messages = "".join(errors for (_, errors), _ in made.results)
    assert messages.count("setting Pants 2.17.1 up") == 1
    assert messages.count("waiting for another start") == 1
    assert len(made.folders) == 1
    assert leftovers(made.cache) == []


@pytest.fixture(scope="module")
def lock(made: Made) -> Path:
    below = made.repository / "below"
    below.mkdir(exist_ok=True)
    result = start(made.repository, "generate-lockfiles", env=made.env, cwd=below)
    assert result.returncode == 0, result.stderr
    return made.repository / "default.lock"


def test_locks_name_no_host(lock: Path) -> None:
    urls = re.findall(r'"url": "(.*)"', lock.read_text(encoding="utf-8"))
    assert urls, "a lock holds the URLs of the files"
    assert [url for url in urls if not url.startswith("https:/${PACKAGE_FILES}/")] == []


def test_what_pip_is_told_by_the_machine_is_not_mixed_into_locked_packages(
    made: Made, lock: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "pip/pip.conf"
    configuration.parent.mkdir()
    configuration.write_text(f"[global]\nconstraint = {tmp_path}/constraints.txt\n")
    # pip's older resolver fails at any constraint, when it downloads what a lock names.
    (tmp_path / "constraints.txt").write_text("torch<3\n")
    result = start(
        *(made.repository, "package", ":app"),
        env={
            **made.env,
            "XDG_CONFIG_DIRS": str(tmp_path),
            "PANTS_SUBPROCESS_ENVIRONMENT_ENV_VARS": "+['XDG_CONFIG_DIRS']",
            # With empty caches, so that it is downloaded.
            "PANTS_NAMED_CACHES_DIR": str(tmp_path / "named"),
            "PANTS_LOCAL_STORE_DIR": str(tmp_path / "store"),
        },
    )
    assert result.returncode == 0, result.stderr
    assert (made.repository / "dist/app.pex").exists()


def test_gives_the_official_launcher_the_same_settings(made: Made) -> None:
    asked = "set -eou pipefail; source ./.pants.bootstrap; env"
    output = subprocess.check_output(
        [BASH, "-c", asked], cwd=made.repository, env=made.env, encoding="utf-8"
    )
    told = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    tool = Path(told["PANTS_PEX_CLI_URL_TEMPLATE"].removeprefix("file://"))
    digest = hashlib.sha256(tool.read_bytes()).hexdigest()
    assert f"|linux_x86_64|{digest}|{tool.stat().st_size}'" in told["PANTS_PEX_CLI_KNOWN_VERSIONS"]
    assert "AZUREML_JOBS_HANDOVER" not in told


def test_a_removed_python_a_half_made_setup_and_an_abandoned_lock_are_repaired(fake: Fake) -> None:
    (fake.made / "venv/bin/python").unlink()
    half = fake.made.with_name("py311.half")
    (half / "venv/bin").mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    host = subprocess.check_output([BASH, "-c", "printf %s $HOSTNAME"], encoding="utf-8")
    (fake.made.parent / "lock").symlink_to(f"{ended.pid}@{host}")
    subprocess.run(
        [BASH, "-c", "source ./.pants.bootstrap"],
        cwd=fake.repository,
        env=environment(fake.cache),
        check=True,
    )
    assert not fake.made.exists()
    assert not half.exists()
    [repaired] = fake.cache.glob("*/py3*")
    assert (repaired / "finished").is_file()
    assert leftovers(fake.cache) == []


@pytest.mark.parametrize("missing", ["client", "venv/bin/pants", "venv/bin/python", "pex", "index"])
def test_a_folder_that_lacks_something_is_not_used(fake: Fake, missing: str) -> None:
    (fake.made / missing).unlink()
    # Tells whether a setup was tried, without one.
    result = fake.start("list", PANTS_BOOTSTRAP_PYTHON="/nowhere/python3.11")
    assert result.returncode == 2
    assert not fake.said.exists()


def wait_for(path: Path) -> None:
    """Wait until a file, or a link to nothing, is there."""
    for _ in range(1000):
        if os.path.lexists(path):
            return
        time.sleep(0.02)
    raise TimeoutError(path)


def test_ctrl_c_during_the_setup_leaves_nothing(tmp_path: Path) -> None:
    repository = copy_launcher(tmp_path / "repository")
    env = environment(tmp_path / "cache")
    folder = Path(ask_settings(repository, "$BOOTSTRAP_FOLDER", env))
    process = subprocess.Popen(
        [str(repository / "pants"), "--version"], cwd=repository, env=env, start_new_session=True
    )
    wait_for(folder / "lock")
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert list(folder.iterdir()) == []


def test_an_index_that_does_not_answer_is_an_outside_failure_with_pips_reason(
    tmp_path: Path,
) -> None:
    repository = copy_launcher(tmp_path / "repository")
    env = environment(
        tmp_path / "cache",
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://me:secret@127.0.0.1:9/simple",
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
    )
    env.pop("PIP_FIND_LINKS", None)
    result = start(repository, "--version", env=env)
    assert result.returncode == 1
    assert "  ERROR: " in result.stderr
    assert "pants: could not install the pinned pip: the lines above say why." in result.stderr
    assert "secret" not in result.stderr
    assert leftovers(tmp_path / "cache") == []


def test_refuses_a_pex_tool_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    repository = copy_launcher(tmp_path / "repository")
    settings = repository / "build-support/bootstrap/settings.sh"
    text, replaced = re.subn(
        r"(?m)^BOOTSTRAP_PEX_SHA256=.*$", "BOOTSTRAP_PEX_SHA256=" + "0" * 64, settings.read_text()
    )
    assert replaced == 1
    settings.write_text(text)
    result = subprocess.run(
        [BASH, "-c", "source ./.pants.bootstrap"],
        cwd=repository,
        env=environment(tmp_path / "cache"),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert result.returncode == 1
    assert "is pinned" in result.stderr
    assert "pants: could not accept the pex tool" in result.stderr
    assert leftovers(tmp_path / "cache") == []


def test_the_scripts_can_be_executed() -> None:
    for name in ("pants", "build-support/bootstrap/set_up.sh", "build-support/bootstrap/renew.sh"):
        assert (REPOSITORY / name).stat().st_mode & stat.S_IXUSR
