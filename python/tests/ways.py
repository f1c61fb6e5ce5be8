"""The same rows labelled by the command and by every way into the Python package.

    python tests/ways.py FILE.jsonl [MODEL]…

compares labels, and scores to the last of the six decimals that the command writes, then the bits of the scores among all ways, and
prints what was compared. FILE has `text`, and `doc` and `source` where rows stand on pages.
The command is the one that the environment variable COPYDESK names, else the wheel's own.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pyarrow
from conftest import command, read_rows

import copydesk
from copydesk import fasttext_like

#: A label and the bits of its scores.
Answer = Tuple[str, Tuple[bytes, ...]]


def bits(scores: Dict[str, float]) -> Tuple[bytes, ...]:
    return tuple(struct.pack("<d", score) for score in scores.values())


def of_table(table: Any) -> List[Answer]:
    return [(row["label"], bits(row["scores"])) for row in table.select(["label", "scores"]).to_pylist()]


def of_records(records: List[Any]) -> List[Answer]:
    return [(record.label, bits(record.scores)) for record in records]


def written(answers: List[Answer]) -> List[Answer]:
    """The answers with the six decimals of each score that the command writes."""

    def rounded(score: bytes) -> bytes:
        [number] = struct.unpack("<d", score)
        # To a table it writes the nearest float of 32 bits.
        return struct.pack("<d", *struct.unpack("<f", struct.pack("<f", round(number, 6))))

    return [(label, tuple(map(rounded, scores))) for label, scores in answers]


def by_command(path: Path, model: str, *options: str) -> List[Answer]:
    """What the command writes to an Arrow file."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/rows.arrow"
        done = command("label", "--quiet", "--model", model, *options, str(path), "-o", out)
        if done.returncode != 0:
            raise SystemExit(done.stderr.decode())
        with pyarrow.ipc.open_file(out) as file:
            return of_table(file.read_all())


def pages_of(rows: List[Dict[str, Any]]) -> List[List[str]]:
    """Neighbouring rows with the same source and doc; a row without doc stands alone."""
    pages: List[List[str]] = []
    last = None
    for row in rows:
        key = (row.get("source"), row["doc"]) if row.get("doc") is not None else None
        if key is None or key != last:
            pages.append([])
        pages[-1].append(row["text"])
        last = key
    return pages


def alone(rows: List[Dict[str, Any]], model: str) -> Iterator[Tuple[str, List[Answer]]]:
    """Every way to label rows that are read alone."""
    texts = [row["text"] for row in rows]
    labeler = copydesk.Labeler(model)
    yield "label_records", of_records(labeler.label_records(texts))
    yield (
        "label_records, 1 thread, one by one",
        of_records([copydesk.Labeler(model, threads=1).label_records([text])[0] for text in texts]),
    )
    table = pyarrow.table({"text": texts})
    yield "label_arrow, a table", of_table(labeler.label_arrow(table))
    yield (
        "label_arrow, batches of 7",
        of_table(pyarrow.table(labeler.label_arrow(pyarrow.Table.from_batches(table.to_batches(max_chunksize=7))))),
    )
    yield "label_arrow, a batch", of_table(labeler.label_arrow(table.to_batches()[0]))
    yield "label_arrow, a reader", of_table(labeler.label_arrow(table.to_reader(max_chunksize=100)).read_all())
    yield "label_arrow, plain", of_table(labeler.label_arrow(table, plain=True))
    model_like = fasttext_like.load_model(model)
    names = labeler.labels
    likes = []
    for labels, scores in zip(*model_like.predict(texts, k=-1)):
        found = dict(zip((label[len("__label__") :] for label in labels), (float(score) for score in scores)))
        likes.append((labels[0][len("__label__") :], bits({name: found[name] for name in names})))
    yield "fasttext_like", likes


def on_pages(rows: List[Dict[str, Any]], model: str) -> Iterator[Tuple[str, List[Answer]]]:
    """Every way to label rows beside the others of their page."""
    labeler = copydesk.Labeler(model)
    yield "pages", of_records([record for page in labeler.pages(pages_of(rows)) for record in page])
    columns = {name: [row.get(name) for row in rows] for name in ("text", "doc", "source")}
    table = pyarrow.table(columns)
    for size in (1, 7, 1000):
        chunks = pyarrow.Table.from_batches(table.to_batches(max_chunksize=size))
        yield f"label_arrow with page, batches of {size}", of_table(labeler.label_arrow(chunks, page="doc"))


def compare(path: Path, model: str) -> List[str]:
    """Lines that say what was compared.

    Raises:
        AssertionError: A way gives another label or score than the command, or other bits than the ways before it.
    """
    rows = read_rows(path)
    lines = []
    for options, ways in (((), alone(rows, model)), (("--page-field", "doc"), on_pages(rows, model))):
        expected = by_command(path, model, "--unit", "record", *options)
        assert len(expected) == len(rows)
        first = None
        for name, answers in ways:
            differ = sum(a != b for a, b in zip(written(answers), expected))
            assert len(answers) == len(rows) and differ == 0, (
                f"{model}, {name}: {differ} rows differ from the command's"
            )
            first = first or answers
            differ = sum(a != b for a, b in zip(answers, first))
            assert differ == 0, f"{model}, {name}: {differ} rows differ in their bits from the first way"
            lines.append(
                f"{model}, {name}: the command's labels and scores for {len(answers)} rows {' '.join(options)}"
            )
    return lines


if __name__ == "__main__":
    for model in sys.argv[2:] or ["nano", "fast", "auto", "base"]:
        print("\n".join(compare(Path(sys.argv[1]), model)), flush=True)
