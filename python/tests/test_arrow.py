"""The Arrow door: every way to store a text, every kind of table, and what is none."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any, Callable, Dict, List, Optional

import pyarrow as pa
import pyarrow.compute  # noqa: F401
import pytest

import copydesk
from copydesk import ColumnError, Labeler, OptionError

TEXTS: List[Optional[str]] = [
    "The council voted 7 to 2 on Monday.",
    None,
    "Finally! About time they listened to us.",
    " ",
    "Finally! About time they listened to us.",
    "Ça alors, 🦆 said the mayor of Élan on Monday, and nobody laughed.",
]


@pytest.fixture(scope="module")
def expected(labeler: Labeler) -> List[Dict[str, Any]]:
    return labeler.label_arrow(pa.table({"text": TEXTS})).to_pylist()


def test_columns_are_the_commands(labeler: Labeler, expected: List[Dict[str, Any]]) -> None:
    table = labeler.label_arrow(pa.table({"text": TEXTS, "n": range(6)}))
    assert table.column_names == ["text", "n", "label", "confidence", "scores", "tokens", "windows", "lang", "reason"]
    assert table.schema.field("label").type == pa.dictionary(pa.int32(), pa.string())
    assert table.schema.field("scores").type == pa.struct([(name, pa.float32()) for name in labeler.labels])
    assert table.schema.field("tokens").type == pa.uint32()
    assert table.column("label").chunk(0).dictionary.to_pylist() == labeler.labels
    null, blank = expected[1], expected[3]
    assert null == {**dict.fromkeys(null), "text": None, "reason": "no text"}
    assert blank == {**dict.fromkeys(blank), "text": " ", "reason": labeler.label_records([" "])[0].reason}
    for row, record in zip(expected, labeler.label_records([text or "" for text in TEXTS])):
        if row["label"] is not None:
            assert (
                row["label"],
                row["confidence"],
                row["scores"],
                row["tokens"],
                row["windows"],
                row["lang"],
            ) == record[:6]


def stored() -> Dict[str, Any]:
    plain = pa.array(TEXTS)
    kinds: Dict[str, Any] = {str(kind): plain.cast(kind) for kind in (pa.string(), pa.large_string(), pa.string_view())}
    kinds["dictionary"] = plain.dictionary_encode()
    kinds["dictionary with small keys"] = plain.dictionary_encode().cast(pa.dictionary(pa.uint8(), pa.string()))
    kinds["dictionary of large strings"] = plain.cast(pa.large_string()).dictionary_encode()
    kinds["dictionary with a null value"] = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, 3, 2, 4]), pa.array([TEXTS[0], None, TEXTS[2], TEXTS[3], TEXTS[5]])
    )
    kinds["slice"] = pa.array(["before", *TEXTS, "after"])[1:7]
    kinds["slice of views"] = pa.array(["before", *TEXTS, "after"]).cast(pa.string_view())[1:7]
    kinds["slice of a dictionary"] = pa.array(["before", *TEXTS, "after"]).dictionary_encode()[1:7]
    kinds["chunks"] = pa.chunked_array([plain[:1], plain[1:1], plain[1:4], plain[4:]])
    kinds["dictionaries that differ by chunk"] = pa.chunked_array(
        [plain[:3].dictionary_encode(), plain[3:].dictionary_encode()]
    )
    return kinds


@pytest.mark.parametrize("column", stored().values(), ids=stored().keys())
def test_every_way_to_store_a_text(labeler: Labeler, expected: List[Dict[str, Any]], column: Any) -> None:
    table = labeler.label_arrow(pa.table({"text": column}))
    assert table.to_pylist() == expected
    table.validate(full=True)
    assert table.column("text").type == column.type
    plain = labeler.label_arrow(pa.table({"text": column}), plain=True)
    assert plain.to_pylist() == expected
    assert (plain.schema.field("label").type, plain.schema.field("tokens").type) == (pa.string(), pa.int32())


def test_a_batch_with_an_offset(labeler: Labeler, expected: List[Dict[str, Any]]) -> None:
    batch = pa.record_batch({"text": ["before", *TEXTS, "after"]}).slice(1, 6)
    assert labeler.label_arrow(batch).to_pylist() == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t,
        lambda t: t.to_batches()[0],
        lambda t: t.to_reader(),
        lambda t: t.slice(0, 0),
        lambda t: t.schema.empty_table(),
    ],
    ids=["table", "batch", "reader", "slice without rows", "table without batches"],
)
def test_what_goes_in_comes_out(labeler: Labeler, make: Callable[[Any], Any]) -> None:
    made = make(pa.table({"text": TEXTS}))
    kind = type(made)
    result = labeler.label_arrow(made)
    assert type(result) is kind
    assert result.schema.names[:2] == ["text", "label"]
    if isinstance(result, pa.Table):
        assert result.num_rows == made.num_rows


def test_a_reader_is_read_as_it_is_asked_for(labeler: Labeler) -> None:
    asked = []

    def batches() -> Any:
        for number in range(3):
            asked.append(number)
            yield pa.record_batch({"text": [f"The council met on day {number}."]})

    reader = labeler.label_arrow(pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches()))
    first = reader.read_next_batch()
    assert asked == [0] and first.num_rows == 1
    assert reader.read_all().num_rows == 2


def test_small_batches_are_labelled_together(labeler: Labeler) -> None:
    asked = []

    def batches() -> Any:
        for number in range(30):
            asked.append(number)
            yield pa.record_batch({"text": [f"The council met on day {number}.", "I like it."]})

    reader = labeler.label_arrow(pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches()))
    seen, together = [], []
    for _ in range(10):
        seen.append(len(asked))
        together.append(reader.read_next_batch())
    # Before each of the ten batches so many had been asked for: one, then two, four and eight together.
    assert seen == [0, 1, 3, 3, 7, 7, 7, 7, 15, 15]
    alone = [labeler.label_arrow(pa.table({"text": batch["text"]})).column("label").to_pylist() for batch in together]
    assert [batch["label"].to_pylist() for batch in together] == alone


class Capsules:
    """A table of a library that nobody knows."""

    def __init__(self, table: Any, *names: str) -> None:
        for name in names:
            setattr(self, name, getattr(table, name))


def test_the_capsules_of_an_unknown_library(labeler: Labeler, expected: List[Dict[str, Any]]) -> None:
    table = pa.table({"text": TEXTS})
    batch = labeler.label_arrow(Capsules(table.to_batches()[0], "__arrow_c_array__"))
    assert len(batch) == 6 and batch.column_names[:2] == ["text", "label"] and "6 rows" in repr(batch)
    assert pa.record_batch(batch).to_pylist() == pa.table(batch).to_pylist() == expected
    assert pa.schema(batch) == pa.record_batch(batch).schema
    stream = labeler.label_arrow(Capsules(table, "__arrow_c_stream__"))
    assert pa.schema(stream).names == stream.column_names
    assert pa.table(stream).to_pylist() == expected
    with pytest.raises(RuntimeError, match="read already"):
        pa.table(stream)


def test_capsules_need_no_pyarrow(labeler: Labeler) -> None:
    """A batch made by this package goes in again."""
    code = """
