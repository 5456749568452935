from __future__ import annotations

import pytest
from azureml_jobs.jobfile.command.bash import split_commands
from azureml_jobs.jobfile.command.words import Command


def words(text: str) -> list[list[str]]:
    found = split_commands(text)
    assert all(isinstance(item, Command) for item in found)
    return [[word.text for word in item.words] for item in found if isinstance(item, Command)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a b  c", [["a", "b", "c"]], id="blanks"),
        pytest.param("a;b&&c||d|e&f\ng", [[name] for name in "abcdefg"], id="operators"),
        pytest.param("a \\\n b", [["a", "b"]], id="a continued line"),
        pytest.param("a\r\nb", [["a"], ["b"]], id="line ends of Windows"),
        pytest.param("a # b\nc#d", [["a"], ["c#d"]], id="comments"),
        pytest.param("""a 'b c' "d\\"e" f\\ g""", [["a", "b c", 'd"e', "f g"]], id="quotes"),
        pytest.param("a > b 2>&1 >> c &> d < e", [["a"]], id="redirections"),
        pytest.param("a 2 > b", [["a", "2"]], id="a number that is an argument"),
        pytest.param("a <<E\nb c\nE\nd", [["a"], ["d"]], id="a here-document"),
        pytest.param("a <<-'E' <<F\n\tE\nb\nF\nd", [["a"], ["d"]], id="two here-documents"),
        pytest.param("a <<E\nb", [["a"]], id="a here-document to the end"),
        pytest.param("((x << 2)); a", [["a"]], id="arithmetic"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_splits_commands_into_words(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("a.py", True),
        ("'$X'", True),
        (r"\$X", True),
        ("cost$", True),
        ("{}", True),
        ("$X/a.py", False),
        ('"${X}"', False),
        ("${{inputs.x}}", False),
        ("'${{inputs.x}}'", False),
        ("*.py", False),
        ("'*.py'", True),
        ("{a,b}.py", False),
        ("$((1 + 2))", False),
    ],
)
def test_recognises_plain_words(text: str, is_plain: bool) -> None:
    (command,) = split_commands(f"x {text}")
    assert isinstance(command, Command)
    assert [word.is_plain for word in command.words] == [True, is_plain]
