from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePath
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from azureml_pants.job.run import RunJobFieldSet
from azureml_pants.job_tool.debugger import DebugRequest, add_debugger
from azureml_pants.script.run_local import RunLocalFieldSet
from azureml_pants.script.run_terminal import RunTerminalFieldSet
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.core.goals.run import RunFieldSet, RunRequest
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, FileContent, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks


def test_adds_the_options_of_the_debugger_to_the_same_run() -> None:
    written: list[FileContent] = []
    venv = SimpleNamespace(
        digest=EMPTY_DIGEST, venv_rel_dir="venvs/a", python=SimpleNamespace(argv0="./seed")
    )

    def create(request: Iterable[FileContent]) -> Digest:
        written.extend(request)
        return EMPTY_DIGEST

    # The engine's inputs have to be hashable.
    debugpy, in_workspace = Mock(), Mock(pex_root=PurePath("/cache"))
    debugpy.to_pex_request.return_value = None
    run = RunRequest(digest=EMPTY_DIGEST, args=("{chroot}/python", "r.py"), extra_env={"A": "1"})
    result = run_rule_with_mocks(
        add_debugger,
        rule_args=[
            DebugRequest(run),
            debugpy,
            SimpleNamespace(host="127.0.0.1", port=5679),
            SimpleNamespace(in_workspace=lambda: in_workspace),
        ],
        mock_gets=[
            MockGet(VenvPex, (VenvPexRequest,), lambda _: venv),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    assert (result.args, result.extra_env) == (run.args, run.extra_env)
    (file,) = written
    assert file.path == "debugger.json"
    options = json.loads(file.content)
    assert {key: options[key] for key in ("host", "port", "venv")} == {
        "host": "127.0.0.1",
        "port": 5679,
        "venv": {"prefix": "/cache/venvs/a", "seed": "./seed"},
    }


@pytest.mark.parametrize(
    ("kind", "is_debugged"),
    [(RunJobFieldSet, True), (RunLocalFieldSet, True), (RunTerminalFieldSet, False)],
)
def test_jobs_and_local_scripts_can_be_debugged(kind: type[RunFieldSet], is_debugged: bool) -> None:
    assert kind.supports_debug_adapter is is_debugged