import sys
import copydesk, polars
sys.modules["pyarrow"] = None
labeler = copydesk.Labeler("fast")
class Unknown:
    def __init__(self, frame): self.__arrow_c_stream__ = frame.__arrow_c_stream__
stream = labeler.label_arrow(Unknown(polars.DataFrame({"text": ["I love it!", None]})))
frame = polars.DataFrame(stream)
print(frame["label"].to_list())
class Broken:
    def __arrow_c_array__(self, requested_schema=None): return polars.Series([1]).__arrow_c_stream__(), None
try:
    labeler.label_arrow(Broken())
except (copydesk.ColumnError, TypeError, ValueError) as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert first == "['opinion', None]" and second in ("ColumnError", "TypeError", "ValueError"), done.stderr


def test_nothing_is_copied_but_the_new_columns(labeler: Labeler) -> None:
    batch = pa.record_batch({"text": TEXTS})
    result = labeler.label_arrow(batch)
    assert [buffer and buffer.address for buffer in result.column(0).buffers()] == [
        buffer and buffer.address for buffer in batch.column(0).buffers()
    ]


def test_columns_with_our_names_are_renamed(labeler: Labeler) -> None:
    table = pa.table({"label": ["a"], "text": ["I love it!"], "input_label": [1], "scores": [2]})
    result = labeler.label_arrow(table)
    assert result.column_names[:4] == ["input_input_label", "text", "input_label", "input_scores"]
    assert result["label"].to_pylist() == ["opinion"]


