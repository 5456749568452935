"""The list is complete for the Python that runs the tests, which is that of experiments."""

from __future__ import annotations

import sys

import pytest
from azureml_jobs.experiment.standard_library import STANDARD_LIBRARY


@pytest.mark.skipif(sys.version_info < (3, 10), reason="this Python cannot tell")
def test_holds_every_public_module_of_this_python() -> None:
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    assert public - STANDARD_LIBRARY == set()


def test_holds_what_python_itself_leaves_out_and_no_private_module() -> None:
    assert "test" in STANDARD_LIBRARY
    assert not [name for name in STANDARD_LIBRARY if name.startswith("_")]
