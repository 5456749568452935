from __future__ import annotations

from azureml_jobs.conftest import cases
from azureml_jobs.imports.package_names import mappings_for

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