def test_metadata_stays(labeler: Labeler) -> None:
    schema = pa.schema([pa.field("text", pa.string(), metadata={"a": "b"})], metadata={"c": "d"})
    for made in (pa.table({"text": ["x"]}, schema=schema), pa.record_batch({"text": ["x"]}, schema=schema)):
        result = labeler.label_arrow(made)
        assert result.schema.metadata == {b"c": b"d"} and result.schema.field("text").metadata == {b"a": b"b"}


@pytest.mark.parametrize("many", [False, True], ids=["batch", "table"])
@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"body": ["a"]}, {}, "text: no column `text`; there are: body"),
        ({}, {}, "text: no column `text`; there are: none"),
        ({"text": [1]}, {}, "column `text` is Int64, expected text"),
        ({"text": [b"a"]}, {}, "column `text` is Binary, expected text; cast it to string"),
        ({"text": [["a"]]}, {}, "expected text"),
        ({"text": ["a"]}, {"page": "doc"}, "page: no column `doc`"),
        ({"text": ["a"], "doc": [1.5]}, {"page": "doc"}, "page: column `doc` is Float64"),
    ],
)
def test_wrong_columns_are_told(
    labeler: Labeler, columns: Dict[str, Any], options: Dict[str, Any], message: str, many: bool
) -> None:
    table = pa.table(columns) if columns else pa.table({"x": []}).drop_columns(["x"])
    made = table if many else pa.record_batch(columns) if columns else pa.record_batch([], schema=pa.schema([]))
    with pytest.raises(ColumnError, match=message):
        labeler.label_arrow(made, **options)


def test_two_columns_of_one_name_are_told(labeler: Labeler) -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(ColumnError, match="two columns have the name `text`"):
        labeler.label_arrow(table)


def test_wrong_options_are_told(labeler: Labeler) -> None:
    table = pa.table({"text": ["a"], "doc": ["b"]})
    with pytest.raises(OptionError, match="unit: expected `record` or `paragraph`"):
        labeler.label_arrow(table, unit="page")
    with pytest.raises(OptionError, match="page: only with"):
        labeler.label_arrow(table, unit="paragraph", page="doc")


@pytest.mark.parametrize(
    "thing", [None, "text", ["text"], {"text": ["a"]}, pa.schema([])], ids=lambda thing: type(thing).__name__
)
def test_what_is_no_table_is_told(labeler: Labeler, thing: Any) -> None:
    with pytest.raises(ColumnError, match="expected a table"):
        labeler.label_arrow(thing)


def test_an_array_that_is_no_batch_is_told(labeler: Labeler) -> None:
    with pytest.raises(ColumnError):
        labeler.label_arrow(pa.array(["a"]))
    with pytest.raises(ColumnError):
        labeler.label_arrow(pa.array([{"text": "a"}, None]))
    # A stream of structures is a table; a row that is null as a whole has no text.
    table = pa.table(labeler.label_arrow(pa.chunked_array([pa.array([{"text": "I love it!"}, None])])))
    assert table["label"].to_pylist() == ["opinion", None]


def test_bytes_that_are_no_text_are_told(labeler: Labeler) -> None:
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"good", b"\xff\xfe"]).buffers())
    for made in (pa.table({"text": broken}), pa.record_batch({"text": broken})):
        with pytest.raises(ColumnError, match="(?i)utf-?8"):
            labeler.label_arrow(made)


def test_an_error_of_the_producer_is_told(labeler: Labeler) -> None:
    def batches() -> Any:
        yield pa.record_batch({"text": ["a"]})
        raise ValueError("the disk is \0 gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches())
    labelled = labeler.label_arrow(reader)
    assert labelled.read_next_batch().num_rows == 1
    with pytest.raises(Exception, match="the disk is"):
        labelled.read_next_batch()


def test_batches_that_were_read_before_an_error_are_labelled(labeler: Labeler) -> None:
    def batches() -> Any:
        for number in range(6):
            yield pa.record_batch({"text": [f"The council met on day {number}."]})
        raise ValueError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches())
    labelled = labeler.label_arrow(reader)
    assert [labelled.read_next_batch().num_rows for _ in range(6)] == [1] * 6
    with pytest.raises(Exception, match="the disk is gone"):
        labelled.read_next_batch()


