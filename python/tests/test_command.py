"""The command that comes with the package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

SCRIPT = str(Path(sys.executable).parent / "copydesk")


@pytest.fixture(params=["script", "module"])
def start(request: pytest.FixtureRequest) -> List[str]:
    return [SCRIPT] if request.param == "script" else [sys.executable, "-m", "copydesk"]


def test_it_labels(start: List[str], data: Path) -> None:
    done = subprocess.run([*start, "label", "--model", "fast", str(data / "pages")], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 271


def test_exit_status_and_messages(start: List[str], tmp_path: Path) -> None:
    assert subprocess.run([*start, "--version"], capture_output=True, text=True).stdout.startswith("copydesk ")
    wrong = subprocess.run([*start, "labels"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "labels" in wrong.stderr
    absent = subprocess.run([*start, "label", str(tmp_path / "absent.txt")], capture_output=True, text=True)
    assert absent.returncode == 2 and absent.stderr.startswith("copydesk: ")
    help_ = subprocess.run([*start, "help", "label"], capture_output=True, text=True)
    assert help_.returncode == 0 and "--model" in help_.stdout


def test_tables_are_read_and_written(start: List[str], data: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "rows.parquet")
    done = subprocess.run(
        [*start, "label", "--quiet", "--model", "fast", str(data / "comments.jsonl"), "-o", out], capture_output=True
    )
    assert done.returncode == 0, done.stderr
    again = subprocess.run([*start, "stats", out], capture_output=True, text=True)
    assert again.returncode == 0 and "comment_spam" in again.stdout


@pytest.mark.parametrize("closed", [">&-", "<&-", "<&- >&-", "2>&-"])
def test_closed_streams(start: List[str], data: Path, closed: str) -> None:
    page = data / "pages" / "cup-tie-report.txt"
    to_read = "" if "<" in closed else str(page)
    line = " ".join([*start, "label", "--quiet", "--model", "fast", to_read, closed])
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if closed == "2>&-":
        assert done.returncode == 0 and done.stdout.count("\n") > 5
    else:
        assert done.returncode == 2 and "closed" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_that_goes_away(start: List[str], data: Path) -> None:
    line = " ".join([*start, "label", "--model", "fast", str(data / "pages"), "|", "head", "-n", "1"])
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("\n") == 1 and not done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it(start: List[str], number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    process = subprocess.Popen(
        [*start, "label", "--model", "fast", "-o", str(out)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write("The council voted on Monday.\n\n" * 10)
    process.stdin.flush()
    time.sleep(1.5)
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    assert "Traceback" not in process.stderr.read() and not out.exists()


def test_what_was_ignored_stays_ignored(start: List[str], data: Path) -> None:
    """As `nohup` and a shell's background jobs have it."""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = subprocess.Popen(
        [*start, "label", "--quiet", "--model", "base", str(data / "pages")], stdout=subprocess.PIPE, preexec_fn=ignore
    )
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and out.count(b"\n") == 271
