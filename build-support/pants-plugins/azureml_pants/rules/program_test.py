from __future__ import annotations

from unittest.mock import Mock

from azureml_pants.rules.program import ProgramRun, prepare_program
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.engine.fs import EMPTY_DIGEST, Digest, MergeDigests, PathGlobs
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks


def test_a_program_of_a_package_runs_on_files() -> None:
    installed: list[VenvPexRequest] = []
    taken: list[PathGlobs] = []

    def install(request: VenvPexRequest) -> VenvPex:
        installed.append(request)
        return Mock(spec=VenvPex, digest=EMPTY_DIGEST, bin={"prog": Mock(argv0="./prog")})

    def take(globs: PathGlobs) -> Digest:
        taken.append(globs)
        return EMPTY_DIGEST

    process = run_rule_with_mocks(
        prepare_program,
        rule_args=[
            ProgramRun("lock", "prog", ("--all", "a.sh"), ("**/*.sh",), "Run prog"),
            Mock(
                spec=PythonSetup,
                resolves_to_interpreter_constraints={"lock": ("CPython==3.12.*",)},
                interpreter_constraints=("CPython==3.11.*",),
            ),
            Mock(**{"in_sandbox.return_value.append_only_caches": {}}),
        ],
        mock_gets=[
            MockGet(VenvPex, (VenvPexRequest,), install),
            MockGet(Digest, (PathGlobs,), take),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    assert process.argv == ("./prog", "--all", "a.sh")
    assert [tuple(globs.globs) for globs in taken] == [("**/*.sh",)]
    (request,) = installed
    assert request.bin_names == ("prog",)
    assert str(request.pex_request.interpreter_constraints) == "CPython==3.12.*"
