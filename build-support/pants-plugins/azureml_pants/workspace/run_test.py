from __future__ import annotations

import pytest
from azureml_pants.workspace.run import _UI_PACKAGES, page_packages


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["jobs", "list"], {}),
        (["ui", "--local"], {"ui": _UI_PACKAGES}),
        (["jobs", "compare", "a", "b", "--plot", "loss"], {"plot": ("matplotlib",)}),
        (["jobs", "compare", "a", "b", "--plot=loss"], {"plot": ("matplotlib",)}),
        (["jobs", "download", "ui"], {}),
    ],
    ids=" ".join,
)
def test_packages_of_pages_and_plots_are_installed_for_these_only(
    arguments: list[str], expected: dict[str, tuple[str, ...]]
) -> None:
    assert page_packages(arguments) == expected
