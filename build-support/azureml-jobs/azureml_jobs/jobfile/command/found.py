"""What the commands of one text run, name and make."""

from __future__ import annotations

from dataclasses import dataclass, field

from azureml_jobs.jobfile.command.code import PythonStart, ScriptStart


@dataclass
class Found:
    """Everything in order of appearance; paths are snapshot names.

    made: files and folders that the commands make.
    texts: what the commands write into files, where it is known.
    installed: folders in which packages lie that the commands install.
    """

    python: list[PythonStart] = field(default_factory=list)
    scripts: list[ScriptStart] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    installs_packages: bool = False
    made: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    installed: list[str] = field(default_factory=list)

    def is_made(self, path: str) -> bool:
        """Whether the file or folder may be made by the commands."""
        return any(path == made or not made or path.startswith(made + "/") for made in self.made)
