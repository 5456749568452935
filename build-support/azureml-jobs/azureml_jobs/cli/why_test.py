"""`why` and `why not`, on jobs whose files are found as Pants finds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from azureml_jobs.cli.main import main
from azureml_jobs.conftest import write_files
from azureml_jobs.imports.closure import Launch, find_closure
from azureml_jobs.imports.questions import answer_from_folder
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.units import code_units
from azureml_jobs.protocol import REQUEST_FILE, JobToExplain, UnitToExplain, WhyRequest

PYTHON = (3, 11)
ENVIRONMENT = "environment: {build: {path: docker}}\n"
FILES = {
    "src/x/job.yaml": f"code: ..\ncommand: python -m x.main --config x/c.json\n{ENVIRONMENT}"
    "inputs: {table: {type: uri_file, path: ../../data/t.csv}}\n",
    "src/x/main.py": "import sys\n\nfrom common import a\n"
    "if sys.version_info < (3, 9):\n    from common import old_only\n"
    "import common.left_out  # pants: no-infer-dep\nopen('x/table.csv')\n",
    "src/x/c.json": "{}",
    "src/x/table.csv": "",
    "src/x/docker/Dockerfile": "",
    "src/x/my-script.py": "",
    "src/y/job.yaml": "type: pipeline\njobs:\n  train: {type: command, component: ./train.yaml}\n",
    "src/y/train.yaml": "type: command\ncode: .\ncommand: python main.py\n",
    "src/y/main.py": "from tools import b\nimport common\n",
    "src/y/tools/b.py": "",
    "src/y/common/__init__.py": "",
    "src/y/unused.py": "",
    "src/common/__init__.py": "",
    "src/common/a.py": "from . import b",
    "src/common/b.py": "",
    "src/common/old_only.py": "",
    "src/common/left_out.py": "",
    "src/common/plots.py": "",
    "data/t.csv": "",
    "lib/deep/pkg/__init__.py": "",
    "lib/deep/pkg/inner.py": "",
}


@pytest.fixture
def request_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the repository, and what Pants would gather of it; return the file that has that."""
    write_files(tmp_path, FILES)
    jobs = (
        gathered(tmp_path, "src/x", "job.yaml"),
        gathered(tmp_path, "src/y", "job.yaml", "train.yaml"),
        JobToExplain("src/z:job", "src/z/job.yaml", (), (), ("src/z/job.yaml: wrong.\n\nWrite.",)),
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / REQUEST_FILE).write_bytes(WhyRequest(jobs, ("src",), PYTHON).to_json())
    return tmp_path / REQUEST_FILE


def gathered(folder: Path, place: str, *names: str) -> JobToExplain:
    paths = [f"{place}/{name}" for name in names]
    documents = {path: read_job_file(FILES[path], path) for path in paths}
    units = []
    for unit in code_units(documents, paths[0]):
        launch = Launch(unit.code, ("src",), unit.starts, unit.where, PYTHON)
        closure = answer_from_folder(folder, find_closure(launch), PYTHON)
        units.append(UnitToExplain(unit.name, closure.files))
    return JobToExplain(f"{place}:job", paths[0], tuple(paths), tuple(units))


CHAINS = [
    pytest.param(
        "src/common/b.py",
        "src/x:job sends common/b.py\n"
        "  src/x/job.yaml: command\n"
        "  src/x/main.py            run by the command\n"
        "  src/common/a.py          imported by src/x/main.py:3\n"
        "  src/common/b.py          imported by src/common/a.py:1\n",
        id="imported by what is imported",
    ),
    pytest.param("src/x/c.json", "named in the command\n", id="named"),
    pytest.param(
        "src/y/tools/b.py",
        "src/y:job, train sends tools/b.py\n  src/y/train.yaml: command\n",
        id="of a step",
    ),
    pytest.param("src/y/train.yaml", "the job file refers to it", id="a document"),
    pytest.param(
        "src/x/docker/Dockerfile",
        "  src/x/job.yaml: environment\n",
        id="the environment",
    ),
    pytest.param("data/t.csv", "  src/x/job.yaml: inputs.table\n", id="data"),
    pytest.param("src/common/plots.py", "No job sends src/common/plots.py.", id="none"),
]


