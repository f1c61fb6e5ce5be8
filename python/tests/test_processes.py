"""Forks, spawned processes, threads, signals, memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, List

import pyarrow as pa
import pytest

from copydesk import Labeler


def confidences(labeler: Labeler, texts: List[str]) -> "tuple[List[float], int]":
    return [record.confidence for record in labeler.label_records(texts)], labeler.threads


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_every_kind(
    labeler: Labeler, texts: List[str], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = confidences(labeler, texts)
    monkeypatch.delenv("COPYDESK_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        for found, threads in pool.map(confidences, [labeler] * 4, [texts] * 4):
            # Each worker takes one thread, for there are others.
            assert (found, threads) == (expected, 1)


def test_a_fork_amid_the_work_of_another_thread(texts: List[str]) -> None:
    """The child shares no lock with the threads that were at work in its parent."""
    labeler = Labeler("fast", threads=2)
    expected, _ = confidences(labeler, texts[:20])
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            labeler.label_records(texts)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0 if confidences(labeler, texts[:20])[0] == expected else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


def test_a_pickle_is_a_name(labeler: Labeler) -> None:
    stored = pickle.dumps(Labeler("fast", threads=3, region="comment", furniture=False))
    assert len(stored) < 300
    again = pickle.loads(stored)
    assert (again.model, again.threads, again._key) == ("fast", 3, ("fast", "auto", "comment", False, False))


def test_threads_of_python_work_at_once(labeler: Labeler, texts: List[str]) -> None:
    expected, _ = confidences(labeler, texts)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found, _ in pool.map(lambda _: confidences(labeler, texts), range(8)))


def test_the_lock_is_free_while_texts_are_labelled(labeler: Labeler, texts: List[str]) -> None:
    thread = threading.Thread(target=labeler.label_records, args=(texts * 3,))
    ticks = 0
    thread.start()
    while thread.is_alive():
        ticks += 1
        time.sleep(0.001)
    # With the lock held there would be none between the first and the last.
    assert ticks > 10


LONG = """
import sys, time, threading, copydesk
labeler = copydesk.Labeler("base", threads=1)
texts = ["The council voted %d to 2 on Monday, and nobody who was there could say why it did so." % n for n in range(200_000)]
print("ready", flush=True)
try:
    CALL
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(labeler.label("I love it!")[0].label)
"""

CALLS = {
    "label_records": "labeler.label_records(texts)",
    "label": "labeler.label('\\n\\n'.join(texts))",
    "label_arrow": "import pyarrow; labeler.label_arrow(pyarrow.table({'text': texts}))",
    "polars": "import polars; labeler.label_arrow(polars.DataFrame({'text': texts}))",
    "spam": "labeler.spam(texts)",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_ctrl_c_ends_long_work(call: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", LONG.replace("CALL", call)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    out, _ = process.communicate(timeout=60)
    assert out == "interrupted\nopinion\n"
    assert time.monotonic() - begin < 30


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_memory_stays_flat(labeler: Labeler) -> None:
    batch = pa.record_batch({"text": [f"The vote was {number} to 2." for number in range(1000)]})

    def work(times: int) -> None:
        for _ in range(times):
            labeler.label_arrow(batch)
            labeler.label_arrow(pa.Table.from_batches([batch])).num_rows
            labeler.label_records(["I love it!"] * 100)
        gc.collect()

    work(5)
    before = resident()
    work(10)
    assert resident() - before < 20 * 1024 * 1024


def test_a_labeller_keeps_nothing_of_a_stream(labeler: Labeler) -> None:
    before = pa.total_allocated_bytes()
    stream: Any = labeler.label_arrow(pa.table({"text": ["a" * 100_000] * 10}))
    del stream
    gc.collect()
    assert pa.total_allocated_bytes() - before < 100_000
