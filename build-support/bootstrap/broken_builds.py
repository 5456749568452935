"""Print the BUILD files that are not valid Python: Pants reports them without their folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def broken_builds(root: Path) -> Iterator[str]:
    """Yield a line for each of those that git does not ignore."""
    files = "git ls-files -z --cached --others --exclude-standard -- BUILD */BUILD".split()
    listed = subprocess.run(files, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for path in filter(None, listed.stdout.decode().split("\0")):
        try:
            compile((root / path).read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"
        except OSError:
            continue


if __name__ == "__main__":
    for line in broken_builds(Path(sys.argv[1])):
        print(f"pants: {line}", file=sys.stderr)
