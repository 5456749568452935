from __future__ import annotations

import pytest
from azureml_jobs.bundle.optional_imports import is_optional_import


@pytest.mark.parametrize(
    "expected, text",
    [
        pytest.param(False, "import torch", id="plain"),
        pytest.param(True, "if TYPE_CHECKING:\n    import torch", id="for types"),
        pytest.param(
            True,
            "if typing.TYPE_CHECKING:\n    from torch import (\n        nn,\n    )",
            id="several lines",
        ),
        pytest.param(
            False, "if TYPE_CHECKING:\n    pass\nelse:\n    import torch", id="not for types"
        ),
        pytest.param(
            True,
            "try:\n    import torch\nexcept ModuleNotFoundError:\n    torch = None",
            id="caught",
        ),
        pytest.param(
            True,
            "def f():\n    try:\n\n        import torch\n    # Why.\n    except (A, ImportError):\n"
            "        pass",
            id="caught in a function",
        ),
        pytest.param(True, "try:\n    import torch\nexcept:\n    pass", id="everything is caught"),
        pytest.param(
            False, "try:\n    import torch\nexcept ValueError:\n    pass", id="something else"
        ),
        pytest.param(False, "try:\n    pass\nexcept ImportError:\n    import torch", id="handler"),
        pytest.param(
            False,
            "try:\n    pass\nfinally:\n    pass\nimport torch\ntry:\n    pass\nexcept:\n    pass",
            id="between",
        ),
        pytest.param(
            True, "with contextlib.suppress(ImportError):\n    import torch", id="suppressed"
        ),
        pytest.param(
            False,
            "if TYPE_CHECKING:\n    import torch\n\ndef f():\n    import torch",
            id="needed later",
        ),
    ],
)
def test_an_import_that_is_not_needed_is_optional_import(expected: bool, text: str) -> None:
    lines = text.splitlines()
    line = 1 + next(i for i, found in enumerate(lines) if "torch" in found or "nn," in found)
    assert is_optional_import(text, line, "torch.nn") is expected


def test_an_import_in_a_missing_line_is_not_optional() -> None:
    assert not is_optional_import("", 3, "torch")
