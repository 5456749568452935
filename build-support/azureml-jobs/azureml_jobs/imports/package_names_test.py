from __future__ import annotations

import pytest
from azureml_jobs.imports.package_names import mappings_for

LISTED = (
    "azure-data-tables",
    "azure-identity",
    "PyFoo",
    "python-bar",
    "mlflow-skinny",
    "Some.Name",
)


@pytest.mark.parametrize(
    "module, expected",
    [
        pytest.param("azure.data.tables", {"azure-data-tables": "azure.data.tables"}, id="dots"),
        pytest.param("azure.data.tables.aio", {"azure-data-tables": "azure.data.tables"}, id="in"),
        pytest.param("azure.storage.blob", {}, id="another package of a namespace"),
        pytest.param("azure", {}, id="a namespace"),
        pytest.param("foo.deep", {"PyFoo": "foo"}, id="Py before the name"),
        pytest.param("bar", {"python-bar": "bar"}, id="python before the name"),
        pytest.param("mlflow.sklearn", {"mlflow-skinny": "mlflow"}, id="a variant"),
        pytest.param("some_name", {"Some.Name": "some_name"}, id="another spelling"),
        pytest.param("mock", {}, id="a plugin for it"),
        pytest.param("pytest", {}, id="what a plugin is for"),
        pytest.param("requests", {}, id="type stubs"),
        pytest.param("yaml", {}, id="no similar name"),
    ],
)
def test_a_package_is_recognized_by_its_name(module: str, expected: dict[str, str]) -> None:
    assert mappings_for([module], LISTED) == expected
