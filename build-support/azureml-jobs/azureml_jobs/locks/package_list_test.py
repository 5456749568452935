from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.package_list import bad_requirement, read_package_list

PATH = "3rdparty/python/x-requirements.txt"


def test_requirements_are_read_as_pip_reads_them() -> None:
    text = (
        "\ufeff# a comment \\\n"
        "numpy>=2,<3  # another\n"
        "\n"
        "pandas[performance] \\\n"
        "  >=3\n"
        'torch>=2; sys_platform == "linux"\n'
        "a-b @ https://example.org/a--b-1.0-py3-none-any.whl#sha256=00\n"
        "last"
    )
    assert read_package_list(PATH, text) == (
        (2, "numpy>=2,<3"),
        (4, "pandas[performance]   >=3"),
        (6, 'torch>=2; sys_platform == "linux"'),
        (7, "a-b @ https://example.org/a--b-1.0-py3-none-any.whl#sha256=00"),
        (8, "last"),
    )


@pytest.mark.parametrize(
    "line, what, remedy",
    [
        pytest.param("-r base.txt", "the option `-r`", "Write the lines", id="another list"),
        pytest.param("-rbase.txt", "the option `-r`", "Write the lines", id="without a space"),
        pytest.param("--requirement=base.txt", "`--requirement`", "Write the lines", id="long"),
        pytest.param("-c limits.txt", "the option `-c`", "Write the limits", id="constraints"),
        pytest.param("-e .", "the option `-e`", "below `src/`", id="editable"),
        pytest.param("--find-links wheels/", "`--find-links`", "pants.toml", id="links"),
        pytest.param("--extra-index-url https://u:p@h/", "index-url`", "pants.toml", id="index"),
        pytest.param("--no-binary :all:", "`--no-binary`", "pants.toml", id="no wheels"),
        pytest.param("--use-feature x", "`--use-feature`", "Remove it.", id="anything else"),
        pytest.param("six==1 \\\n  --hash=sha256:0", "`--hash`", "the lock has", id="hashes"),
        pytest.param("./vendor/x", "`./vendor/x` is not on", "Build its wheel", id="a folder"),
        pytest.param("vendor/x.whl", "`vendor/x.whl` is not", "Build its wheel", id="a wheel"),
        pytest.param("x @ file:///x", "`x @ file:///x` is not", "Build its wheel", id="a file"),
        pytest.param("git+https://h/x", "`git+https://h/x`", "Build its wheel", id="git"),
        pytest.param("x @ git+ssh://git@h/x", "`x @ git+ssh://***@h/x`", "wheel", id="named git"),
        pytest.param("x @ https://u:p@h/x.whl", "has credentials", "wheel", id="credentials"),
        pytest.param("https://h/x.whl", "names no package", "NAME @ https://h/", id="no name"),
    ],
)
def test_what_no_image_can_be_built_from_is_refused(line: str, what: str, remedy: str) -> None:
    with pytest.raises(JobError) as raised:
        read_package_list(PATH, f"numpy\n{line}\n")
    assert raised.value.where == f"{PATH}:2"
    assert what in raised.value.what
    assert remedy in raised.value.remedy
    assert "u:p" not in str(raised.value)


def test_all_lines_are_reported_at_once() -> None:
    with pytest.raises(JobError) as raised:
        read_package_list(PATH, "a --hash=x\nb --hash=y\n-r c.txt\n")
    assert f"{PATH}:1, 2: the option `--hash`" in str(raised.value)
    assert f"{PATH}:3: the option `-r`" in str(raised.value)


def test_a_line_that_is_not_a_requirement_is_named() -> None:
    error = bad_requirement("my list.txt", 4, "a=>5 @ https://u:p@h/", "Expected end. ")
    assert str(error).startswith("my list.txt:4: `a=>5 @ https://***@h/` is not a requirement: Ex")
