from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command import EntryPoint
from azureml_jobs.jobfile.needs import (
    candidate_paths,
    declared_entry_point,
    is_brought_by_python,
    job_needs,
    needs_of,
)

JOB_FILE = "src/exp/job.yaml"


def test_reads_the_command_the_code_folder_and_the_environment() -> None:
    needs = job_needs(
        "code: ..\n"
        "command: python -m exp.main --config conf.yaml\n"
        "environment:\n  build:\n    path: docker/\n",
        JOB_FILE,
    )
    assert needs.code_folder == "src"
    assert needs.entry_points == (EntryPoint("module", "exp.main"), EntryPoint("file", "conf.yaml"))
    assert (needs.build_context, needs.conda_file) == ("src/exp/docker", None)
    assert needs.environment_globs() == (
        *("src/exp/docker/**", "!src/exp/docker/**/BUILD", "!src/exp/docker/**/BUILD.*"),
    )


@pytest.mark.parametrize(
    ("environment", "globs"),
    [
        pytest.param("azureml:env:1", (), id="a registered environment"),
        pytest.param({"image": "python:3.11"}, (), id="an image"),
        pytest.param(
            {"image": "python:3.11", "conda_file": "../conda.yaml"},
            ("src/conda.yaml",),
            id="a conda file",
        ),
        pytest.param({"image": "x", "conda_file": {"name": "x"}}, (), id="conda packages inline"),
        pytest.param({"build": {"path": "https://x.org/y.git"}}, (), id="a context elsewhere"),
        pytest.param({"build": None}, (), id="a build without anything"),
        pytest.param(None, (), id="no environment"),
    ],
)
def test_needs_the_files_of_an_environment_that_are_here(
    environment: object, globs: tuple[str, ...]
) -> None:
    job = {"command": "python -m exp.main", "environment": environment}
    assert needs_of(job, JOB_FILE).environment_globs() == globs


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        pytest.param({"build": {"path": "../../.."}}, "environment.build.path", id="above"),
        pytest.param({"build": {"path": "../../../x"}}, "environment.build.path", id="beside"),
        pytest.param({"build": {"path": "../.."}}, "environment.build.path", id="the root itself"),
        pytest.param({"build": {"path": "/srv/x"}}, "environment.build.path", id="absolute"),
        pytest.param({"conda_file": "/srv/c.yaml"}, "environment.conda_file", id="conda file"),
    ],
)
def test_refuses_an_environment_that_is_not_below_the_root(environment: object, key: str) -> None:
    with pytest.raises(JobError, match="is not below the repository's root") as caught:
        needs_of({"command": "x", "environment": environment}, JOB_FILE)
    assert caught.value.where == f"src/exp/job.yaml: {key}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("command: echo 'x", "src/exp/job.yaml: command", id="an open quote"),
        pytest.param("command: x\ncode: ../../..", "src/exp/job.yaml: code", id="code outside"),
        pytest.param("a: b: c", "src/exp/job.yaml: line 1, column 5", id="no YAML"),
    ],
)
def test_says_where_a_job_file_is_wrong(text: str, where: str) -> None:
    with pytest.raises(JobError) as caught:
        job_needs(text, JOB_FILE)
    assert caught.value.where == where
    assert not caught.value.what.endswith(".")


@pytest.mark.parametrize("command", [None, 5, ["python"]], ids=["none", "a number", "a list"])
def test_leaves_a_command_that_is_no_text_to_the_schema(command: object) -> None:
    assert needs_of({"command": command}, JOB_FILE).entry_points == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param("train.py", "script", id="a file"),
        pytest.param("scripts/train", "script", id="a path"),
        pytest.param("exp.train", "module", id="a module"),
        pytest.param("train", "module", id="a module of one word"),
    ],
)
def test_tells_files_from_modules(value: str, kind: str) -> None:
    assert declared_entry_point(value) == EntryPoint(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "folder", "roots", "paths"),
    [
        pytest.param(
            EntryPoint("module", "exp.main"),
            "src",
            ("src", "lib"),
            (
                *("src/exp/main.py", "src/exp/main/__main__.py"),
                *("lib/exp/main.py", "lib/exp/main/__main__.py"),
            ),
            id="a module, or a package that can be run",
        ),
        pytest.param(
            EntryPoint("script", "main.py"),
            "src/exp",
            ("src",),
            (
                *("src/exp/main.py", "src/exp/main.py/__main__.py"),
                *("src/main.py", "src/main.py/__main__.py"),
            ),
            id="a script first below the code folder",
        ),
        pytest.param(
            EntryPoint("script", "src/exp/main.py"),
            "",
            (),
            ("src/exp/main.py", "src/exp/main.py/__main__.py"),
            id="a script below the repository's root",
        ),
        pytest.param(
            EntryPoint("script", "../common/tool.py"),
            "src/exp",
            ("src",),
            (
                *("src/common/tool.py", "src/common/tool.py/__main__.py"),
                *("common/tool.py", "common/tool.py/__main__.py"),
            ),
            id="a script beside the code folder",
        ),
        pytest.param(
            EntryPoint("script", "../../tool.py"), "src", ("src",), (), id="a script outside"
        ),
        pytest.param(
            EntryPoint("script", "..old/tool"),
            "",
            (),
            ("..old/tool", "..old/tool/__main__.py"),
            id="a name that begins with dots",
        ),
    ],
)
def test_knows_where_an_entry_point_may_stand(
    point: EntryPoint, folder: str, roots: tuple[str, ...], paths: tuple[str, ...]
) -> None:
    assert candidate_paths(point, folder, roots) == paths


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        pytest.param(EntryPoint("module", "exp.main"), False, id="a module"),
        pytest.param(EntryPoint("module", "torch.distributed.run"), False, id="of a package"),
        pytest.param(EntryPoint("module", "pip"), True, id="what comes with Python"),
        pytest.param(EntryPoint("module", "http.server"), True, id="of the standard library"),
        pytest.param(EntryPoint("module", "sys"), True, id="built into Python"),
        pytest.param(EntryPoint("module", "cProfile"), True, id="a profiler"),
        pytest.param(EntryPoint("module", "jsonschema"), False, id="named like what Python has"),
        pytest.param(EntryPoint("module", "yaml"), False, id="an installed package"),
        pytest.param(EntryPoint("script", "http"), False, id="a script"),
    ],
)
def test_knows_the_modules_that_come_with_python(point: EntryPoint, expected: bool) -> None:
    assert is_brought_by_python(point) is expected
