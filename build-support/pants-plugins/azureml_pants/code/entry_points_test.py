from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Literal

import pytest
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_pants.code.job_entry_points import JobEntryPoints, JobEntryPointsRequest, JobFieldSet
from azureml_pants.conftest import OPTIONS
from pants.backend.project_info.dependencies import Dependencies as DependenciesGoal
from pants.backend.project_info.dependents import DependentsGoal
from pants.backend.project_info.list_targets import List
from pants.engine.addresses import Address
from pants.testutil.rule_runner import RuleRunner, engine_error

SOURCES = "python_sources(name='lib', sources=['**/*.py', '!test_*.py'])\n"


def depends_on(rule_runner: RuleRunner, target: str = "src/x:job", *options: str) -> list[str]:
    """Return the dependencies that Pants infers for a target of the files written before."""
    result = rule_runner.run_goal_rule(
        DependenciesGoal,
        global_args=(*OPTIONS, *options),
        args=[target],
        env_inherit={"PATH", "HOME"},
    )
    return result.stdout.split()


def job(command: str, code: str = "..", build: str = "", **files: str) -> dict[str, str]:
    """Return the files of an experiment in `src/x` whose job runs `command`."""
    return {
        "src/x/BUILD": f"{SOURCES}azureml_job(name='job')\n{dedent(build)}",
        "src/x/azure-ml-job.yaml": f"code: {code}\ncommand: {command}\n",
        "src/x/main.py": "",
        **files,
    }


def entry_points(rule_runner: RuleRunner, name: str = "job") -> JobEntryPoints:
    target = rule_runner.get_target(Address("src/x", target_name=name))
    field_set = JobFieldSet.create(target)
    return rule_runner.request(JobEntryPoints, [JobEntryPointsRequest(field_set)])


@pytest.mark.parametrize(
    "command, code, expected",
    [
        pytest.param("python -m x.main", "..", "src/x/main.py:lib", id="a module"),
        pytest.param("python main.py", ".", "src/x/main.py:lib", id="a script next to it"),
        pytest.param("python x/main.py", "..", "src/x/main.py:lib", id="a script below `code:`"),
        pytest.param("python -m tools", ".", "src/x/tools/__main__.py:../lib", id="a package"),
        pytest.param(
            "python tools", ".", "src/x/tools/__main__.py:../lib", id="a folder without a slash"
        ),
        pytest.param("python tools/", ".", "src/x/tools/__main__.py:../lib", id="a folder"),
        pytest.param(
            "python -m common.prepare", ".", "src/common/prepare.py", id="code of the source root"
        ),
        pytest.param(
            "python -m elsewhere.serve",
            "..",
            "other/elsewhere/serve.py:../lib",
            id="a module in another source root",
        ),
        pytest.param(
            "python main.py && python -m common.prepare",
            ".",
            "src/common/prepare.py src/x/main.py:lib",
            id="two commands",
        ),
        pytest.param("cd x && python main.py", "..", "src/x/main.py:lib", id="a script after a cd"),
        pytest.param("python -m json.tool < a.json", "..", "", id="a module of Python itself"),
        pytest.param("make all", "..", "", id="no code of the repository"),
    ],
)
def test_a_job_depends_on_what_its_command_runs(
    rule_runner: RuleRunner, command: str, code: str, expected: str
) -> None:
    rule_runner.write_files(
        {
            **job(command, code),
            "src/x/tools/__main__.py": "",
            "src/common/BUILD": "python_sources()",
            "src/common/prepare.py": "",
            "other/BUILD": "python_sources(name='lib', sources=['**/*.py'])",
            "other/elsewhere/serve.py": "",
        }
    )
    assert depends_on(rule_runner) == expected.split()
    assert entry_points(rule_runner).of_command.unowned == ()


def test_a_module_of_a_locked_package_is_owned_by_its_requirement(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            **job("python -m pytest x/test_x.py"),
            "src/x/test_x.py": "",
            "src/x/BUILD": "python_tests(name='tests')\nazureml_job(name='job')",
            "BUILD": dedent("""
                python_requirement(name='pytest', requirements=['pytest==7'])
                python_requirement(name='b', requirements=['pytest==7'], resolve='second')
                """),
        }
    )
    assert depends_on(rule_runner) == ["//:pytest", "src/x/test_x.py:tests"]


def test_type_stubs_do_not_replace_their_package(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            **job("python -m yaml"),
            "BUILD": dedent("""
                python_requirement(name='a-stubs', requirements=['types-PyYAML==6'])
                python_requirement(name='yaml', requirements=['PyYAML==6'])
                """),
        }
    )
    assert "//:yaml" in depends_on(rule_runner)