def test_paragraphs_in_a_list(labeler: Labeler) -> None:
    texts = ["The council voted 7 to 2.\n\nÇa alors! About time they listened to us.", None, "", "One."]
    for plain, offset in ((False, pa.uint64()), (True, pa.int64())):
        table = labeler.label_arrow(pa.table({"text": texts}), unit="paragraph", plain=plain)
        table.validate(full=True)
        assert table.column_names == ["text", "paragraphs", "reason"]
        assert table.schema.field("paragraphs").type.value_type.field("start").type == offset
        first, null, empty, last = table.to_pylist()
        assert (null["paragraphs"], null["reason"], empty["paragraphs"]) == (None, "no text", [])
        found = labeler.label(texts[0])
        assert [(p["start"], p["end"], p["label"], p["scores"], p["tokens"]) for p in first["paragraphs"]] == [
            (p.byte_start, p.byte_end, p.label, p.scores, p.tokens) for p in found
        ]
        assert len(last["paragraphs"]) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("kind", ["string", "int", "dictionary"])
def test_pages_go_across_batches(labeler: Labeler, rows: List[Dict[str, Any]], kind: str, size: int) -> None:
    rows = rows[:60]
    names = sorted({row["doc"] for row in rows})
    docs = pa.array([row["doc"] if kind != "int" else names.index(row["doc"]) for row in rows])
    table = pa.table(
        {"doc": docs.dictionary_encode() if kind == "dictionary" else docs, "text": [row["text"] for row in rows]}
    )
    pages: Dict[str, List[str]] = {}
    for row in rows:
        pages.setdefault(row["doc"], []).append(row["text"])
    expected = [record.confidence for page in labeler.pages(pages.values()) for record in page]
    result = labeler.label_arrow(pa.Table.from_batches(table.to_batches(max_chunksize=size)), page="doc")
    assert result["confidence"].to_pylist() == expected
    assert result["confidence"].num_chunks == -(-60 // size)


def test_long_pages_are_cut_where_the_command_cuts_them(labeler: Labeler, texts: List[str]) -> None:
    texts = (texts * 3)[:600]
    result = labeler.label_arrow(pa.table({"text": texts, "doc": ["a"] * 600}), page="doc")
    parts = [texts[:256], texts[256:512], texts[512:]]
    assert result["confidence"].to_pylist() == [r.confidence for page in labeler.pages(parts) for r in page]


def test_rows_without_a_page_and_pages_of_two_sources(labeler: Labeler, texts: List[str]) -> None:
    alone = [record.confidence for record in labeler.label_records(texts[:4])]
    table = pa.table({"text": texts[:4], "doc": pa.array([None] * 4, pa.string())})
    assert labeler.label_arrow(table, page="doc")["confidence"].to_pylist() == alone
    table = pa.table({"text": texts[:4], "doc": ["a"] * 4, "source": ["x", "y", "x", "y"]})
    assert labeler.label_arrow(table, page="doc")["confidence"].to_pylist() == alone


def test_a_fuzz_of_tables(labeler: Labeler) -> None:
    """Made-up tables, cut and sliced anyhow: each row has the answer that it has alone."""
    draw = random.Random(11)
    pool = [*TEXTS, "", "\0", "x" * 3000, "Buy now! luckyharbour.example", "\u2029", "a\nb"]
    alone = {text: record for text, record in zip(pool, labeler.label_records([text or "" for text in pool]))}
    kinds = [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ]
    for _ in range(150):
        texts = draw.choices(pool, k=draw.randrange(12))
        kind = draw.choice(kinds)
        column = (
            pa.array(texts, pa.string()).cast(kind.value_type).dictionary_encode().cast(kind)
            if pa.types.is_dictionary(kind)
            else pa.array(texts, pa.string()).cast(kind)
        )
        start = draw.randrange(len(texts) + 1)
        end = draw.randrange(start, len(texts) + 1)
        table = pa.table({"n": range(len(texts)), "text": column}).slice(start, end - start)
        cut = draw.randrange(1, 5)
        table = pa.Table.from_batches(table.to_batches(max_chunksize=cut), table.schema)
        result = labeler.label_arrow(table, plain=draw.random() < 0.5)
        result.validate(full=True)
        assert result["n"].to_pylist() == list(range(start, end))
        assert [(row["label"], row["confidence"]) for row in result.to_pylist()] == [
            alone[text][:2] for text in texts[start:end]
        ]


def columns_of_any_type(draw: random.Random, rows: int) -> Dict[str, Any]:
    """A column of each type that pyarrow makes, with nulls among its values."""

    def some(values: List[Any]) -> List[Any]:
        return [draw.choice([None, *values]) for _ in range(rows)]

    text, number = some(["Vote yes.", "", "a"]), some([0, 1, 100])
    kinds: Dict[str, Any] = {
        str(kind): pa.array(text, kind) for kind in (pa.string(), pa.large_string(), pa.string_view())
    }
    kinds |= {
        str(kind): pa.array(number, kind) for kind in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float32())
    }
    kinds["dictionary"] = pa.array(text).dictionary_encode()
    kinds["dictionary of views"] = kinds["dictionary"].cast(pa.dictionary(pa.uint64(), pa.string_view()))
    kinds["dictionary of numbers"] = pa.array(number).dictionary_encode()
    kinds["runs"] = pa.compute.run_end_encode(pa.array(text))
    kinds["nulls"] = pa.nulls(rows)
    kinds["null strings"] = pa.nulls(rows, pa.string())
    kinds["booleans"] = pa.array(some([True, False]))
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)):
        kinds[str(kind)] = pa.array(some([b"ab"]), kind)
    for kind in (pa.date32(), pa.timestamp("us", "UTC"), pa.duration("s"), pa.time32("s"), pa.decimal128(5, 2)):
        kinds[str(kind)] = pa.array(number, pa.int64()).cast(kind) if kind.bit_width == 64 else pa.nulls(rows, kind)
    kinds["lists"] = pa.array(some([["a"], []]), pa.list_(pa.string()))
    kinds["structures"] = pa.array(some([{"a": "b"}]), pa.struct([("a", pa.string())]))
    kinds["maps"] = pa.array(some([[("a", 1)]]), pa.map_(pa.string(), pa.int64()))
    return kinds


