from __future__ import annotations

from textwrap import dedent

import pytest
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest, init_files
from pants.engine.addresses import Address
from pants.engine.fs import Snapshot
from pants.testutil.rule_runner import RuleRunner

EXPERIMENT = {
    "src/x/BUILD": dedent("""
        python_sources(name='lib', sources=['*.py', '!test_*.py'])
        python_tests(name='tests', sources=['test_*.py'])
        azureml_job(name='job', entry_point='main.py')
        """),
    "src/x/azure-ml-job.yaml": "code: ..\ncommand: python -m x.main\n",
    "src/x/main.py": "from common.data import load\n",
    "src/x/unused.py": "import common.unused\n",
    "src/x/test_main.py": "import x.main\n",
    "src/common/BUILD": "python_sources(name='lib')\n",
    "src/common/data.py": "import common.deep\n",
    "src/common/deep.py": "",
    "src/common/unused.py": "",
}


def needed(rule_runner: RuleRunner, files: dict[str, str]) -> TargetFiles:
    """Return the files that `src/x:job` needs in a repository of these files."""
    rule_runner.write_files(files)
    address = Address("src/x", target_name="job")
    return rule_runner.request(TargetFiles, [TargetFilesRequest(address)])


def paths(found: TargetFiles) -> list[str]:
    return [file.path for file in found.files]


def test_holds_exactly_what_is_reached_by_imports(rule_runner: RuleRunner) -> None:
    found = needed(rule_runner, EXPERIMENT)
    assert paths(found) == ["src/common/data.py", "src/common/deep.py", "src/x/main.py"]


def test_the_digest_holds_the_files_that_are_listed(rule_runner: RuleRunner) -> None:
    found = needed(rule_runner, {**EXPERIMENT, "src/x/__init__.py": ""})
    snapshot = rule_runner.request(Snapshot, [found.digest])
    assert sorted(snapshot.files) == paths(found)


@pytest.mark.parametrize("content", ["", "import common.tools\n"], ids=["empty", "with imports"])
def test_packages_keep_their_init_files_and_what_these_import(
    rule_runner: RuleRunner, content: str
) -> None:
    found = needed(
        rule_runner,
        {
            **EXPERIMENT,
            "src/common/__init__.py": content,
            "src/common/tools.py": "",
            "src/x/__init__.py": "",
            "src/unrelated/__init__.py": "",
        },
    )
    held = set(paths(found))
    assert {"src/common/__init__.py", "src/x/__init__.py"} < held
    assert ("src/common/tools.py" in held) == bool(content)
    assert "src/unrelated/__init__.py" not in held


def test_ignores_init_files_at_and_above_the_source_root(rule_runner: RuleRunner) -> None:
    stray = {"__init__.py": "", "src/__init__.py": ""}
    found = needed(rule_runner, {**EXPERIMENT, **stray})
    assert paths(found) == ["src/common/data.py", "src/common/deep.py", "src/x/main.py"]


@pytest.mark.parametrize("kind", ["resource", "file", "shell_source"])
@pytest.mark.parametrize("declared_by", ["the code", "the job"])
def test_holds_what_is_declared(rule_runner: RuleRunner, kind: str, declared_by: str) -> None:
    code, job = ([":a"], []) if declared_by == "the code" else ([], [":a"])
    build = dedent(f"""
        python_sources(name='lib', overrides={{'main.py': {{'dependencies': {code}}}}})
        azureml_job(name='job', dependencies={job})
        {kind}(name='a', source='conf/a.yaml')
        """)
    found = needed(
        rule_runner,
        {**EXPERIMENT, "src/x/BUILD": build, "src/x/conf/a.yaml": "", "src/x/conf/b.yaml": ""},
    )
    held = {file.path: file for file in found.files}
    assert "src/x/conf/b.yaml" not in held
    assert held["src/x/conf/a.yaml"].name == "x/conf/a.yaml"
    assert held["src/x/conf/a.yaml"].why == (
        "needed by src/x/main.py" if declared_by == "the code" else "run or named by src/x:job"
    )


def test_a_generator_of_files_stands_for_all_of_them(rule_runner: RuleRunner) -> None:
    build = dedent("""
        python_sources(name='lib')
        azureml_job(name='job', dependencies=[':configs'])
        files(name='configs', sources=['conf/*.yaml'])
        """)
    names = ["src/x/conf/a.yaml", "src/x/conf/b.yaml"]
    found = needed(rule_runner, {**EXPERIMENT, "src/x/BUILD": build, **dict.fromkeys(names, "")})
    assert set(names) < set(paths(found))


def test_holds_generated_files(rule_runner: RuleRunner) -> None:
    build = dedent("""
        python_sources(name='lib')
        azureml_job(name='job', dependencies=[':moved'])
        file(name='a', source='conf/a.yaml')
        relocated_files(name='moved', files_targets=[':a'], src='src/x/conf', dest='src/x/etc')
        """)
    found = needed(rule_runner, {**EXPERIMENT, "src/x/BUILD": build, "src/x/conf/a.yaml": "1"})
    assert "src/x/etc/a.yaml" in paths(found)
    assert "src/x/conf/a.yaml" not in paths(found)


