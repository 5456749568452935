"""The fields of a local script that say what it runs."""

from __future__ import annotations

from pants.engine.target import Dependencies, StringField
from pants.util.strutil import help_text


class AzureMLLocalEntryPointField(StringField):
    alias = "entry_point"
    default = "local.py"
    help = help_text("""
        The Python file to run, relative to the BUILD file, e.g. `local.py`, or a module.
        """)


class AzureMLLocalDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the script needs in addition to what it imports, e.g. `:sample-data`.
        """)
