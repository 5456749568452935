from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from azureml_jobs.bundle.imports import UnownedImport, import_errors, is_guarded

LIST = "3rdparty/python/experiments-requirements.txt"


def unowned(line: int = 3, module: str = "lightgbm", **more: Any) -> UnownedImport:
    return UnownedImport("src/x/main.py", line, module, "experiments", **more)


def test_names_the_line_the_module_the_list_and_the_command() -> None:
    (message,) = import_errors([unowned()], [LIST])
    assert message.startswith(
        "src/x/main.py:3: no package of the resolve `experiments` has the module `lightgbm`.\n\n"
    )
    assert f"Add the package to {LIST}, then" in message
    assert "`./pants sync-lockfiles --resolve=experiments`" in message


def test_names_a_package_that_is_called_otherwise() -> None:
    (message,) = import_errors([unowned(module="sklearn", projects=("scikit-learn",))], [LIST])
    assert "Add the package (likely `scikit-learn`) to " in message


def test_says_once_what_to_do_for_several() -> None:
    (message,) = import_errors([unowned(9, "torch"), unowned(), unowned()], [LIST])
    first, second, *_ = message.splitlines()
    assert first.startswith("src/x/main.py:3: ") and second.startswith("src/x/main.py:9: ")
    assert message.count("sync-lockfiles") == 1


def test_names_the_resolve_without_a_list() -> None:
    (message,) = import_errors([unowned()], [])
    assert "to the requirements of the resolve `experiments`" in message


def test_own_code_is_no_package() -> None:
    imports = [
        unowned(1, "common.gone", is_own_code=True),
        unowned(2, "common.figures", elsewhere=("src/common/figures.py",), is_own_code=True),
        unowned(3, "common.tabular", owners=("src/a:lib", "src/b:lib"), is_own_code=True),
    ]
    messages = import_errors(imports, [LIST])
    starts = [message.partition("\n")[0] for message in messages]
    assert starts == [
        "src/x/main.py:1: no file is the module `common.gone`.",
        "src/x/main.py:2: `common.figures` is not part of the resolve `experiments`, but only "
        "src/common/figures.py.",
        "src/x/main.py:3: several targets are `common.tabular`: src/a:lib, src/b:lib.",
    ]
    assert not any("sync-lockfiles" in message for message in messages)
    assert [each.is_package for each in (*imports, unowned())] == [False, False, False, True]


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
def test_an_import_that_is_not_needed_is_guarded(expected: bool, text: str) -> None:
    lines = dedent(text).splitlines()
    line = 1 + next(i for i, found in enumerate(lines) if "torch" in found or "nn," in found)
    assert is_guarded(text, line, "torch.nn") is expected


def test_a_line_that_is_not_there_is_not_guarded() -> None:
    assert not is_guarded("", 3, "torch")
