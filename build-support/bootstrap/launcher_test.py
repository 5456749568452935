"""Tests of ./pants: how it starts Pants, and runs what a run leaves behind."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher import BASH, Fake, remove_links, script, wait_for

RECORD = """\
import os, sys
with open(os.environ["RECORD"], "wb") as record:
    record.write(b"\\0".join(os.fsencode(part) for part in sys.argv[1:]))
    record.write(b"|" + sys.stdin.buffer.read())
"""


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def no_link_stays_behind() -> Iterator[None]:
    yield
    remove_links()


def test_a_terminal_shows_that_pants_starts(fake: Fake) -> None:
    # It loads its rules for two seconds, and begins the run then.
    loads = 'sleep 2.5; mkdir -p "$0/../.pants.d/run-tracker/1"; sleep 2; echo done'
    script(fake.made / "client", f"#!/bin/sh\n{loads.replace('$0/..', str(fake.repository))}\n")
    ours, theirs = os.openpty()
    subprocess.run(
        [BASH, "pants", "list"], cwd=fake.repository, env=fake.env, stderr=theirs, check=True
    )
    os.set_blocking(ours, False)
    shown = b""
    with contextlib.suppress(BlockingIOError):
        shown = os.read(ours, 10_000)
    os.close(ours)
    os.close(theirs)
    assert b"pants: starting, 1 s" in shown
    # Nothing is written over what Pants shows of the run.
    assert b", 4 s" not in shown


def test_hands_the_arguments_to_the_native_client_as_they_are(fake: Fake) -> None:
    result = fake.start("list", "", "a b", "é\t*", "--", "run")
    assert (result.returncode, result.stderr) == (0, "")
    server = str(fake.repository / "build-support/bootstrap/start_pants.sh")
    assert fake.said.read_text() == "\n".join(
        (server, "1", "list", "", "a b", "é\t*", "--", "run", "")
    )


PRINTS = "print(os.path.isabs(sys.argv[0]), flush=True)"


@pytest.mark.parametrize(
    ("does", "reader", "seen", "status"),
    [
        # Pants starts its daemon by the same path, from another folder.
        pytest.param(PRINTS, "cat", "True\n", "0", id="a reader"),
        pytest.param(PRINTS, "true", "", "141", id="its reader has gone"),
        pytest.param("raise ConfigError('no TOML')", "cat", "", "pants: no TOML\n1", id="no TOML"),
    ],
)
def test_ends_without_a_traceback(
    fake: Fake, does: str, reader: str, seen: str, status: str
) -> None:
    stub = script(
        fake.said.with_name("stub") / "pants/bin/pants_loader.py",
        "import os, sys, time\nfrom pants.option.errors import ConfigError\n"
        f"def main():\n    time.sleep(0.2)\n    {does}\n",
    )
    script(stub.parents[1] / "option/errors.py", "class ConfigError(Exception): ...\n")
    (fake.made / "venv/bin/python").unlink()
    (fake.made / "venv/bin/python").symlink_to(sys.executable)
    script(fake.made / "client", '#!/bin/sh\nexec "$_PANTS_SERVER_EXE" "$@"\n')
    done = subprocess.run(
        [BASH, "-c", f"(../pants list; printf $? >&2) | {reader}"],
        capture_output=True,
        encoding="utf-8",
        cwd=fake.repository / "build-support",
        env={**fake.env, "PYTHONPATH": str(stub.parents[2])},
    )
    assert (done.stdout, done.stderr) == (seen, status)


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


@pytest.mark.parametrize("arguments", [("list", "a b"), ()], ids=["arguments", "no arguments"])
def test_the_official_launcher_starts_this_one(fake: Fake, arguments: tuple[str, ...]) -> None:
    asked = 'set -eou pipefail; source ./.pants.bootstrap; exec false "$0" "$@"'
    command = ["/usr/bin/env", "bash", "-c", asked, *arguments]
    subprocess.run(command, cwd=fake.repository, env=fake.env, check=True, timeout=60)
    assert fake.said.read_text().splitlines()[2:] == list(arguments)


@pytest.mark.parametrize(
    "end, status, expected, message",
    [("\0", "3", 3, ""), ("", "0", 1, "cut off")],
    ids=["after a failure", "when the left command is cut off"],
)
def test_starts_nothing(fake: Fake, end: str, status: str, expected: int, message: str) -> None:
    left = fake.left("touch", str(fake.record), end=end)
    result = fake.start("run", "src:job", LEAVE=left, STATUS=status)
    assert result.returncode == expected and message in result.stderr
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


def test_only_a_run_gets_a_place_to_leave_its_command(fake: Fake) -> None:
    script(fake.made / "client", '#!/bin/sh\necho "${AZUREML_JOBS_EXEC_FILE:-nowhere}"\n')
    assert fake.start("list", "--", "run").stdout == "nowhere\n"
    folder = Path(fake.start("--no-pantsd", "run", "x").stdout.strip()).parent
    assert folder.parent == fake.temporary


def test_hands_this_machines_settings_to_pants_and_keeps_what_the_user_has_set(
    fake: Fake, tmp_path: Path
) -> None:
    script(fake.made / "client", "#!/bin/sh\nexec env\n")
    authority = tmp_path / "ca.pem"
    authority.touch()

    def settings(**more: str) -> dict[str, str]:
        output = fake.start("list", PIP_CERT=str(authority), **more).stdout
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    seen = settings()
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
    seen = settings(**own)
    assert {name: seen[name] for name in own} == own
    assert "PANTS_PEX_CLI_URL_TEMPLATE" not in seen


@pytest.mark.parametrize("folder", [".", "src"])
def test_adds_the_maintainers_configuration_from_any_folder(tmp_path: Path, folder: str) -> None:
    fake = Fake(tmp_path / "it's")
    script(fake.made / "client", '#!/bin/sh\necho "${PANTS_CONFIG_FILES:-none}"\n')
    assert fake.start("list").stdout == "none\n"
    more = fake.repository / "build-support/maintaining/pants-maintaining.toml"
    more.parent.mkdir(parents=True)
    more.touch()
    (fake.repository / "src").mkdir(exist_ok=True)
    shown = subprocess.run(
        [os.path.relpath(fake.repository, fake.repository / folder) + "/pants", "list"],
        cwd=fake.repository / folder,
        env=fake.env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith("+")
    (found,) = ast.literal_eval(shown[1:])
    assert Path(found).samefile(more)
    assert fake.start("list", PANTS_CONFIG_FILES="mine").stdout == "mine\n"


@pytest.mark.parametrize("missing", ["client", "venv/bin/pants", "venv/bin/python", "pex", "index"])
def test_a_damaged_setup_is_not_used(fake: Fake, missing: str) -> None:
    (fake.made / missing).unlink()
    # Without a Python, a new setup ends at once.
    result = fake.start("list", PANTS_BOOTSTRAP_PYTHON="/nowhere/python3.11")
    assert result.returncode == 2
    assert not fake.said.exists()


@pytest.mark.parametrize("unwritable", [".", ".pants.d", ".pants.d/pants.log", ".pids"])
def test_a_checkout_that_cannot_be_written_is_refused_in_one_sentence(unwritable: str) -> None:
    # Not in pytest's own folder, which is closed to other accounts.
    with tempfile.TemporaryDirectory() as temporary:
        fake = Fake(Path(temporary))
        path = fake.repository / unwritable
        path.parent.mkdir(exist_ok=True)
        path.touch() if path.suffix else path.mkdir(exist_ok=True)
        fake.account = leave_to_another_account(Path(temporary), path)
        refused = fake.start("list")
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        assert refused.stderr.startswith(f"pants: {path}: this account cannot write here")
        assert not fake.said.exists()
        elsewhere = {
            "PANTS_WORKDIR": f"{temporary}/work",
            "PANTS_SUBPROCESSDIR": f"{temporary}/pids",
            # So that no link to a tool is made for that account.
            "PANTS_PEX_CLI_VERSION": "v1",
        }
        assert fake.start("list", **elsewhere).returncode == 0


def leave_to_another_account(folder: Path, unwritable: Path) -> int | None:
    """Make all but one path below a folder writable for the account that is returned."""
    if os.getuid() != 0:
        unwritable.chmod(0o555)
        return None
    nobody = 65534
    folder.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        if path != unwritable:
            os.chown(path, nobody, nobody)
    return nobody


HABITS = [
    ("run src/x:job --stream", "run src/x:job -- --stream"),
    ("run src/x:job --set inputs.a=3 -- --json", "run src/x:job -- --set inputs.a=3 --json"),
    (
        "--no-pantsd run -ldebug src/x:job --dry-run",
        "--no-pantsd run -ldebug src/x:job -- --dry-run",
    ),
    ("run src/x:local --epochs=3", "run src/x:local -- --epochs=3"),
    ("run :aml jobs list --local", "run :aml -- jobs list --local"),
    ("run src/x/", "run src/x:job"),
    ("run src/xy:job -- --json", "run src/x:job -- --json"),
    ("run src/other:job", "list ::"),
    ("run src/other//:job", "list ::"),
    ("test src/xyz::", "test src/x::"),
    ("jobs show a", "run :aml -- jobs show a"),
    ("train", "run src/X:job"),
    ("new-experiment --name a_b", "new-experiment --name=a_b"),
    ("new-experiment a_b", "new-experiment --name=a_b"),
    ("new-experiment --name=a --from b", "new-experiment --name=a --from=b"),
    ("test src/x", "test src/x::"),
    ("fmt lint src", "fmt lint src::"),
    ("test src/none", "tailor src/none::"),
    ("lint src/none/a.py", "tailor src/none::"),
]
COMMANDS_OF_PANTS = [
    "run src/x:job --debug-adapter --no-pantsd --tag=a --docker-run-args=--rm --level=debug -- --x",
    "run :aml -- jobs list",
    "run src/x/main.py",
    "new-experiment --name=a_b",
    "list ::",
    "test src/x:: src/none",
    "test src/x/tests",
    "fmt lint ::",
    "lint src/x",
    "lint src/y*",
    "package src/x:env",
    "help jobs",
]


@pytest.fixture
def experiment(fake: Fake) -> Fake:
    for path in ("x/main.py", "x/tests/test_main.py", "none/a.py"):
        script(fake.repository / "src" / path, "")
    (fake.repository / "src/x/BUILD").write_text("# An experiment.\nexperiment(\n)\n")
    return fake


@pytest.mark.parametrize("typed, meant", HABITS, ids=[typed for typed, _ in HABITS])
def test_answers_what_people_type_by_habit_before_pants_is_asked(
    experiment: Fake, typed: str, meant: str
) -> None:
    result = experiment.start(*typed.split())
    assert result.returncode == 2 and not experiment.said.exists()
    assert result.stderr.startswith("pants: ")
    assert result.stderr.endswith(f". Write:\n\n  ./pants {meant}\n")


@pytest.mark.parametrize("typed", COMMANDS_OF_PANTS)
def test_leaves_commands_of_pants_to_it(experiment: Fake, typed: str) -> None:
    assert experiment.start(*typed.split()).returncode == 0
    assert experiment.said.read_text().splitlines()[2:] == typed.split()


def test_shows_the_commands_of_the_scaffolding_before_those_of_pants(fake: Fake) -> None:
    script(fake.made / "client", "#!/bin/sh\necho Usage of Pants\n")
    for arguments in ((), ("help",), ("--help",)):
        shown = fake.start(*arguments).stdout
        assert shown.startswith("Azure MLOps Scaffolding") and shown.endswith("Usage of Pants\n")
        assert "./pants run :aml -- jobs list" in shown
    assert fake.start("help", "goals").stdout == "Usage of Pants\n"


@pytest.mark.parametrize(
    "settings, expected",
    [({}, "true"), ({"CI": "1"}, "unset"), ({"PANTS_DYNAMIC_UI": "false"}, "false")],
    ids=["a terminal", "a build server", "as the user has it"],
)
def test_lets_pants_show_its_progress_in_a_terminal(
    fake: Fake, settings: dict[str, str], expected: str
) -> None:
    script(fake.made / "client", '#!/bin/sh\necho "${PANTS_DYNAMIC_UI:-unset}"\n')
    fake.env.pop("CI", None)
    assert fake.start("list").stdout == "unset\n"
    ours, theirs = os.openpty()
    shown = subprocess.check_output(
        [str(fake.repository / "pants"), "list"],
        env={**fake.env, **settings},
        stderr=theirs,
        encoding="utf-8",
    )
    os.close(ours)
    os.close(theirs)
    assert shown == f"{expected}\n"


def test_commands_get_their_turn_in_the_order_of_their_start(fake: Fake) -> None:
    client = 'echo "$2 begins" >>"$SAID"\nuntil [ -e "$RECORD" ]; do sleep 0.05; done\nsleep 0.1\n'
    script(fake.made / "client", f'#!/bin/sh\n{client}echo "$2 ends" >>"$SAID"\n')
    turns = fake.repository / ".pids/turns"
    turns.mkdir(parents=True)
    other = subprocess.Popen(["sleep", "60"])
    # Of a command that was killed, of another program with its number, and not written to its end.
    for number, text in enumerate((f"{2**22 + 1} list", f"{other.pid} list", "")):
        (turns / f"{number:09}").write_text(text)
    commands = []
    for number in range(8):
        typed = ["run" if number % 2 else "list", str(number), "--", "x"]
        command = subprocess.Popen(
            [str(fake.repository / "pants"), *typed],
            env={**fake.env, "LEAVE": ""},
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert command.stderr
        commands.append(command)
        if number:
            waits = f"`./pants list 0` (process {commands[0].pid}), then for {number - 1} more\n"
            assert command.stderr.readline() == f"pants: waiting for {waits}"
        else:
            wait_for(fake.said)
    concurrent = fake.start("list", "none", PANTS_CONCURRENT="true", RECORD=os.devnull)
    assert (concurrent.returncode, concurrent.stderr) == (0, "")
    commands[3].kill()
    fake.record.touch()
    for command in commands:
        command.communicate(timeout=60)
    other.kill()
    other.wait()
    lines = [f"{number} {what}" for number in "0124567" for what in ("begins", "ends")]
    assert fake.said.read_text().splitlines() == [lines[0], "none begins", "none ends", *lines[1:]]


def test_a_command_waits_for_one_that_is_about_to_write_its_number(fake: Fake) -> None:
    turns = fake.repository / ".pids/turns"
    turns.mkdir(parents=True)
    number = turns / f"{1:09}"
    number.touch()
    other = subprocess.Popen(["bash", "-c", "exec -a pants sleep 60"])
    command = subprocess.Popen(
        [str(fake.repository / "pants"), "list"],
        env=fake.env,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    time.sleep(0.4)
    number.write_text(f"{other.pid} list\n")
    assert command.stderr
    waits = f"pants: waiting for `./pants list` (process {other.pid}), then for 0 more\n"
    assert command.stderr.readline() == waits
    other.kill()
    other.wait()
    assert command.wait(60) == 0


def test_commands_that_start_together_run_one_after_the_other(fake: Fake) -> None:
    script(
        fake.made / "client", '#!/bin/sh\necho "$2" >>"$SAID"\nsleep 0.05\necho "$2" >>"$SAID"\n'
    )
    commands = [
        subprocess.Popen(
            [str(fake.repository / "pants"), "run", str(number)],
            env={**fake.env, "LEAVE": ""},
            stderr=subprocess.DEVNULL,
        )
        for number in range(24)
    ]
    assert {command.wait(60) for command in commands} == {0}
    begun, ended = (fake.said.read_text().split()[first::2] for first in (0, 1))
    assert begun == ended and sorted(map(int, begun)) == list(range(24))
