"""What the tests share: the project's own texts, and the command to compare with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    # Engines read the variable in their workers as well.
    os.environ.setdefault("COPYDESK_THREADS", "2")


def read_rows(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def data() -> Path:
    return ROOT / "data"


@pytest.fixture(scope="session")
def rows(data: Path) -> List[Dict[str, Any]]:
    """271 labelled paragraphs of 13 pages."""
    return read_rows(data / "labels.jsonl")


@pytest.fixture(scope="session")
def texts(rows: List[Dict[str, Any]]) -> List[str]:
    return [row["text"] for row in rows]


@pytest.fixture(scope="session")
def labeler() -> Any:
    import copydesk

    return copydesk.Labeler("fast")


def command(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """Runs the command: the binary that `COPYDESK` names, else the wheel's own."""
    binary = os.environ.get("COPYDESK")
    start = [binary] if binary else [sys.executable, "-m", "copydesk"]
    return subprocess.run([*start, *arguments], capture_output=True, **options)


@pytest.fixture
def folder(rows: List[Dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a recipe: `rows.parquet` with the columns `text` and `doc`."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": [row["text"] for row in rows], "doc": [row["doc"] for row in rows]})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def alone(labeler: Any, texts: List[str]) -> List[str]:
    """The labels of the rows, each read alone."""
    return [record.label for record in labeler.label_records(texts)]


@pytest.fixture(scope="session")
def beside(labeler: Any, rows: List[Dict[str, Any]]) -> List[str]:
    """The labels of the rows, read beside the others of their page."""
    from ways import pages_of

    rows = [{"text": row["text"], "doc": row["doc"]} for row in rows]
    return [record.label for page in labeler.pages(pages_of(rows)) for record in page]
