"""Show results in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with right-aligned columns; floats have four decimal places."""
    lines = [list(header)]
    for row in rows:
        lines.append([f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row])
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
