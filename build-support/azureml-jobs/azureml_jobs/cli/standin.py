"""Run `./pants run :aml -- service …`: the stand-in for Azure ML, a package next to this one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_PACKAGE_FOLDER = Path(__file__).resolve().parents[3] / "azureml-standin"


def serve_standin(repository: Path, options: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or while the given command runs."""
    # Nothing else imports it, so that its folder can be removed.
    sys.path.append(str(_PACKAGE_FOLDER))
    from azureml_standin.command import serve  # pants: no-infer-dep
    from azureml_standin.service import COMPUTES  # pants: no-infer-dep

    return serve(
        repository,
        options.port,
        options.python,
        options.jobs_at_once,
        options.computes or COMPUTES,
        options.inner_command,
    )
