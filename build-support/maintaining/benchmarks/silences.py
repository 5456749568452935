"""Run a command in a terminal, and print for how long it was silent, and after which words.

README.md in this folder says how to record the first run.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import sys
import time

# What moves the cursor or sets a colour.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")


def output(command: list[str]) -> list[tuple[float, str]]:
    """Return what the command prints on a terminal, with its seconds; the last one is empty."""
    found, begun = [], time.monotonic()

    def read(terminal: int) -> bytes:
        printed = os.read(terminal, 65536)
        found.append((time.monotonic() - begun, printed.decode(errors="replace")))
        return printed

    pty.spawn(command, read)
    return [*found, (time.monotonic() - begun, "")]


def shown(printed: str) -> str:
    """Return the last words that a person sees of what was printed."""
    lines = CONTROL.sub("", printed).replace("\r", "\n").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=5, help="seconds of silence (%(default)s)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    last, words, silences = 0.0, "(start)", []
    for seconds, printed in output(args.command):
        if printed and not shown(printed):
            continue
        if seconds - last > args.limit:
            silences.append(f"{seconds - last:6.1f} s from {last:6.1f} s, after: {words}")
        last, words = seconds, shown(printed)
    print(f"\n{last:.1f} s; {len(silences)} silences above {args.limit:g} s", *silences, sep="\n")
    return 1 if silences else 0


if __name__ == "__main__":
    sys.exit(main())
