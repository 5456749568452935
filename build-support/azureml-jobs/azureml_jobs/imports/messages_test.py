from __future__ import annotations

from azureml_jobs.conftest import cases
from azureml_jobs.imports.messages import excluded_error, mappings_for, missing_errors
from azureml_jobs.imports.result import OutsideModule

LIST = "3rdparty/python/experiments-requirements.txt"


def module(name: str, line: int = 3, **more: str) -> OutsideModule:
    return OutsideModule(name, (), "src/x/main.py", line, **more)  # type: ignore[arg-type]


def errors(*modules: OutsideModule, requirements: tuple[str, ...] = (LIST,)) -> tuple[str, ...]:
    projects = {"sklearn": ("scikit-learn",)}
    return missing_errors(modules, "experiments", requirements, projects, ["azure-data-tables"])


@cases(
    "missing, expected",
    {
        "the line, the module, the list and the command": (
            module("lightgbm"),
            "src/x/main.py:3: no package of the resolve `experiments` has the module `lightgbm`."
            f"\n\nAdd the package to {LIST}, then run `./pants sync-lockfiles "
            '--resolve=experiments`. If a package of that list has it, write `"NAME": '
            '["lightgbm"]` into ',
        ),
        "no line for what the command starts": (
            module("lightgbm", line=0),
            "src/x/main.py: no package of ",
        ),
        "a package whose name is not its module": (
            module("sklearn"),
            "Add the package (likely `scikit-learn`) to ",
        ),
        "the line for a listed package with another name": (
            module("azure.data.tables"),
            'If `azure-data-tables` of that list has it, write `"azure-data-tables": '
            '["azure.data.tables"]` into `module_mapping` in 3rdparty/python/BUILD.',
        ),
        "a file with a similar name": (
            module("helpres", similar="src/x/helpers.py", remedy="Write `import helpers`."),
            "has the module `helpres`, and the nearest module is src/x/helpers.py.\n\n"
            "Write `import helpers`. Add the package to ",
        ),
    },
)
def test_names_what_is_missing_and_what_to_write(missing: OutsideModule, expected: str) -> None:
    (message,) = errors(missing)
    assert expected in message


def test_says_once_what_to_do_for_several() -> None:
    (message,) = errors(module("torch", 9), module("lightgbm"), module("lightgbm"))
    first, second, *_ = message.splitlines()
    assert first.startswith("src/x/main.py:3: ") and second.startswith("src/x/main.py:9: ")
    assert message.count("sync-lockfiles") == 1


def test_names_the_resolve_without_a_list() -> None:
    (message,) = errors(module("lightgbm"), requirements=())
    assert "to the requirements of the resolve `experiments`" in message


def test_own_code_is_not_a_package() -> None:
    remedy = "Write `cd src && python x.py`."
    (message,) = errors(module("common.a", 1, nearest="src/common/a.py", remedy=remedy))
    assert message == (
        "src/x/main.py:1: Python does not find the module `common.a`, which is src/common/a.py."
        "\n\nWrite `cd src && python x.py`."
    )


def test_a_package_that_a_marker_excludes_is_named_with_its_list() -> None:
    error = excluded_error(module("pywin32"), 'pywin32; x == "y"', (LIST,), "platform.json")
    assert error.where == "src/x/main.py:3"
    assert 'does not get `pywin32; x == "y"`, which has the module `pywin32`' in error.what
    assert LIST in error.remedy and "platform.json" in error.remedy


LISTED = (
    "azure-data-tables",
    "azure-identity",
    "PyFoo",
    "python-bar",
    "mlflow-skinny",
    "Some.Name",
)


@cases(
    "module, expected",
    {
        "dots": ("azure.data.tables", {"azure-data-tables": "azure.data.tables"}),
        "in": ("azure.data.tables.aio", {"azure-data-tables": "azure.data.tables"}),
        "another package of a namespace": ("azure.storage.blob", {}),
        "a namespace": ("azure", {}),
        "Py before the name": ("foo.deep", {"PyFoo": "foo"}),
        "python before the name": ("bar", {"python-bar": "bar"}),
        "a variant": ("mlflow.sklearn", {"mlflow-skinny": "mlflow"}),
        "another spelling": ("some_name", {"Some.Name": "some_name"}),
        "a plugin for it": ("mock", {}),
        "what a plugin is for": ("pytest", {}),
        "type stubs": ("requests", {}),
        "no similar name": ("yaml", {}),
    },
)
def test_a_package_is_recognized_by_its_name(module: str, expected: dict[str, str]) -> None:
    assert mappings_for([module], LISTED) == expected
