"""The recipes that need no engine of their own, and the examples in docstrings."""

from __future__ import annotations

import doctest
from collections import Counter
from pathlib import Path
from typing import List

import pyarrow.parquet
import pytest
import recipes

import copydesk
from copydesk import _labeler, fasttext_like


def test_every_recipe_is_run() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("**/test_*.py"))
    assert len(recipes.names()) >= 10
    assert [name for name in recipes.names() if f'run("{name}")' not in tests] == []


def test_labeler(capsys: pytest.CaptureFixture[str]) -> None:
    recipes.run("labeler")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("reporting") and second.startswith("opinion")


def test_pyarrow(folder: Path, beside: List[str]) -> None:
    assert recipes.run("pyarrow")["labelled"]["label"].to_pylist() == beside


def test_reader(folder: Path, alone: List[str]) -> None:
    recipes.run("reader")
    assert pyarrow.parquet.read_table("labelled.parquet")["label"].to_pylist() == alone


def test_polars(folder: Path, alone: List[str]) -> None:
    names = recipes.run("polars")
    assert names["labelled"]["label"].to_list() == names["expressed"]["said"].to_list() == alone


def test_pandas(folder: Path, alone: List[str]) -> None:
    names = recipes.run("pandas")
    assert list(names["frame"]["label"]) == list(names["labelled"]["label"]) == alone


def test_duckdb(folder: Path, alone: List[str], beside: List[str]) -> None:
    names = recipes.run("duckdb")
    assert dict(names["counts"]) == Counter(alone)
    assert names["opinions"] == [(Counter(beside)["opinion"],)]


def test_fasttext() -> None:
    assert recipes.run("fasttext")["labels"][0] == "__label__opinion"


@pytest.mark.parametrize("module", [copydesk, _labeler, fasttext_like], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module: object) -> None:
    failed, tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert failed == 0 and tried > 0
