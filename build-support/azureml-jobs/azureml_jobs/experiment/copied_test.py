"""A copied experiment has the new name wherever the old one stands for the experiment."""

from __future__ import annotations

import pytest
from azureml_jobs.experiment.copied import renamed

OTHERS = {"main.py": (b"", False), "parts/a.yaml": (b"", False), "README.md": (b"", False)}


@pytest.mark.parametrize(
    "old, new, file, text, expected",
    [
        ("wine", "t/x", "a.py", "from wine.main import fit", "from t.x.main import fit"),
        ("wine", "t/x", "a.py", "    from wine import main", "    from t.x import main"),
        ("wine", "x", "a.py", "wine = wine_of(load_wine())", "wine = wine_of(load_wine())"),
        ("wine", "x", "a.py", 'patch("wine.main.fit")', 'patch("x.main.fit")'),
        ("wine", "x", "a.md", "from wine and cheese", "from wine and cheese"),
        ("wine", "t/x", "a.md", "# wine", "# t-x"),
        ("wine", "t/x", "a.md", "./pants run src/wine:job", "./pants run src/t/x:job"),
        ("wine", "x", "a.md", "src/wine_2 src/wine-2", "src/wine_2 src/wine-2"),
        ("wine", "t/x", "a.yaml", "code: ..", "code: ../.."),
        ("t/x", "wine", "parts/a.yaml", "code: ../../../lib", "code: ../../lib"),
        ("t/x", "wine", "parts/a.yaml", "path: ../a.yaml", "path: ../a.yaml"),
        ("wine", "x", "a.yaml", "path: azureml:wine:1", "path: azureml:wine:1"),
        ("wine", "t/x", "a.yaml", "experiment_name: wine", "experiment_name: t-x"),
        ("wine", "t/x", "a.yaml", "python -m wine.main", "python -m t.x.main"),
        ("wine", "t/x", "a.yaml", "cd wine && python -m main", "cd t/x && python -m main"),
        ("wine", "t/x", "a.yaml", "python wine/main.py", "python t/x/main.py"),
        ("wine", "x", "a.yaml", "path: data/wine/main.py", "path: data/wine/main.py"),
        ("my_exp", "t/x", "a.py", "reload(my_exp)  # my_exp_2", "reload(t.x)  # my_exp_2"),
        ("my_exp", "t/x", "a.yaml", "display_name: my_exp", "display_name: t-x"),
        ("t/wine", "x", "a.yaml", "name: t-wine of t.wine", "name: x of x"),
    ],
)
def test_renames_what_stands_for_the_experiment(
    old: str, new: str, file: str, text: str, expected: str
) -> None:
    files = {**OTHERS, file: (text.encode(), False)}
    copied = renamed(files, "src", old.split("/"), new.split("/"))
    assert copied[file][0].decode() == expected


def test_what_is_not_text_stays_as_it_is() -> None:
    files = {"run.sh": (b"python -m wine\r\n", True), "a.png": (b"\xff -m wine\n", False)}
    assert renamed(files, "src", ["wine"], ["x"]) == {
        "run.sh": (b"python -m x\r\n", True),
        "a.png": files["a.png"],
    }
