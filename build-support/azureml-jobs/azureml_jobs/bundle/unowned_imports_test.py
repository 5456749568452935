from __future__ import annotations

from typing import Any

from azureml_jobs.bundle.unowned_imports import UnownedImport, import_errors

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


def test_names_a_package_whose_name_is_not_its_module() -> None:
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


def test_own_code_is_not_a_package() -> None:
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
