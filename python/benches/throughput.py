#!/usr/bin/env python3
"""Rows per second through each engine, beside the command, in turns.

    python/benches/throughput.py FILE.jsonl [--model fast] [--threads 2] [--copies 8] [--turns 3] [--ways command,arrow,…]

FILE has `text` on each line. Its rows are repeated `--copies` times, each with a number in front so that no two are the same, and written
as Parquet, which every way reads. Each way runs in a process of its own: `start` is the time until an engine stands and the model
is open, `rows/s` counts from there to the last row, `CPU` is user and system time of the process and its children in microseconds for each
row, start included. Medians over the turns, with the lowest and the highest rate.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

BATCH = 1000


def command(file: str, model: str, threads: int) -> int:
    out = file + ".labelled.arrow"
    arguments = [
        sys.executable,
        "-m",
        "copydesk",
        "label",
        "--quiet",
        "--unit",
        "record",
        "--model",
        model,
        "--threads",
        str(threads),
    ]
    subprocess.run([*arguments, "--restart", "-o", out, file], check=True, stdout=subprocess.DEVNULL)
    import pyarrow

    return pyarrow.ipc.open_file(out).read_all().num_rows


def arrow(file: str, model: str, threads: int) -> int:
    import pyarrow
    import pyarrow.parquet

    import copydesk

    labeler = copydesk.Labeler(model, threads=threads)
    started()
    with pyarrow.parquet.ParquetFile(file) as source:
        batches = pyarrow.RecordBatchReader.from_batches(source.schema_arrow, source.iter_batches(batch_size=BATCH))
        labelled = labeler.label_arrow(batches)
        with pyarrow.ipc.new_file(file + ".labelled.arrow", labelled.schema) as out:
            rows = 0
            for batch in labelled:
                out.write_batch(batch)
                rows += batch.num_rows
    return rows


def records(file: str, model: str, threads: int) -> int:
    import pyarrow.parquet

    import copydesk

    labeler = copydesk.Labeler(model, threads=threads)
    texts = pyarrow.parquet.read_table(file)["text"].to_pylist()
    started()
    return sum(len(labeler.label_records(texts[at : at + BATCH])) for at in range(0, len(texts), BATCH))


def polars(file: str, model: str, threads: int) -> int:
    import polars

    import copydesk

    labeler = copydesk.Labeler(model, threads=threads)
    frame = polars.read_parquet(file)
    started()
    return sum(part.pipe(labeler.label_arrow).height for part in frame.iter_slices(BATCH))


def duckdb(file: str, model: str, threads: int) -> int:
    import duckdb

    import copydesk

    labeler = copydesk.Labeler(model, threads=threads)
    connection = duckdb.connect()
    started()
    labelled = labeler.label_arrow(connection.sql(f"SELECT * FROM '{file}'").to_arrow_reader(BATCH))  # noqa: F841
    return sum(n for _, n in duckdb.sql("SELECT label, count(*) FROM labelled GROUP BY label").fetchall())


def ray(file: str, model: str, threads: int) -> int:
    import ray

    import copydesk

    ray.init(num_cpus=threads, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    labeler = copydesk.Labeler(model)
    started()
    rows = ray.data.read_parquet(file, override_num_blocks=4 * threads)
    count = rows.map_batches(labeler.label_arrow, batch_format="pyarrow", batch_size=BATCH).materialize().count()
    ray.shutdown()
    return count


def spark(file: str, model: str, threads: int) -> int:
    from pyspark.sql import SparkSession

    import copydesk

    session = SparkSession.builder.master(f"local[{threads}]").config("spark.ui.enabled", "false")
    session = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    labeler = copydesk.Labeler(model, threads=1)

    def label(batches: Any) -> Any:
        for batch in batches:
            yield labeler.label_arrow(batch, plain=True).select(["label", "confidence"])

    started()
    rows = session.read.parquet(file).select("text").repartition(4 * threads)
    count = sum(
        row["count"]
        for row in rows.mapInArrow(label, "label string, confidence float").groupBy("label").count().collect()
    )
    session.stop()
    return count


def datasets(file: str, model: str, threads: int) -> int:
    import datasets as library

    import copydesk

    library.disable_progress_bars()
    rows = library.Dataset.from_parquet(file, cache_dir=os.path.dirname(file)).with_format("arrow")
    labeler = copydesk.Labeler(model)
    started()
    return len(
        rows.map(labeler.label_arrow, batched=True, batch_size=BATCH, num_proc=threads, load_from_cache_file=False)
    )


def datatrove(file: str, model: str, threads: int) -> int:
    import pyarrow.parquet
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import JsonlWriter
    from loguru import logger

    from copydesk.contrib.datatrove import CopydeskClassifierFilter

    logger.remove()
    folder = tempfile.mkdtemp(dir=os.path.dirname(file))
    table = pyarrow.parquet.read_table(file)
    for part in range(threads):
        size = -(-table.num_rows // threads)
        pyarrow.parquet.write_table(table.slice(part * size, size), f"{folder}/{part}.parquet")
    started()
    LocalPipelineExecutor(
        [
            ParquetReader(folder, glob_pattern="*.parquet"),
            CopydeskClassifierFilter(model, batch_size=BATCH),
            JsonlWriter(f"{folder}/out", compression=None),
        ],
        tasks=threads,
        workers=threads,
        logging_dir=f"{folder}/logs",
    ).run()
    return sum(sum(1 for _ in open(f"{folder}/out/{name}")) for name in os.listdir(f"{folder}/out"))


WAYS: Dict[str, Callable[[str, str, int], int]] = {
    way.__name__: way for way in (command, arrow, records, polars, duckdb, ray, spark, datasets, datatrove)
}

_begin = time.monotonic()
_started = None


def started() -> None:
    """The engine stands and the model is open."""
    global _started
    _started = time.monotonic()


def child(way: str, file: str, model: str, threads: int) -> None:
    rows = WAYS[way](file, model, threads)
    end = time.monotonic()
    begin = _started or _begin
    cpu = sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    print(json.dumps({"rows": rows, "seconds": end - begin, "start": begin - _begin, "cpu": cpu}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.file, options.model, options.threads)
    import pyarrow
    import pyarrow.parquet

    with open(options.file, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    texts = [f"{number} {text}" for number in range(options.copies) for text in texts]
    measured: Dict[str, List[Dict[str, float]]] = {way: [] for way in options.ways.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/rows.parquet"
        table = pyarrow.table({"id": [str(number) for number in range(len(texts))], "text": texts})
        pyarrow.parquet.write_table(table, file, row_group_size=10_000)
        for _ in range(options.turns):
            for way, results in measured.items():
                arguments = [
                    sys.executable,
                    __file__,
                    file,
                    "--child",
                    way,
                    "--model",
                    options.model,
                    "--threads",
                    str(options.threads),
                ]
                done = subprocess.run(arguments, capture_output=True, text=True)
                if done.returncode != 0:
                    sys.exit(f"{way}: {done.stderr[-3000:]}")
                result = json.loads(done.stdout.splitlines()[-1])
                if result["rows"] != len(texts):
                    sys.exit(f"{way}: expected {len(texts)} rows, got {result['rows']}")
                results.append(result)
    print(f"{len(texts)} rows, {options.model}, {options.threads} threads, load before {os.getloadavg()[0]:.1f}")
    print(f"{'way':10} {'rows/s':>8} {'lowest':>8} {'highest':>8} {'start s':>8} {'CPU µs/row':>11}")
    for way, results in measured.items():
        rates = [result["rows"] / result["seconds"] for result in results]
        start, cpu = (statistics.median(result[name] for result in results) for name in ("start", "cpu"))
        rate = statistics.median(rates)
        print(f"{way:10} {rate:8.0f} {min(rates):8.0f} {max(rates):8.0f} {start:8.2f} {cpu / len(texts) * 1e6:11.0f}")


if __name__ == "__main__":
    main()
