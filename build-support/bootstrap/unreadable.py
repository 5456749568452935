"""Print what Pants fails on: BUILD files that are not valid Python, and absolute symbolic links.

Pants reports the first without their folder, and for the second a failure of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def unreadable(root: Path) -> Iterator[str]:
    """Yield a line for each of those that git does not ignore: Pants ignores what git does."""
    files = "git ls-files -z --cached --others --exclude-standard".split()
    listed = subprocess.run(files, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for path in filter(None, os.fsdecode(listed.stdout).split("\0")):
        try:
            if os.path.islink(root / path):
                if os.path.isabs(os.readlink(root / path)):
                    yield (
                        f"{path}: an absolute symbolic link, which Pants cannot read. Make it "
                        "relative (`ln -sr`), or name it in `pants_ignore` of pants.toml."
                    )
            elif os.path.basename(path) == "BUILD":
                compile((root / path).read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"
        except OSError:
            continue


if __name__ == "__main__":
    for line in unreadable(Path(sys.argv[1])):
        print(f"pants: {line}", file=sys.stderr)
