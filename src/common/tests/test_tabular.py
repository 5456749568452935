"""Test reading and splitting tables."""

from pathlib import Path

import pytest
from common.tabular import read_table, split


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_that_look_like_numbers_stay_names(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "a,b,class\n1,2,01\n3,4,2\n"), label="class")
    assert table.classes == ["01", "2"]
    assert list(table.features.columns) == ["a", "b"]
    assert len(table) == 2


@pytest.mark.parametrize(
    "text, message",
    [
        pytest.param("a,b\n1,2\n", "no column 'class'; it has a, b", id="no label column"),
        pytest.param(
            "a,class\nx,A\n", "column 'a' has values that are not numbers", id="a word as feature"
        ),
        pytest.param("a,b,class\n1,,A\n2,3,B\n", "empty values in b", id="a missing feature"),
        pytest.param("a,class\n1,A\n2,\n", "empty values in class", id="a missing label"),
    ],
)
def test_names_the_file_and_the_invalid_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        read_table(write(tmp_path / "t.csv", text), label="class")
    assert str(raised.value).startswith(str(tmp_path / "t.csv"))


def test_the_same_seed_gives_the_same_split_with_the_classes_in_proportion(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'A' if i % 4 else 'B'}\n" for i in range(40))
    table = read_table(write(tmp_path / "t.csv", "a,class\n" + rows), label="class")
    training, held_out = split(table, held_out=0.2, seed=3)
    assert held_out.labels.value_counts().to_dict() == {"A": 6, "B": 2}
    assert set(training.features["a"]) | set(held_out.features["a"]) == set(range(40))
    assert split(table, held_out=0.2, seed=3)[1].features.equals(held_out.features)
    assert not split(table, held_out=0.2, seed=4)[1].features.equals(held_out.features)
