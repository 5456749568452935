"""Let uv choose the versions for a lock."""

from __future__ import annotations

import os
from dataclasses import replace

from azureml_jobs.locks.lock import read_lock
from azureml_jobs.locks.sync import (
    REQUIREMENTS_FILE,
    VERSIONS_FILE,
    choice_error,
    constraints,
    input_files,
)
from azureml_pants.job_tool.installation import locked_pex_request
from pants.backend.python.goals.lockfile import GeneratePythonLockfile
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import EntryPoint
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import (
    ResolvePexConfig,
    ResolvePexConfigRequest,
)
from pants.engine.fs import CreateDigest, Digest, DigestContents, FileContent, MergeDigests
from pants.engine.process import FallibleProcessResult, ProcessCacheScope
from pants.engine.rules import Get, MultiGet
from pants.option.global_options import GlobalOptions

# In `[python].resolves`: the lock of uv.
_RESOLVE = "uv"


async def choose_versions(
    lock: GeneratePythonLockfile,
    old: str,
    where: str,
    python_setup: PythonSetup,
    global_options: GlobalOptions,
) -> tuple[str, ...]:
    """Return the constraints with which pex locks the versions; raise `JobError` if uv finds none.

    `old` is the content of the present lock, `where` names the files with the requirements.
    """
    pythons = lock.interpreter_constraints.partition_into_major_minor_versions(
        python_setup.interpreter_versions_universe
    )
    files = input_files(read_lock(old), lock.requirements, pythons)
    uv = locked_pex_request("uv.pex", ("uv",), _RESOLVE, python_setup)
    config, inputs, program = await MultiGet(
        Get(ResolvePexConfig, ResolvePexConfigRequest(lock.resolve_name)),
        Get(
            Digest,
            CreateDigest(FileContent(name, text.encode()) for name, text in files.items()),
        ),
        Get(VenvPex, PexRequest, replace(uv, main=EntryPoint("uv"))),
    )
    given = config.constraints_file
    if given:
        inputs = await Get(Digest, MergeDigests([inputs, given.digest]))
    ran = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            program,
            argv=uv_arguments(config, pythons[0]),
            input_digest=inputs,
            output_files=(VERSIONS_FILE,),
            extra_env=uv_environment(global_options.ca_certs_path),
            description=f"Choose versions for the lockfile of {lock.resolve_name}",
            # The package index can have other releases the next time.
            cache_scope=ProcessCacheScope.PER_SESSION,
        ),
    )
    if ran.exit_code:
        raise choice_error(where, lock.resolve_name, ran.stderr.decode(errors="replace"))
    (versions,) = await Get(DigestContents, Digest, ran.output_digest)
    theirs = {str(each) for each in given.constraints} if given else ()
    return constraints(versions.content.decode(), theirs)


def uv_arguments(config: ResolvePexConfig, python: str) -> tuple[str, ...]:
    """Return the command line, with the same package sources as pex has."""
    default, *others = config.indexes or ("",)
    given = config.constraints_file
    return (
        *("pip", "compile", "--universal", "--fork-strategy=fewest", f"--python-version={python}"),
        *("--no-cache", "--quiet", "--color=never", f"--output-file={VERSIONS_FILE}"),
        f"--default-index={default}" if default else "--no-index",
        *(f"--index={index}" for index in others),
        # As pip does: the best version on any index.
        "--index-strategy=unsafe-best-match",
        *(f"--find-links={link}" for link in config.find_links),
        *(f"--no-binary={package}" for package in config.no_binary),
        *(f"--only-binary={package}" for package in config.only_binary),
        *((f"--constraints={given.path}",) if given else ()),
        REQUIREMENTS_FILE,
    )


def uv_environment(certificates: str | None) -> dict[str, str]:
    environment = {"UV_PYTHON_DOWNLOADS": "never"}
    if certificates:
        environment["SSL_CERT_FILE"] = os.path.abspath(certificates)
    return environment
