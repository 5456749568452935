from __future__ import annotations

import subprocess

import pytest
from azureml_jobs.jobfile.expressions import render

PATHS = ["/plain/path.csv", "/a b/é 'x' \"y\"/$HOME `id` \\n.csv"]


@pytest.mark.parametrize("path", PATHS, ids=["plain", "special"])
@pytest.mark.parametrize(
    "command, expected",
    [
        ("printf %s ${{inputs.data}}", "{}"),
        ("printf %s ${{inputs.data}}/part-1", "{}/part-1"),
        ("printf %s --data=${{inputs.data}}", "--data={}"),
        ('printf %s "${{inputs.data}}/x y"', "{}/x y"),
        ("printf %s '${{inputs.data}}'", "{}"),
        ("printf %s it\\'s-${{inputs.data}}", "it's-{}"),
        ("# don't quote\nprintf %s ${{inputs.data}}", "{}"),
        ("printf %s 'a'${{inputs.data}}\"b\"", "a{}b"),
        ("printf %s $[[--data=${{inputs.data}}]]", "--data={}"),
    ],
    ids=[
        "bare",
        "before more of a path",
        "after an option",
        "in double quotes",
        "in single quotes",
        "after an escaped quote",
        "after a comment with an apostrophe",
        "between quoted texts",
        "in an optional part",
    ],
)
def test_bash_sees_the_path(command: str, expected: str, path: str) -> None:
    rendered = render(command, {"data": path}, {}, paths={"inputs.data"})
    seen = subprocess.run(["bash", "-c", rendered], stdout=subprocess.PIPE, check=True).stdout
    assert seen.decode() == expected.replace("{}", path)


def test_a_plain_path_is_not_quoted() -> None:
    assert (
        render("x ${{outputs.y}}", {}, {"y": "/a/b-1.csv"}, paths={"outputs.y"}) == "x /a/b-1.csv"
    )


def test_a_literal_is_inserted_without_quotes_as_by_azure_ml() -> None:
    assert render("x ${{inputs.flags}}", {"flags": "--a 1"}, {}) == "x --a 1"