@pytest.mark.parametrize("owner", ["resource", "file", "shell_source"])
def test_a_file_that_the_command_names_is_a_dependency_when_a_target_owns_it(
    rule_runner: RuleRunner, owner: str
) -> None:
    rule_runner.write_files(
        {
            **job(
                "python main.py --config=conf/a.yaml --out results/b.yaml conf/gone.yaml",
                ".",
                build=f"{owner}(name='conf', source='conf/a.yaml')",
            ),
            "src/x/conf/a.yaml": "",
            "src/x/conf/unowned.yaml": "",
        }
    )
    assert depends_on(rule_runner) == ["src/x/main.py:lib", "src/x:conf"]
    assert entry_points(rule_runner).of_command.unowned == ()


@pytest.mark.parametrize("owner", ["resource", "file", "shell_source"])
def test_a_shell_script_is_owned_by_any_target_that_can_hold_it(
    rule_runner: RuleRunner, owner: str
) -> None:
    rule_runner.write_files(
        {
            **job("bash run.sh", ".", build=f"{owner}(name='sh', source='run.sh')"),
            "src/x/run.sh": "python main.py\n",
        }
    )
    assert depends_on(rule_runner) == ["src/x:sh"]


@pytest.mark.parametrize(
    "command, kind, name",
    [
        pytest.param("python -m x.mian", "module", "x.mian", id="a module"),
        pytest.param("python -m x", "module", "x", id="a package that cannot be run"),
        pytest.param("python x/mian.py", "script", "x/mian.py", id="a script"),
        pytest.param("python main.py", "script", "main.py", id="a script of another folder"),
        pytest.param("bash x/run.sh", "script", "x/run.sh", id="a shell script without a target"),
        pytest.param("torchrun x/gone.py", "script", "x/gone.py", id="a deleted file"),
        pytest.param("python ../../z.py", "script", "../../z.py", id="a file out of `code:`"),
    ],
)
def test_names_what_is_run_and_has_no_owner(
    rule_runner: RuleRunner, command: str, kind: Literal["module", "script"], name: str
) -> None:
    # Pants names a package's own file as the owner of what it may define.
    package = {"src/x/__init__.py": "VALUE = 1"}
    rule_runner.write_files({**job(command), **package, "src/x/run.sh": "", "z.py": ""})
    assert entry_points(rule_runner).of_command.unowned == (EntryPoint(kind, name),)
    assert depends_on(rule_runner) == []


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("x/a[b.csv", id="half a class"),
        pytest.param("x/**/*.yaml", id="a glob for the program"),
        pytest.param("x/?.yaml", id="one letter"),
        pytest.param("!x/a.yaml", id="an exclamation mark"),
        pytest.param("x/{a,b}.yaml", id="braces"),
        pytest.param("x\\a.yaml", id="a backslash"),
        pytest.param("x/größe.yaml", id="letters beyond ASCII"),
        pytest.param("s/x/y/", id="a pattern of sed"),
        pytest.param("x/" + 300 * "a" + ".yaml", id="a name that is too long"),
        pytest.param("x/main.py/a.yaml", id="a file as a folder"),
        pytest.param("x", id="a folder"),
        pytest.param("x/.", id="a folder with a dot"),
    ],
)
@pytest.mark.parametrize("code", ["..", "../.."], ids=["source root", "repository"])
def test_ignores_words_that_name_no_file(rule_runner: RuleRunner, word: str, code: str) -> None:
    command = f"""python -m x.main --data '{word}'"""
    rule_runner.write_files(
        {**job("", code, build="file(name='a', source='a.yaml')"), "src/x/a.yaml": ""}
    )
    rule_runner.write_files(
        {"src/x/azure-ml-job.yaml": json.dumps(dict(code=code, command=command))}
    )
    assert depends_on(rule_runner) == ["src/x/main.py:lib"]


def test_a_file_deleted_after_it_was_found_has_no_owner(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(job("python x/main.py"))
    assert depends_on(rule_runner) == ["src/x/main.py:lib"]
    (Path(rule_runner.build_root) / "src/x/main.py").unlink()
    rule_runner.scheduler.invalidate_files({"src/x/main.py", "src/x"})
    assert entry_points(rule_runner).of_command.unowned == (EntryPoint("script", "x/main.py"),)


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("extra.py", "src/x/extra.py:lib", id="a file next to the BUILD file"),
        pytest.param("x/extra.py", "src/x/extra.py:lib", id="a file below `code:`"),
        pytest.param("x.extra", "src/x/extra.py:lib", id="a module"),
    ],
)
def test_the_entry_point_field_adds_to_the_command(
    rule_runner: RuleRunner, value: str, expected: str
) -> None:
    rule_runner.write_files(
        {
            **job("python -m x.main"),
            "src/x/BUILD": f"{SOURCES}azureml_job(name='job', entry_point='{value}')",
            "src/x/extra.py": "",
            "src/x/__init__.py": "",
        }
    )
    assert depends_on(rule_runner) == sorted(["src/x/main.py:lib", expected])
    assert entry_points(rule_runner).of_field.unowned == ()


def test_an_unowned_entry_point_field_is_not_an_error_of_the_command(
    rule_runner: RuleRunner,
) -> None:
    rule_runner.write_files(
        {
            **job("python -m x.main"),
            "src/x/BUILD": f"{SOURCES}azureml_job(name='job', entry_point='gone.py')",
        }
    )
    found = entry_points(rule_runner)
    assert found.of_command.unowned == ()
    assert found.of_field.unowned == (EntryPoint("script", "gone.py"),)


