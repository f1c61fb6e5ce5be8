"""Models of the Hugging Face hub, fetched from a hub that the test itself is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

import copydesk

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ("config.json", "copydesk.json", "tokenizer.json", "model.safetensors")
TEXT = "The council voted 7 to 2 on Monday."

LABEL = f"""
import copydesk, sys
labeler = copydesk.Labeler(sys.argv[1])
print(labeler.label({TEXT!r})[0].scores)
"""


@pytest.fixture
def hub(data: Path) -> Iterator[Tuple[str, List[str]]]:
    """Address of a hub that has `nano` as `some/nano`, and the paths that it was asked for."""
    asked: List[str] = []
    folder = data.parent / "models" / "nano"

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.wfile.write(self.answer())

        def answer(self) -> bytes:
            asked.append(f"{self.command} {self.path}")
            repository, _, rest = self.path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            if repository != "/some/nano" or revision not in ("main", COMMIT) or name not in FILES:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound" if repository == "/some/nano" else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return b""
            content = (folder / name).read_bytes()
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            return content

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def label(model: str, endpoint: str, cache: Path) -> "subprocess.CompletedProcess[str]":
    """Labels in a process of its own, because the place of the cache is read from the environment."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_CACHE": str(cache)}
    return subprocess.run([sys.executable, "-c", LABEL, model], env=environment, capture_output=True, text=True)


def test_a_model_of_the_hub_answers_as_its_folder_does(hub: Tuple[str, List[str]], tmp_path: Path) -> None:
    endpoint, asked = hub
    first = label("hf:some/nano", endpoint, tmp_path)
    expected = copydesk.Labeler("nano").label(TEXT)[0].scores
    assert first.stdout == f"{expected}\n", first.stderr
    assert sum(request.startswith("GET") for request in asked) == len(FILES)
    asked.clear()
    # A commit means the same for ever, so nothing is asked.
    assert label(f"hf:some/nano@{COMMIT}", endpoint, tmp_path).stdout == first.stdout
    assert asked == []


def test_what_the_hub_does_not_have_is_a_model_error(hub: Tuple[str, List[str]], tmp_path: Path) -> None:
    result = label("hf:some/other", hub[0], tmp_path)
    assert result.returncode == 1 and result.stdout == ""
    assert "ModelError" in result.stderr and "some/other" in result.stderr
