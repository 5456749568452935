"""Test the completion of ./pants with real keys, in each shell that this machine has."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent
FILES = {
    "pants": '#!/bin/sh\necho "<$*>"\n',
    "src/first/BUILD": 'experiment(\n    jobs={"sweep": "sweep.yaml"},\n)\n',
    "src/team/other/BUILD": 'azureml_job(\n    name="other_job",\n)\n',
    "src/shared/BUILD": "python_sources()\n",
    ".azureml/jobs/first-1a2b-1/job.json": "",
    "build-support/experiment-template/variants/scikit-learn/main.py.template": "",
}
STARTS = {
    "bash": ("bash --norc --noprofile -i", "completion.sh"),
    "zsh": ("zsh -f -i", "completion.zsh"),
}
TYPED = {
    "./pants ru\tsrc/f\tjo\t": "run src/first:job",
    "./pants run src/first:s\t-- --dr\t": "run src/first:sweep -- --dry-run",
    "./pants run src/te\tother_\t": "run src/team/other:other_job",
    "./pants run :a\t-- jo\tsh\tfi\t": "run :aml -- jobs show first-1a2b-1",
    "./pants test src/f\t": "test src/first::",
    "./pants new\t--n\tx --from=sci\t": "new-experiment --name=x --from=scikit-learn",
    "./pants new-experiment --from=src/t\t": "new-experiment --from=src/team/other",
    "./pants run src/sha\t": "run src/sha",
}


@pytest.fixture(scope="module", params=STARTS)
def typed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """What ./pants got of all lines, typed one after the other."""
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")
    folder = tmp_path_factory.mktemp("repository")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "pants").chmod(0o755)
    command, script = STARTS[request.param]
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        command.split(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        seen = ""
        for line in (f"source {TOOLS / script}; echo '<'ready'>'", *TYPED):
            os.write(ours, f"{line}\n".encode())
            answer = ""
            while ">\n" not in answer:
                assert select.select([ours], [], [], 20)[0], seen + answer
                answer += os.read(ours, 4096).decode(errors="replace").replace("\r", "")
            seen += answer
        yield seen
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@pytest.mark.parametrize("expected", TYPED.values(), ids=str)
def test_completes_what_is_typed(typed: str, expected: str) -> None:
    assert f"<{expected}>\n" in typed