@pytest.mark.parametrize("path, expected", CHAINS)
def test_prints_the_chain_from_the_command_to_the_file(
    request_file: Path, capsys: pytest.CaptureFixture[str], path: str, expected: str
) -> None:
    assert main(["why", "--request", str(request_file), "why", path]) == 0
    printed = capsys.readouterr()
    assert expected in printed.out
    assert printed.err == "warning: src/z:job is left out: src/z/job.yaml: wrong.\n"


IN_MAIN = "in src/x/main.py, which the command runs."
WAYS = [
    pytest.param(
        ["src/common/plots.py"],
        "src/x:job",
        [],
        f"Write `import common.plots` {IN_MAIN}",
        id="code",
    ),
    pytest.param(
        ["src/common/old_only.py"],
        "src/x:job",
        ["src/x/main.py:5 imports it, but where this job never runs that line."],
        f"Write `import common.old_only` {IN_MAIN}",
        id="imported by an older Python",
    ),
    pytest.param(
        ["src/common/left_out.py"],
        "src/x:job",
        ["src/x/main.py:6 imports it, but with `# pants: no-infer-dep`."],
        f"Write `import common.left_out` {IN_MAIN}",
        id="left out",
    ),
    pytest.param(
        ["src/common/__init__.py", "src/y:job"],
        "src/y:job",
        ["Python finds the module `common` in src/y/common/__init__.py, which hides it."],
        "Rename one of them.",
        id="hidden",
    ),
    pytest.param(
        ["src/y/unused.py"],
        "src/y:job",
        [],
        "Write `import unused` in src/y/main.py, which the command runs.",
        id="next to a step",
    ),
    pytest.param(
        ["lib/deep/pkg/inner.py", "src/x:job"],
        "src/x:job",
        ["Python does not search a folder that has it."],
        f"Write `code: ../../lib/deep`, and `import pkg.inner` {IN_MAIN}",
        id="outside of the code",
    ),
    pytest.param(
        ["src/x/table.csv"],
        "src/x:job",
        ['src/x/main.py:7 names it as "x/table.csv", and a name alone sends nothing.'],
        'Write `experiment(files=["table.csv"])` in src/x/BUILD.',
        id="a file that code opens",
    ),
    pytest.param(
        ["src/x/my-script.py"],
        "src/x:job",
        [],
        'Write `experiment(entry_point="my-script.py")` in src/x/BUILD.',
        id="a script that no import can name",
    ),
]


@pytest.mark.parametrize("words, job, reasons, way", WAYS)
def test_prints_what_to_write_so_that_the_nearest_job_sends_it(
    request_file: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    job: str,
    reasons: list[str],
    way: str,
) -> None:
    arguments = ["why", "--request", str(request_file), "why", "not", *words]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["job"], found["reasons"], found["ways"][0]) == (job, reasons, way)
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert f"does not send {words[0]}." in printed and way in printed


@pytest.mark.parametrize(
    "words, message",
    [
        (
            ["src/x/man.py"],
            "src/x/man.py: this repository has no such file.\n\nDid you mean src/x/main.py?",
        ),
        (["src/x"], "src/x: this is a folder.\n\nName a file in it, such as src/x/c.json."),
        (
            ["src/x/main.py", "src/xx:job"],
            "src/xx:job: this is the address of no job.\n\nDid you mean `src/x:job`?",
        ),
        (["not"], "why: it names no file."),
        (["a", "b", "c"], "why: it names more than a file and a job."),
    ],
    ids=["unknown file", "folder", "unknown job", "no file", "too many words"],
)
def test_reports_words_that_name_no_file(
    request_file: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["why", "--request", str(request_file), "why", *words]) == 2
    assert message in capsys.readouterr().err
