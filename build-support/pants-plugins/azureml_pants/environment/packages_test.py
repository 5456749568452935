from __future__ import annotations

import hashlib
from unittest.mock import Mock

from azureml_pants.environment.packages import (
    LockedRequirements,
    LockedRequirementsRequest,
    choose_locked_requirements,
)
from pants.backend.python.util_rules.pex_cli import PexCliProcess
from pants.backend.python.util_rules.pex_requirements import LoadedLockfile, LoadedLockfileRequest
from pants.engine.fs import (
    EMPTY_DIGEST,
    CreateDigest,
    Digest,
    DigestContents,
    FileContent,
    MergeDigests,
    PathGlobs,
)
from pants.engine.process import ProcessResult
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

LOCK = b"// a header\n{}"


def choose(*requirements: str) -> tuple[LockedRequirements, list[PexCliProcess]]:
    """Return the part of `3rdparty/main.lock` for `requirements`, and what pex was asked."""
    started: list[PexCliProcess] = []

    def start(process: PexCliProcess) -> ProcessResult:
        started.append(process)
        return Mock(output_digest=EMPTY_DIGEST)

    chosen = run_rule_with_mocks(
        choose_locked_requirements,
        rule_args=[
            LockedRequirementsRequest("main", requirements),
            Mock(image_platform="platform.json"),
            Mock(resolves={"main": "3rdparty/main.lock"}),
            Mock(path_mappings=("FILES|/files",)),
        ],
        mock_gets=[
            MockGet(
                LoadedLockfile,
                (LoadedLockfileRequest,),
                lambda request: Mock(
                    lockfile_digest=EMPTY_DIGEST, lockfile_path=request.lockfile.url
                ),
            ),
            MockGet(Digest, (PathGlobs,), lambda _: EMPTY_DIGEST),
            MockGet(
                DigestContents,
                (PathGlobs,),
                lambda globs: DigestContents([FileContent(globs.globs[0], LOCK)]),
            ),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
            MockGet(ProcessResult, (PexCliProcess,), start),
            MockGet(Digest, (CreateDigest,), lambda _: EMPTY_DIGEST),
        ],
    )
    return chosen, started


def test_asks_pex_for_the_requirements_on_the_images_platform() -> None:
    _, (process,) = choose("numpy<3", "pandas")
    assert process.subcommand == ("lock", "export-subset")
    assert process.extra_args == (
        *("numpy<3", "pandas", "--lock", "3rdparty/main.lock", "--format", "pip"),
        *("--complete-platform", "platform.json", "--output", "requirements.txt"),
        "--path-mapping=FILES|/files",
    )
    assert process.output_files == ("requirements.txt",)


def test_does_not_ask_pex_without_a_requirement() -> None:
    chosen, started = choose()
    assert started == []
    assert chosen.packages.requirements == ()


def test_the_digest_of_the_lock_is_that_of_the_file_in_the_repository() -> None:
    chosen, _ = choose("numpy")
    assert chosen.packages.lock == "3rdparty/main.lock"
    assert chosen.packages.lock_digest == hashlib.sha256(LOCK).hexdigest()
    assert chosen.packages.requirements == ("numpy",)
