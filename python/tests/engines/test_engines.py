"""The recipes of engines that are heavy to install: requirements-engines.txt."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections import Counter
from pathlib import Path
from typing import Iterator, List

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import recipes

from copydesk import Labeler


@pytest.fixture
def ray_here() -> Iterator[None]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_ray(folder: Path, alone: List[str], ray_here: None) -> None:
    labelled = recipes.run("ray")["labelled"].to_pandas()
    assert Counter(labelled["label"]) == Counter(alone)


def test_spark(folder: Path, alone: List[str], texts: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # Else Spark takes the first `python3` of the path, which has no copydesk where this environment is not active.
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    names = recipes.run("spark")
    try:
        assert {row["label"]: row["count"] for row in names["counts"]} == Counter(alone)
        expected = sorted(zip(texts, alone))
        for frame in (names["labelled"], names["by_pandas"]):
            assert sorted((row["text"], row["label"]) for row in frame.collect()) == expected
    finally:
        names["spark"].stop()


def test_datasets(folder: Path, alone: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(folder / "home"))
    names = recipes.run("datasets")
    assert list(names["labelled"]["label"]) == list(names["by_columns"]["label"]) == alone


def test_datatrove(folder: Path, labeler: Labeler, texts: List[str]) -> None:
    recipes.run("datatrove")
    kept = [json.loads(line) for path in (folder / "kept").glob("*.jsonl") for line in path.read_text().splitlines()]
    records = labeler.label_records(texts)
    expected = [text for text, record in zip(texts, records) if record.scores["comment_spam"] < 0.5]
    assert [row["text"] for row in kept] == expected and len(expected) < len(texts)
    assert set(kept[0]["metadata"]) >= {"__label__opinion", "__label__comment_spam"}


@pytest.mark.parametrize("start_method", ["forkserver", "fork", "spawn"])
def test_datatrove_in_two_processes(folder: Path, alone: List[str], start_method: str) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import JsonlWriter

    from copydesk.contrib.datatrove import CopydeskClassifierFilter

    (folder / "second.parquet").write_bytes((folder / "rows.parquet").read_bytes())
    executor = LocalPipelineExecutor(
        pipeline=[
            ParquetReader(".", glob_pattern="*.parquet"),
            CopydeskClassifierFilter("fast", keep_labels=("opinion", 0.5), filter_mode="PARAGRAPH"),
            JsonlWriter("out", compression=None),
        ],
        tasks=2,
        workers=2,
        start_method=start_method,
        logging_dir=str(folder / "logs"),
    )
    executor.run()
    files = sorted((folder / "out").glob("*.jsonl"))
    counts = [len(path.read_text().splitlines()) for path in files]
    assert len(files) == 2 and counts[0] == counts[1] > 0
    assert multiprocessing.active_children() == []


def test_what_the_filter_does_with_its_arguments() -> None:
    from datatrove.data import Document

    import copydesk
    from copydesk.contrib.datatrove import CopydeskClassifierFilter

    text = "The council voted 7 to 2 on Monday.\n\nOh boo hoo. Put the price up and stop whining."
    doc = Document(text=text, id="a")
    step = CopydeskClassifierFilter("fast", remove_labels=("opinion", 0.5), filter_mode="PARAGRAPH")
    assert step.filter(doc) is True and doc.text.strip() == "The council voted 7 to 2 on Monday."
    doc = Document(text=text, id="a")
    step = CopydeskClassifierFilter("fast", keep_labels=[("quotation", 0.99)], save_labels_in_metadata=False)
    assert step.filter(doc) is False and doc.metadata == {}
    doc = Document(text=text, id="a")
    assert CopydeskClassifierFilter("fast").filter(doc) is True and doc.text == text
    with pytest.raises(copydesk.OptionError, match="got both"):
        CopydeskClassifierFilter("fast", keep_labels=("opinion", 0.5), remove_labels=("other", 0.5))
    with pytest.raises(copydesk.OptionError, match="'math'"):
        CopydeskClassifierFilter("fast", keep_labels=("math", 0.5))
