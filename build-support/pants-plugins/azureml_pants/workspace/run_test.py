from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_pants.workspace.run import page_packages


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["jobs", "list"], {}),
        (["ui", "--local"], {"ui": ("mlflow",)}),
        (["jobs", "compare", "a", "b", "--plot", "loss"], {"plot": ("matplotlib",)}),
        (["jobs", "compare", "a", "b", "--plot=loss"], {"plot": ("matplotlib",)}),
        (["jobs", "download", "ui"], {}),
    ],
    ids=" ".join,
)
def test_packages_of_pages_and_plots_are_installed_for_these_only(
    arguments: list[str], expected: dict[str, tuple[str, ...]]
) -> None:
    azureml = Mock(ui_requirements=["mlflow"], plot_requirements=["matplotlib"])
    assert page_packages(arguments, azureml) == expected