def is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def test_a_fuzz_of_types(labeler: Labeler) -> None:
    """Whatever the columns are, a table is labelled or told why not, and its own columns come back as they were."""
    draw = random.Random(12)
    labelled = 0
    for _ in range(200):
        kinds = columns_of_any_type(draw, draw.randrange(1, 6))
        names = draw.choices(list(kinds), k=2)
        if draw.random() < 0.5:
            names[0] = draw.choice(["string", "large_string", "string_view", "dictionary", "dictionary of views"])
        table = pa.table({"text": kinds[names[0]], "doc": kinds[names[1]], "own": kinds[draw.choice(list(kinds))]})
        table = table.slice(draw.randrange(table.num_rows))
        page, unit = draw.choice([(None, "record"), (None, "paragraph"), ("doc", "record")])
        kind = table.schema.field("doc").type
        fits = is_text(table.schema.field("text").type) and (page is None or is_text(kind) or pa.types.is_integer(kind))
        if not fits:
            with pytest.raises(ColumnError):
                labeler.label_arrow(table, page=page, unit=unit)
            continue
        result = labeler.label_arrow(table, page=page, unit=unit, plain=draw.random() < 0.5)
        result.validate(full=True)
        assert result.select(table.column_names).equals(table), names
        labelled += result.num_rows
    assert labelled > 100


def test_offsets_that_go_back_are_told(labeler: Labeler) -> None:
    offsets = pa.array([0, 5, 3, 8], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"The vote")])
    for made in (pa.table({"text": broken}), pa.record_batch({"text": broken})):
        with pytest.raises(ColumnError):
            labeler.label_arrow(made)


def test_the_function_of_the_module(expected: List[Dict[str, Any]]) -> None:
    assert copydesk.label_arrow(pa.table({"text": TEXTS}), model="fast", threads=1).to_pylist() == expected