def test_chooses_the_owner_with_the_resolve_of_the_job(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            **job("python -m x.main"),
            "src/x/BUILD": dedent("""
                python_source(name='a', source='main.py')
                python_source(name='b', source='main.py', resolve='second')
                azureml_job(name='job')
                azureml_job(name='job2', resolve='second')
                """),
        }
    )
    assert depends_on(rule_runner, "src/x:job") == ["src/x:a"]
    assert depends_on(rule_runner, "src/x:job2") == ["src/x:b"]


def test_code_of_the_default_resolve_does_not_serve_another_one(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            **job("python main.py", "."),
            "src/x/BUILD": f"{SOURCES}azureml_job(name='job', resolve='second')",
        }
    )
    found = entry_points(rule_runner).of_command
    assert found.unowned == (EntryPoint("script", "main.py"),)
    assert [str(address) for address in found.of_other_resolves] == ["src/x/main.py:lib"]


def test_works_without_resolves(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(job("python main.py", "."))
    assert depends_on(rule_runner, "src/x:job", "--no-python-enable-resolves") == [
        "src/x/main.py:lib"
    ]


def test_code_goes_before_data_whatever_the_distance(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            **job("python main.py", "."),
            "BUILD": "files(name='everything', sources=['src/**/*'])",
            "src/x/BUILD": SOURCES
            + "azureml_job(name='job')\nfiles(name='data', sources=['*.py'])",
        }
    )
    assert depends_on(rule_runner) == ["src/x/main.py:lib"]


def test_the_local_target_depends_on_its_script(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            "src/x/BUILD": SOURCES
            + "azureml_local(name='local')\nazureml_local(name='gone', entry_point='gone.py')",
            "src/x/local.py": "",
            # Of the same name, in the source root.
            "src/BUILD": "python_sources()",
            "src/local.py": "",
        }
    )
    assert depends_on(rule_runner, "src/x:local") == ["src/x/local.py:lib"]
    assert depends_on(rule_runner, "src/x:gone") == []


BROKEN = [
    pytest.param("command: [", "src/x/azure-ml-job.yaml: line 1", id="no YAML"),
    pytest.param("- a", "src/x/azure-ml-job.yaml: not a job file", id="a list"),
    pytest.param("", "src/x/azure-ml-job.yaml: the job file is empty", id="empty"),
    pytest.param(b"\xff", "src/x/azure-ml-job.yaml: not text in UTF-8 (byte 0)", id="binary"),
    pytest.param("command: echo '", "src/x/azure-ml-job.yaml: command: ", id="an open quote"),
    pytest.param("code: ../../..", "src/x/azure-ml-job.yaml: code: ", id="code out of the root"),
    pytest.param(None, "src/x/azure-ml-job.yaml: there is no such file", id="missing"),
]


@pytest.mark.parametrize("text, expected", BROKEN)
def test_reports_a_broken_job_file(
    rule_runner: RuleRunner, text: str | bytes | None, expected: str
) -> None:
    rule_runner.write_files({"src/x/BUILD": "azureml_job(name='job')"})
    if text is not None:
        rule_runner.write_files({"src/x/azure-ml-job.yaml": text})
    found = entry_points(rule_runner)
    assert found.job_file.needs is None
    (error,) = found.job_file.errors
    assert error.startswith(expected)


@pytest.mark.parametrize("text, expected", BROKEN)
def test_a_broken_job_file_breaks_no_other_goal(
    rule_runner: RuleRunner, text: str | bytes | None, expected: str
) -> None:
    del expected
    files = job("")
    del files["src/x/azure-ml-job.yaml"]
    rule_runner.write_files(files)
    if text is not None:
        rule_runner.write_files({"src/x/azure-ml-job.yaml": text})
    assert depends_on(rule_runner) == []
    for goal, args, listed in (
        (List, ["src/x:"], "src/x:job"),
        (DependentsGoal, ["--transitive", "src/x/main.py"], ""),
    ):
        result = rule_runner.run_goal_rule(
            goal, global_args=OPTIONS, args=args, env_inherit={"PATH", "HOME"}
        )
        assert result.exit_code == 0
        assert listed in result.stdout


def test_a_job_is_a_dependent_of_the_code_that_it_reaches(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {**job("python -m x.main"), "src/x/main.py": "import x.model", "src/x/model.py": ""}
    )
    result = rule_runner.run_goal_rule(
        DependentsGoal,
        global_args=OPTIONS,
        args=["--transitive", "src/x/model.py"],
        env_inherit={"PATH", "HOME"},
    )
    assert "src/x:job" in result.stdout.split()


def test_an_unknown_resolve_is_named_as_for_python_targets(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {**job("python -m x.main"), "src/x/BUILD": "azureml_job(name='job', resolve='typo')"}
    )
    with engine_error(contains="typo"):
        depends_on(rule_runner)
