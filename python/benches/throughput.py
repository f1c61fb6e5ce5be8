#!/usr/bin/env python3
"""Rows per second through each engine, beside the command on the same file and threads, and beside fastText and a pipeline of a tokenizer
of transformers and ONNX Runtime in the same engines; all in turns, one run.

    pip install -r python/benches/requirements.txt
    python/benches/throughput.py FILE.jsonl --runs benches/runs/python.jsonl [--models fast,nano] [--rivals fasttext,onnxruntime]
        [--ways command,arrow,…] [--threads 2] [--seconds 8] [--turns 3]

FILE has `text` on each line. For each model its rows are repeated, each with a number in front so that no two are the same, until the
command, or a rival in a plain loop, has work for `--seconds`, and written as Parquet, which every way reads.

Each measurement is a process of its own. The rate counts from the first batch that a labeller gets to the last row; what comes before, the
start of the engine, its workers and the model, is told apart as `start`. Engines that keep their workers label some rows first, so that all
workers stand. `CPU` is user and system time of the process and all that it started, in microseconds for each row, without the start:
where a machine is shared it tells more than the rate. Medians over the turns; raw answers go to `--runs`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import labellers

BATCH = 1000
PACKAGES = "datasets datatrove duckdb fasttext-numpy2-wheel numpy onnxruntime polars pyarrow pyspark ray tokenizers transformers".split()


class Run:
    """One measurement."""

    def __init__(self, file: str, name: str, threads: int) -> None:
        self.file, self.name, self.threads = file, name, threads
        self.folder = os.path.dirname(file)
        self.notes = f"{file}.{os.getpid()}.notes"
        self.begin = self.first = time.monotonic()
        self.end = self.cpu = 0.0

    def labeller(self, threads: Any) -> Any:
        """The model, opened, and used once."""
        import pyarrow

        labeller = labellers.opened(self.name, self.folder, threads)
        text = ["The council voted 7 to 2 on Monday."]
        labeller.texts(text)
        labeller.arrow(pyarrow.table({"text": text}))
        return labeller

    def started(self) -> None:
        """The engine stands and the model is open."""
        self.first, self.cpu = time.monotonic(), cpu_seconds()

    def ended(self) -> None:
        """The last row is out."""
        self.end = time.monotonic()
        # A process that ends while the others are counted would be missed.
        time.sleep(0.2)
        self.cpu = cpu_seconds() - self.cpu

    def result(self, rows: int) -> Dict[str, float]:
        if not self.end:
            self.ended()
        if os.path.exists(self.notes):
            notes = [tuple(map(float, line.split())) for line in Path(self.notes).read_text().splitlines()]
            self.first = min(first for first, _ in notes)
            self.cpu -= sum(used for _, used in notes)
        return {"rows": rows, "seconds": self.end - self.first, "start": self.first - self.begin, "cpu": self.cpu}


def cpu_seconds() -> float:
    """What this process and all below it have used, those that have ended included."""
    stats = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            # The name stands in parentheses and may have blanks.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(process)] = (int(fields[1]), sum(map(int, fields[11:15])))
    ticks, ours = 0, {os.getpid()}
    for process in sorted(stats, key=lambda process: _depth(process, stats)):
        parent, used = stats[process]
        if process in ours or parent in ours:
            ours.add(process)
            ticks += used
    return ticks / os.sysconf("SC_CLK_TCK")


def _depth(process: int, stats: Dict[int, Tuple[int, int]]) -> int:
    depth = 0
    while process in stats:
        process, depth = stats[process][0], depth + 1
    return depth


def command(run: Run) -> int:
    import pyarrow
    import pyarrow.parquet

    out = run.file + ".labelled.arrow"
    options = [
        "--quiet",
        "--unit",
        "record",
        "--model",
        run.name,
        "--threads",
        str(run.threads),
        "--restart",
        "-o",
        out,
    ]
    label = [sys.executable, "-m", "copydesk", "label", *options]
    one = run.file + ".one.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(run.file).slice(0, 1), one)
    begin, cpu = time.monotonic(), cpu_seconds()
    subprocess.run([*label, one], check=True, stdout=subprocess.DEVNULL)
    start, cpu = time.monotonic() - begin, cpu_seconds() - cpu
    # The start is that of a file with one row.
    run.started()
    subprocess.run([*label, run.file], check=True, stdout=subprocess.DEVNULL)
    run.ended()
    run.begin, run.first, run.cpu = run.first, run.first + start, run.cpu - cpu
    return pyarrow.ipc.open_file(out).read_all().num_rows


def arrow(run: Run) -> int:
    import pyarrow
    import pyarrow.parquet

    labeller = run.labeller(run.threads)
    run.started()
    with pyarrow.parquet.ParquetFile(run.file) as source:
        batches = pyarrow.RecordBatchReader.from_batches(source.schema_arrow, source.iter_batches(batch_size=BATCH))
        labelled = labeller.reader(batches)
        with pyarrow.ipc.new_file(run.file + ".labelled.arrow", labelled.schema) as out:
            rows = 0
            for batch in labelled:
                out.write_batch(batch)
                rows += batch.num_rows
    return rows


def texts(run: Run) -> int:
    import pyarrow.parquet

    labeller = run.labeller(run.threads)
    run.started()
    with pyarrow.parquet.ParquetFile(run.file) as source:
        batches = source.iter_batches(batch_size=BATCH, columns=["text"])
        return sum(len(labeller.texts(batch["text"].to_pylist())) for batch in batches)


def polars(run: Run) -> int:
    import polars

    labeller = run.labeller(run.threads)
    run.started()
    return sum(labeller.frame(part).height for part in polars.read_parquet(run.file).iter_slices(BATCH))


def duckdb(run: Run) -> int:
    import duckdb

    labeller = run.labeller(run.threads)
    connection = duckdb.connect()
    run.started()
    labelled = labeller.reader(connection.sql(f"SELECT * FROM '{run.file}'").to_arrow_reader(BATCH))  # noqa: F841
    return sum(n for _, n in duckdb.sql("SELECT label, count(*) FROM labelled GROUP BY label").fetchall())


def ray(run: Run, workers: int = 0) -> int:
    import pyarrow
    import ray

    workers = workers or run.threads
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    labeller = labellers.opened(run.name, run.folder, None)

    def slowly(batch: Any) -> Any:
        # So that each worker has some of it.
        time.sleep(1)
        return labeller.arrow(batch)

    few = ray.data.from_arrow([pyarrow.table({"text": ["The council voted."]})] * (2 * workers))
    few.map_batches(slowly, batch_format="pyarrow").materialize()
    run.started()
    # Ray makes one block of a small file, and one worker takes a block.
    rows = ray.data.read_parquet(run.file).repartition(4 * workers)
    count = rows.map_batches(labeller.arrow, batch_format="pyarrow", batch_size=BATCH).materialize().count()
    return count


def ray_8(run: Run) -> int:
    return ray(run, workers=8)


def spark(run: Run) -> int:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master(f"local[{run.threads}]").config("spark.ui.enabled", "false")
    session = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    labeller = labellers.opened(run.name, run.folder, 1)

    def label(batches: Any) -> Any:
        for batch in batches:
            yield labeller.plain(batch).select(["label", "confidence"])

    def count(rows: Any) -> int:
        labelled = rows.mapInArrow(label, "label string, confidence float")
        return sum(row["count"] for row in labelled.groupBy("label").count().collect())

    count(session.range(0, 8, 1, 2 * run.threads).selectExpr("cast(id AS string) AS text"))
    run.started()
    return count(session.read.parquet(run.file).select("text").repartition(4 * run.threads))


def datasets(run: Run) -> int:
    import datasets as library

    library.disable_progress_bars()
    rows = library.Dataset.from_parquet(run.file, cache_dir=run.folder).with_format("arrow")
    labeller = labellers.opened(run.name, run.folder, None)
    begin = labellers.Begin(run.notes, labeller)

    def label(batch: Any) -> Any:
        begin.note()
        return labeller.arrow(batch)

    run.started()
    return len(rows.map(label, batched=True, batch_size=BATCH, num_proc=run.threads, load_from_cache_file=False))


def datatrove(run: Run) -> int:
    import pyarrow.parquet
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import JsonlWriter
    from loguru import logger

    import filters

    logger.remove()
    folder = tempfile.mkdtemp(dir=run.folder)
    table = pyarrow.parquet.read_table(run.file)
    for part in range(run.threads):
        size = -(-table.num_rows // run.threads)
        pyarrow.parquet.write_table(table.slice(part * size, size), f"{folder}/{part}.parquet")
    if run.name in labellers.KINDS:
        label = filters.Rival(labellers.opened(run.name, run.folder, None), run.notes, BATCH)
    else:
        label = filters.Ours(run.name, run.notes, BATCH)
    run.started()
    steps = [ParquetReader(folder, glob_pattern="*.parquet"), label, JsonlWriter(f"{folder}/out", compression=None)]
    LocalPipelineExecutor(steps, tasks=run.threads, workers=run.threads, logging_dir=f"{folder}/logs").run()
    run.ended()
    return sum(sum(1 for _ in open(f"{folder}/out/{name}")) for name in os.listdir(f"{folder}/out"))


WAYS: Dict[str, Callable[[Run], int]] = {
    way.__name__: way for way in (command, arrow, texts, polars, duckdb, ray, ray_8, spark, datasets, datatrove)
}


def measured(way: str, file: str, name: str, threads: int) -> Dict[str, float]:
    """What a process says of a way through an engine."""
    arguments = [sys.executable, __file__, file, "--child", way, "--models", name, "--threads", str(threads)]
    # Workers of engines find the labellers there.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent), "HF_HUB_OFFLINE": "1"}
    # Ray's would give way to everything else, and no other engine's do.
    environment["RAY_worker_niceness"] = "0"
    # Spark takes the first `python3` of the path.
    environment["PYSPARK_PYTHON"] = sys.executable
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{way}, {name}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def written(texts: List[str], copies: int, folder: Path) -> str:
    """A Parquet file with so many copies of the texts."""
    import pyarrow
    import pyarrow.parquet

    folder.mkdir(exist_ok=True)
    rows = [f"{number} {text}" for number in range(copies) for text in texts]
    table = pyarrow.table({"id": [str(number) for number in range(len(rows))], "text": rows})
    pyarrow.parquet.write_table(table, folder / "rows.parquet", row_group_size=10_000)
    return str(folder / "rows.parquet")


def facts(options: argparse.Namespace) -> Dict[str, Any]:
    sys.path.insert(0, str(labellers.ROOT / "benches" / "rivals"))
    from engines import host

    found = host(str(Path(sys.executable).parent / "copydesk"), PACKAGES)
    found["versions"]["python"] = sys.version.split()[0]
    return {"host": found, "threads": options.threads, "batch": BATCH, "texts": Path(options.file).name}


def table(runs: List[Dict[str, Any]]) -> Iterator[str]:
    yield f"{'model':12} {'way':10} {'rows':>8} {'rows/s':>8} {'lowest':>8} {'highest':>8} {'start s':>8} {'CPU µs/row':>11} {'of command':>11} {'by CPU':>7}"
    found: Dict[Tuple[str, str], List[Dict[str, Any]]] = {}
    for run in runs:
        found.setdefault((run["model"], run["way"]), []).append(run)
    medians: Dict[Tuple[str, str], Tuple[float, float]] = {}
    for (model, way), results in found.items():
        rates = [result["rows"] / result["seconds"] for result in results]
        start, cpu = (statistics.median(result[key] for result in results) for key in ("start", "cpu"))
        rows, rate = results[0]["rows"], statistics.median(rates)
        medians[model, way] = (rate, cpu)
        line = f"{model:12} {way:10} {rows:8} {rate:8.0f} {min(rates):8.0f} {max(rates):8.0f} {start:8.2f} {cpu / rows * 1e6:11.0f}"
        whole = medians.get((model, "command"))
        yield line + (f" {rate / whole[0]:11.0%} {whole[1] / cpu:7.0%}" if whole else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--models", default="fast,nano")
    parser.add_argument("--rivals", default="fasttext,onnxruntime,nothing", help="with '' none")
    parser.add_argument("--ways", default=",".join(way for way in WAYS if way != "ray_8"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--most-rows", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--runs", type=Path, help="file for the raw answers, a JSON object a line")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run = Run(options.file, options.models, options.threads)
        rows = WAYS[options.child](run)
        return print("\n" + json.dumps(run.result(rows)))
    with open(options.file, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    rivals = list(filter(None, options.rivals.split(",")))
    first = facts(options)
    runs: List[Dict[str, Any]] = []
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        labellers.prepare(rivals, folder)
        files = {}
        for model in [*options.models.split(","), *rivals]:
            # A worker finds what was prepared beside its file.
            for path in folder.glob("*"):
                if path.is_file() or path.name == "copydesk":
                    (folder / model).mkdir(exist_ok=True)
                    (folder / model / path.name).symlink_to(path)
            file = written(texts, -(-3_000 // len(texts)), folder / model)
            tried = measured("arrow", file, model, options.threads)
            # Of the processor's time, which depends less than the clock on what else the machine does.
            rows = min(tried["rows"] / tried["cpu"] * options.threads * options.seconds, options.most_rows)
            files[model] = written(texts, int(rows / len(texts)) + 1, folder / model)
        raw = opened.enter_context(open(options.runs or os.devnull, "w"))
        print(json.dumps(first), file=raw, flush=True)
        for turn in range(options.turns):
            for model, file in files.items():
                for way in options.ways.split(","):
                    if way == "command" and model in rivals:
                        continue
                    result = measured(way, file, model, options.threads)
                    if result["rows"] % len(texts) or result["rows"] == 0:
                        sys.exit(f"{way}, {model}: rows are missing, got {result['rows']}")
                    runs.append({"model": model, "way": way, "turn": turn, **result, "load": os.getloadavg()[0]})
                    for out in (sys.stderr, raw):
                        print(json.dumps(runs[-1]), file=out, flush=True)
    print(json.dumps(first), *table(runs), sep="\n")


if __name__ == "__main__":
    main()
