"""The source roots that exist, without a look at every folder of the repository."""

from __future__ import annotations

from dataclasses import dataclass

from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, rule
from pants.source.source_root import SourceRootConfig


@dataclass(frozen=True)
class SourceRoots:
    """`paths` are relative to the build root.

    The build root itself, "", is one only without any other. Next to others it is where Pants puts
    what lies outside of these: a job that would find every folder there could not mean packages.
    """

    paths: tuple[str, ...]

    def root_of(self, path: str) -> str:
        """Return the innermost source root that has the path, or "" without one."""
        above = (root for root in self.paths if f"{path}/".startswith(f"{root}/"))
        return max(above, key=len, default="")

    def name_of(self, path: str) -> str:
        """Return the path relative to its source root; "" is the root itself."""
        root = self.root_of(path)
        return path[len(root) :].lstrip("/") if root else path


@rule
async def find_source_roots(config: SourceRootConfig) -> SourceRoots:
    # Pants' own `AllSourceRoots` looks into every folder for the pattern `/`.
    patterns = config.get_pattern_matcher().get_patterns()
    folders = [
        pattern[1:] if pattern.startswith("/") else f"**/{pattern}"
        for pattern in patterns
        if pattern != "/"
    ]
    markers = [f"**/{name}" for name in config.marker_filenames]
    found, marked = await MultiGet(
        Get(Paths, PathGlobs(folders, GlobMatchErrorBehavior.ignore)),
        Get(Paths, PathGlobs(markers, GlobMatchErrorBehavior.ignore)),
    )
    roots = {*found.dirs, *(path.rpartition("/")[0] for path in marked.files)}
    return SourceRoots(tuple(sorted(roots - {""}) or ("",) * ("/" in patterns)))
