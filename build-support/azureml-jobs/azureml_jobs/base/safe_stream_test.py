from __future__ import annotations

import io

import pytest
from azureml_jobs.base.safe_stream import SafeStream, safe_text

RED_WORD = "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f"a\tb\n{RED_WORD}\r\x1b[K", f"a\tb\n{RED_WORD}\r\x1b[K", id="what we write"),
        pytest.param("größe 漢字", "größe 漢字", id="letters"),
        pytest.param("\x1b]0;title\x07x", "␛]0;title␇x", id="a title"),
        pytest.param("\x1b]52;c;cm0=\x1b\\", "␛]52;c;cm0=␛\\", id="the clipboard"),
        pytest.param("\x1b[2Ax\x1b[6n", "␛[2Ax␛[6n", id="moves and questions"),
        pytest.param("a\x9b31mb\x7f\x08", "a\ufffd31mb␡␈", id="others"),
    ],
)
def test_shows_what_would_command_a_terminal(text: str, shown: str) -> None:
    assert safe_text(text) == shown


class Terminal(io.TextIOWrapper):
    is_terminal = True

    def isatty(self) -> bool:
        return self.is_terminal


def written(log: bytes, is_terminal: bool, size: int) -> bytes:
    out = io.BytesIO()
    terminal = Terminal(out)
    terminal.is_terminal = is_terminal
    buffer = SafeStream(terminal).buffer
    for start in range(0, len(log), size):
        buffer.write(log[start : start + size])
    return out.getvalue()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_log_keeps_its_progress_bars_in_whatever_parts_it_comes(size: int) -> None:
    bars = "\x1b[?25l\r 5%|█\x1b[A\x1b[2K\x1b[32mdone ©\x1b[0m\n".encode()
    log = bars + b"\x1b]0;t\x07\x1bP+q\x1b\\\x1b[5n\xc2\x9b"
    assert written(log, True, size) == bars + "␛]0;t␇␛P+q␛\\␛[5n\ufffd".encode()
    # A file gets every byte.
    assert written(log, False, size) == log
