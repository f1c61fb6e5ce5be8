"""Tables of other programs read by copydesk, and tables of copydesk read by other programs.

    python3 tests/interop/columnar.py target/release/copydesk

Needs a build with the feature `columnar`, and pyarrow, duckdb, polars and pandas. Prints counts; fails at the first difference.
"""

import datetime as dt
import decimal
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

ROWS = 5
TEXTS = [f"The council voted on item {number}, and the road is closed." for number in range(ROWS)]


def run(binary, *arguments, **more):
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, **more)
    assert done.returncode == 0, (arguments, done.stderr.decode())
    return done.stdout


def rows_of(binary, path):
    """The rows of a table as copydesk reads them."""
    return [json.loads(line) for line in run(binary, "label", "--quiet", "--unit", "record", path).splitlines()]


def columns():
    """A column of each type, with the JSON that is expected of it."""
    moments = [dt.datetime(2024, 2, 29, 12, 30, number) for number in range(ROWS)]
    utc = [moment.replace(tzinfo=dt.timezone.utc) for moment in moments]
    numbers = list(range(ROWS))
    some = [None if number == 2 else number for number in numbers]
    return {
        "text": (pa.array(TEXTS), TEXTS),
        "large": (pa.array(TEXTS, pa.large_string()), TEXTS),
        "view": (pa.array(TEXTS, pa.string_view()), TEXTS),
        "words": (pa.array(["a", "b", None, "a", "b"]).dictionary_encode(), ["a", "b", None, "a", "b"]),
        "int8": (pa.array(some, pa.int8()), some),
        "uint64": (pa.array([2**64 - 1] * ROWS, pa.uint64()), [2**64 - 1] * ROWS),
        "float": (pa.array([number / 4 for number in numbers], pa.float32()), [number / 4 for number in numbers]),
        "bool": (pa.array([True, False, None, True, False]), [True, False, None, True, False]),
        "null": (pa.nulls(ROWS), [None] * ROWS),
        "binary": (pa.array([bytes([number, 255]) for number in numbers]), [f"{number:02x}ff" for number in numbers]),
        "fixed": (pa.array([bytes([number, 0]) for number in numbers], pa.binary(2)), [f"{number:02x}00" for number in numbers]),
        "date": (pa.array([dt.date(2024, 2, 29)] * ROWS), ["2024-02-29"] * ROWS),
        "time": (pa.array([dt.time(1, 2, 3)] * ROWS, pa.time64("us")), ["01:02:03"] * ROWS),
        "stamp": (pa.array(moments, pa.timestamp("us")), [moment.isoformat() for moment in moments]),
        "stamp_ns": (pa.array(moments, pa.timestamp("ns")), [moment.isoformat() for moment in moments]),
        "utc": (pa.array(utc, pa.timestamp("ms", "UTC")), [moment.isoformat() + "Z" for moment in moments]),
        "paris": (
            pa.array(utc, pa.timestamp("us", "Europe/Paris")),
            [(moment + dt.timedelta(hours=1)).isoformat() + "+01:00" for moment in moments],
        ),
        "decimal": (pa.array([decimal.Decimal("-1.25")] * ROWS, pa.decimal128(10, 2)), [-1.25] * ROWS),
        "list": (pa.array([[1, None], [], None, [2], [3]], pa.list_(pa.int32())), [[1, None], [], None, [2], [3]]),
        "struct": (pa.array([{"a": 1, "b": ["x"]}] * ROWS), [{"a": 1, "b": ["x"]}] * ROWS),
        "map": (pa.array([[("k", 1)]] * ROWS, pa.map_(pa.string(), pa.int32())), [{"k": 1}] * ROWS),
    }


