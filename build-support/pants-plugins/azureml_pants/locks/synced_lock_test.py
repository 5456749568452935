from __future__ import annotations

import dataclasses

import pytest
from azureml_pants.locks.chosen_versions import uv_arguments
from azureml_pants.locks.synced_lock import fits, lock_metadata, lock_process
from pants.backend.python.goals.lockfile import GeneratePythonLockfile, generate_lockfile
from pants.backend.python.pip_requirement import PipRequirement
from pants.backend.python.subsystems.setup import PipVersion, PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex_cli import PexCliProcess
from pants.backend.python.util_rules.pex_requirements import (
    LoadedLockfile,
    LoadedLockfileRequest,
    ResolvePexConfig,
    ResolvePexConfigRequest,
    ResolvePexConstraintsFile,
)
from pants.core.goals.generate_lockfiles import GenerateLockfilesSubsystem
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, DigestContents, MergeDigests
from pants.engine.process import ProcessResult
from pants.testutil.option_util import create_goal_subsystem, create_subsystem
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks
from pants.util.ordered_set import FrozenOrderedSet


def request(
    *requirements: str, python: tuple[str, ...] = ("CPython==3.11.*",)
) -> GeneratePythonLockfile:
    return GeneratePythonLockfile(
        requirements=FrozenOrderedSet(requirements),
        interpreter_constraints=InterpreterConstraints(python),
        resolve_name="main",
        lockfile_dest="main.lock",
        diff=False,
    )


def config(*constraints: str, only_binary: tuple[str, ...] = ()) -> ResolvePexConfig:
    parsed = FrozenOrderedSet(PipRequirement.parse(each) for each in constraints)
    file = ResolvePexConstraintsFile(EMPTY_DIGEST, "constraints.txt", parsed)
    return ResolvePexConfig(
        indexes=("https://index/simple/",),
        find_links=(),
        manylinux="manylinux2014",
        constraints_file=file if constraints else None,
        only_binary=FrozenOrderedSet(only_binary),
        no_binary=FrozenOrderedSet(),
        path_mappings=("PACKAGE_FILES|/host",),
    )


class Asked(Exception):
    """Carries what a rule asks to run, so that nothing runs."""


def test_pex_is_run_as_pants_own_goal_runs_it() -> None:
    python_setup = create_subsystem(PythonSetup, pip_version=PipVersion.V23_1_2)
    lock = request("six", "zipp>=3", python=("CPython==3.11.*", "CPython==3.9.*"))

    def stop(process: PexCliProcess) -> ProcessResult:
        raise Asked(process)

    with pytest.raises(Asked) as raised:
        run_rule_with_mocks(
            generate_lockfile,
            rule_args=[lock, create_goal_subsystem(GenerateLockfilesSubsystem), python_setup],
            mock_gets=[
                MockGet(ResolvePexConfig, (ResolvePexConfigRequest,), lambda _: config("six<2")),
                MockGet(Digest, (CreateDigest,), lambda _: EMPTY_DIGEST),
                MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
                MockGet(ProcessResult, (PexCliProcess,), stop),
                # The rule does not reach these.
                MockGet(DigestContents, (Digest,), stop),
                MockGet(LoadedLockfile, (LoadedLockfileRequest,), stop),
            ],
        )
    (theirs,) = raised.value.args
    pip_args = (*config("six<2").pex_args(), "--constraints=constraints.txt")
    ours = lock_process(lock, pip_args, EMPTY_DIGEST, python_setup)
    assert ours == theirs


def header(lock: GeneratePythonLockfile, settings: ResolvePexConfig) -> bytes:
    return lock_metadata(lock, settings).add_header_to_lockfile(
        b"{}", regenerate_command="pants generate-lockfiles", delimeter="//"
    )


def test_a_lock_fits_what_it_was_made_for() -> None:
    both = ("CPython==3.11.*", "CPython==3.9.*")
    content = header(request("zipp", "six>=1,<2", python=both), config("six<2"))
    again = request("six<2,>=1", "zipp", python=both[::-1])
    assert fits(content, lock_metadata(again, config("six<2")))


@pytest.mark.parametrize(
    "lock, settings",
    [
        pytest.param(request("six", "zipp"), config(), id="one more requirement"),
        pytest.param(request(), config(), id="one requirement less"),
        pytest.param(request("six>=1"), config(), id="another limit"),
        pytest.param(request("six", python=("CPython==3.12.*",)), config(), id="another Python"),
        pytest.param(request("six"), config("six<2"), id="constraints"),
        pytest.param(request("six"), config(only_binary=("six",)), id="wheels alone"),
    ],
)
def test_a_lock_made_for_something_else_does_not_fit(
    lock: GeneratePythonLockfile, settings: ResolvePexConfig
) -> None:
    content = header(request("six"), config())
    assert fits(content, lock_metadata(request("six"), config()))
    assert not fits(content, lock_metadata(lock, settings))


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'// --- BEGIN PANTS LOCKFILE METADATA: DO NOT EDIT OR REMOVE ---\n// {"version": 99}\n',
    ],
    ids=["no header", "a header of another Pants"],
)
def test_a_lock_with_an_unknown_header_does_not_fit(content: bytes) -> None:
    assert not fits(content, lock_metadata(request("six"), config()))


def test_uv_takes_packages_from_where_pex_does() -> None:
    settings = dataclasses.replace(
        config("six<2", only_binary=("six",)),
        indexes=("https://index/simple/", "https://other/simple/"),
        find_links=("https://wheels",),
    )
    assert {
        "--default-index=https://index/simple/",
        "--index=https://other/simple/",
        "--find-links=https://wheels",
        "--only-binary=six",
        "--constraints=constraints.txt",
    } < set(uv_arguments(settings, "3.11"))
    assert "--no-index" in uv_arguments(dataclasses.replace(config(), indexes=()), "3.11")
