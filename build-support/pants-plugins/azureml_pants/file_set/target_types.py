"""The target `file_set`."""

from __future__ import annotations

from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.target import COMMON_TARGET_FIELDS, MultipleSourcesField, Target
from pants.util.strutil import help_text


class FileSetSourcesField(MultipleSourcesField):
    required = True
    # The set is empty while its files do not exist.
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore
    help = help_text("""
        Globs of the files, relative to the BUILD file, e.g. `["pants", "src/common/**/*"]`.
        """)


class FileSetTarget(Target):
    alias = "file_set"
    core_fields = (*COMMON_TARGET_FIELDS, FileSetSourcesField)
    help = help_text("""
        Many files as one target, for tests that need a whole tree of them.

        A target `files` makes one target of each file, and `list` shows all of these.

        Example: `file_set(name="repository", sources=["pants", "src/common/**/*"])`.
        """)