def test_names_each_file_by_its_source_root(rule_runner: RuleRunner) -> None:
    build = dedent("""
        python_sources(name='lib')
        azureml_job(name='job', dependencies=['//data:a', '//other/m:lib'])
        """)
    found = needed(
        rule_runner,
        {
            **EXPERIMENT,
            "src/x/BUILD": build,
            "data/BUILD": "file(name='a', source='a.csv')",
            "data/a.csv": "",
            "other/m/BUILD": "python_sources(name='lib')",
            "other/m/__init__.py": "",
            "other/m/a.py": "",
        },
    )
    names = {file.path: file.name for file in found.files}
    assert names["src/x/main.py"] == "x/main.py"
    assert names["other/m/a.py"] == "m/a.py"
    assert names["other/m/__init__.py"] == "m/__init__.py"
    assert names["data/a.csv"] == "data/a.csv"


def test_the_reason_follows_the_shortest_chain(rule_runner: RuleRunner) -> None:
    found = needed(
        rule_runner,
        {
            **EXPERIMENT,
            "src/x/main.py": "import common.b\nimport common.a\nimport common.long\n",
            "src/common/a.py": "import common.shared\n",
            "src/common/b.py": "import common.shared\n",
            "src/common/long.py": "import common.longer\n",
            "src/common/longer.py": "import common.a\n",
            "src/common/shared.py": "import x.main\n",
            "src/common/__init__.py": "",
        },
    )
    assert {file.path: (file.owner, file.why) for file in found.files} == {
        "src/common/__init__.py": ("", "makes its folder a package"),
        "src/common/a.py": ("src/common/a.py:lib", "needed by src/x/main.py"),
        "src/common/b.py": ("src/common/b.py:lib", "needed by src/x/main.py"),
        "src/common/long.py": ("src/common/long.py:lib", "needed by src/x/main.py"),
        "src/common/longer.py": ("src/common/longer.py:lib", "needed by src/common/long.py"),
        "src/common/shared.py": ("src/common/shared.py:lib", "needed by src/common/a.py"),
        "src/x/main.py": ("src/x/main.py:lib", "run or named by src/x:job"),
    }


def test_collects_the_requirements_that_are_reached(rule_runner: RuleRunner) -> None:
    found = needed(
        rule_runner,
        {
            **EXPERIMENT,
            "src/common/deep.py": "import numpy\nimport json\n",
            "src/x/main.py": "import common.deep\nimport matplotlib\n",
            "src/common/unused.py": "import pandas\n",
            "BUILD": dedent("""
                python_requirement(name='p', requirements=['pandas'])
                python_requirement(name='n', requirements=['numpy>=2,<3'])
                python_requirement(
                    name='m', requirements=["matplotlib[tk]>=3; python_version >= '3.8'"]
                )
                python_requirement(name='n2', requirements=['numpy'], resolve='second')
                """),
        },
    )
    assert found.requirements == (
        'matplotlib[tk]>=3; python_version >= "3.8"',
        "numpy<3,>=2",
    )
    assert "numpy" not in str(paths(found))


def test_an_edit_of_the_job_file_alone_changes_nothing(rule_runner: RuleRunner) -> None:
    before = needed(rule_runner, EXPERIMENT)
    job_file = "code: ..\ndescription: edited\ncommand: python -m x.main --epochs 2\n"
    after = needed(rule_runner, {"src/x/azure-ml-job.yaml": job_file})
    assert after == before


def test_a_job_that_runs_no_code_of_the_repository_needs_no_files(rule_runner: RuleRunner) -> None:
    files = {"src/x/BUILD": "azureml_job(name='job')", "src/x/azure-ml-job.yaml": "command: ls"}
    found = needed(rule_runner, files)
    assert (found.files, found.requirements) == ((), ())


@pytest.mark.parametrize(
    "root_of, expected",
    [
        pytest.param({"src/a/b/c.py": "src"}, "src/a/__init__.py src/a/b/__init__.py", id="nested"),
        pytest.param({"src/c.py": "src"}, "", id="in the source root"),
        pytest.param({"a/c.py": ""}, "a/__init__.py", id="outside of every source root"),
        pytest.param({"c.py": ""}, "", id="in the repository's root"),
        pytest.param({"src/a/c.csv": "src"}, "", id="no code"),
        pytest.param({"src/a/c.py": "src", "src/a/__init__.py": "src"}, "", id="present already"),
        pytest.param({"src/a/c.pyi": "src"}, "src/a/__init__.py", id="type stubs"),
    ],
)
def test_init_files_are_below_the_source_root(root_of: dict[str, str], expected: str) -> None:
    assert sorted(init_files(root_of)) == expected.split()
