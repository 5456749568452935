"""Locked packages: as a virtual environment, and as requirements for an image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from azureml_jobs.protocol import REQUIREMENTS_FILE, LockedPackages, PackagesVenv
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.job_tool.installation import locked_pex_request
from pants.backend.python.subsystems.repos import PythonRepos
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_cli import PexCliProcess
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment
from pants.backend.python.util_rules.pex_requirements import (
    LoadedLockfile,
    LoadedLockfileRequest,
    Lockfile,
)
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    FileContent,
    GlobMatchErrorBehavior,
    MergeDigests,
    PathGlobs,
)
from pants.engine.process import ProcessResult
from pants.engine.rules import Get, MultiGet, rule


@dataclass(frozen=True)
class InstallPackagesRequest:
    """An environment with `requirements` of the lock of `resolve`, or with all of it for None."""

    resolve: str
    requirements: tuple[str, ...] | None
    environment: CompletePexEnvironment


@dataclass(frozen=True)
class InstalledPackages:
    """`digest` holds the script that recreates the environment."""

    digest: Digest
    venv: PackagesVenv


@rule(desc="Install the packages of a job")
async def install_packages(
    request: InstallPackagesRequest, python_setup: PythonSetup
) -> InstalledPackages:
    # Several of them are in one folder: each has the name of its content.
    wanted = repr((request.resolve, request.requirements)).encode()
    name = f"packages-{hashlib.sha256(wanted).hexdigest()[:12]}.pex"
    pex_request = locked_pex_request(name, request.requirements, request.resolve, python_setup)
    venv = await Get(VenvPex, VenvPexRequest(pex_request, request.environment))
    prefix = request.environment.pex_root / venv.venv_rel_dir
    return InstalledPackages(venv.digest, PackagesVenv(str(prefix), venv.python.argv0))


@dataclass(frozen=True)
class LockedRequirementsRequest:
    """The part of the lock of `resolve` that `requirements` need, with hashes."""

    resolve: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class LockedRequirements:
    """`digest` holds `requirements.txt`, for the platform of the images."""

    digest: Digest
    packages: LockedPackages


@rule(desc="Choose the locked packages of a job")
async def choose_locked_requirements(
    request: LockedRequirementsRequest,
    azureml: AzureMLSubsystem,
    python_setup: PythonSetup,
    python_repos: PythonRepos,
) -> LockedRequirements:
    path = python_setup.resolves[request.resolve]
    lock, platform, on_disk = await MultiGet(
        Get(
            LoadedLockfile,
            LoadedLockfileRequest(
                Lockfile(
                    url=path,
                    url_description_of_origin=f"the resolve `{request.resolve}`",
                    resolve_name=request.resolve,
                )
            ),
        ),
        Get(
            Digest,
            PathGlobs(
                [azureml.image_platform],
                glob_match_error_behavior=GlobMatchErrorBehavior.error,
                description_of_origin="the option `[azureml].image_platform`",
            ),
        ),
        Get(DigestContents, PathGlobs([path])),
    )
    if request.requirements:
        inputs = await Get(Digest, MergeDigests((lock.lockfile_digest, platform)))
        result = await Get(
            ProcessResult,
            PexCliProcess,
            export_process(request, lock.lockfile_path, inputs, azureml, python_repos),
        )
        digest = result.output_digest
    else:
        # Without a requirement pex would export the whole lock.
        digest = await Get(Digest, CreateDigest([FileContent(REQUIREMENTS_FILE, b"")]))
    return LockedRequirements(
        digest,
        LockedPackages(
            resolve=request.resolve,
            lock=path,
            lock_digest=hashlib.sha256(on_disk[0].content).hexdigest(),
            requirements=request.requirements,
        ),
    )


def export_process(
    request: LockedRequirementsRequest,
    lock: str,
    inputs: Digest,
    azureml: AzureMLSubsystem,
    python_repos: PythonRepos,
) -> PexCliProcess:
    """Return how pex writes `requirements.txt`; `inputs` hold the lock and the platform."""
    return PexCliProcess(
        subcommand=("lock", "export-subset"),
        extra_args=(
            *request.requirements,
            "--lock",
            lock,
            "--format",
            "pip",
            "--complete-platform",
            azureml.image_platform,
            "--output",
            REQUIREMENTS_FILE,
            *(f"--path-mapping={mapping}" for mapping in python_repos.path_mappings),
        ),
        description=f"Choose {len(request.requirements)} packages of {request.resolve}",
        additional_input_digest=inputs,
        output_files=(REQUIREMENTS_FILE,),
    )