def write_all(folder, table, expected):
    """The table as several programs write it, each with the columns that it has kept."""
    names = list(expected)
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        for version in ["1.0", "2.0"]:
            path = folder / f"pyarrow-{codec}-{version}.parquet"
            pq.write_table(table, path, compression=codec, data_page_version=version, row_group_size=2)
            yield path, names
    for option, value in [("use_dictionary", False), ("store_schema", False), ("write_page_checksum", True)]:
        path = folder / f"pyarrow-{option}.parquet"
        pq.write_table(table, path, **{option: value})
        # Without the Arrow schema a moment is only known to be in UTC.
        yield path, [name for name in names if option != "store_schema" or name != "paris"]
    for codec in ["uncompressed", "lz4", "zstd"]:
        path = folder / f"pyarrow-{codec}.feather"
        feather.write_feather(table, path, compression=codec, chunksize=2)
        yield path, names
    with ipc.new_stream(folder / "pyarrow.arrows", table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    yield folder / "pyarrow.arrows", names

    plain = [name for name in names if name not in ("null", "map", "fixed", "view", "words", "paris", "time")]
    frame = polars.from_arrow(table.select(plain))
    for codec in ["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        frame.write_parquet(folder / f"polars-{codec}.parquet", compression=codec, row_group_size=2)
        yield folder / f"polars-{codec}.parquet", plain
    for codec in ["uncompressed", "lz4", "zstd"]:
        frame.write_ipc(folder / f"polars-{codec}.arrow", compression=codec)
        yield folder / f"polars-{codec}.arrow", plain
    frame.write_ipc_stream(folder / "polars.arrows")
    yield folder / "polars.arrows", plain

    simple = [name for name in plain if name not in ("utc", "stamp_ns")]
    duck = duckdb.connect()
    duck.register("rows_in", table.select(simple))
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4", "lz4_raw"]:
        path = folder / f"duckdb-{codec}.parquet"
        duck.execute(f"COPY rows_in TO '{path}' (FORMAT parquet, COMPRESSION {codec})")
        yield path, simple

    flat = [name for name in ("text", "uint64", "float", "stamp", "words", "date") if name in names]
    for name in ["pandas.parquet", "pandas-index.parquet"]:
        pandas_frame = table.select(flat).to_pandas()
        pandas_frame.to_parquet(folder / name, index=name != "pandas.parquet")
        yield folder / name, flat


def check_reading(binary, folder):
    made = columns()
    table = pa.table({name: array for name, (array, _) in made.items()})
    expected = {name: values for name, (_, values) in made.items()}
    files = values = 0
    for path, names in write_all(folder, table, expected):
        rows = rows_of(binary, path)
        assert len(rows) == ROWS, (path.name, len(rows))
        for number, row in enumerate(rows):
            for name in names:
                assert row[name] == expected[name][number], (path.name, name, row[name], expected[name][number])
                values += 1
        files += 1
    print(f"read: {files} files of others, {values} values as expected")


def check_writing(binary, folder):
    records = [{"id": number, "text": text, "label": "mine", "odd": [number, {"a": None}]} for number, text in enumerate(TEXTS)]
    source = folder / "records.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    judged = [json.loads(line) for line in run(binary, "label", "--quiet", "--unit", "record", source).splitlines()]
    table_source = folder / "typed.parquet"
    made = columns()
    typed = pa.table({name: array for name, (array, _) in made.items()})
    pq.write_table(typed, table_source)
    checked = 0
    for ending in ["parquet", "arrow"]:
        path = folder / f"out.{ending}"
        run(binary, "label", "--quiet", "--unit", "record", "-o", path, source)
        again = folder / f"again.{ending}"
        run(binary, "label", "--quiet", "--unit", "record", "-o", again, source)
        assert path.read_bytes() == again.read_bytes(), "the same rows, other bytes"
        if ending == "parquet":
            readers = {
                "pyarrow": lambda path: pq.read_table(path).to_pylist(),
                "polars": lambda path: polars.read_parquet(path).to_dicts(),
                "duckdb": lambda path: duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table().to_pylist(),
                "pandas": lambda path: pandas.read_parquet(path).to_dict("records"),
            }
        else:
            readers = {
                "pyarrow": lambda path: ipc.open_file(path).read_all().to_pylist(),
                "polars": lambda path: polars.read_ipc(path).to_dicts(),
                "pandas": lambda path: pandas.read_feather(path).to_dict("records"),
                "duckdb": lambda path: duckdb.from_arrow(ipc.open_file(path).read_all()).to_arrow_table().to_pylist(),
            }
        for name, read in readers.items():
            rows = read(path)
            assert len(rows) == ROWS, (name, ending)
            for row, record, verdict in zip(rows, records, judged):
                assert row["text"] == record["text"] and row["input_label"] == "mine", (name, ending, row)
                assert row["id"] == str(record["id"]) and json.loads(row["odd"]) == record["odd"], (name, ending, row)
                assert row["label"] == verdict["label"], (name, ending, row)
                assert abs(row["confidence"] - verdict["confidence"]) < 1e-6, (name, ending, row)
                assert abs(row["scores"]["reporting"] - verdict["scores"]["reporting"]) < 1e-6, (name, ending, row)
            checked += 1
        kept = folder / f"kept.{ending}"
        run(binary, "label", "--quiet", "--unit", "record", "-o", kept, table_source)
        back = pq.read_table(kept) if ending == "parquet" else ipc.open_file(kept).read_all()
        for name in made:
            if name in ("words", "null"):
                continue
            assert back[name].to_pylist() == typed[name].to_pylist(), (ending, name)
            assert back.schema.field(name).type == typed.schema.field(name).type, (ending, name, back.schema.field(name))
            checked += 1
    print(f"written: {checked} readings by others as expected")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        check_reading(sys.argv[1], Path(folder))
        check_writing(sys.argv[1], Path(folder))
