"""What the checks with real clients share: installing, a server to ask, and a table of what was seen."""

import argparse
import atexit
import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THANKS = "Thanks for making the web a better place."

SPAM = (
    "Cheap replica watches and designer bags, 80% off today only!!! Order now with free worldwide shipping at "
    "http://replica-watch-outlet.example/buy and http://discount-bags.example/sale - best price guaranteed, click here"
)
GENUINE = (
    "I tried the same with rye instead of wheat, and the dough needed almost twice as long to rise. Did you leave yours "
    "in the kitchen over night, or in the cellar where it is cooler?"
)


class Table:
    """Checks in their order. It prints itself, and its end is the exit status."""

    def __init__(self, title):
        self.title, self.rows = title, []

    def check(self, what, good, seen=""):
        self.rows.append((what, bool(good), str(seen)))
        print(f"{'ok  ' if good else 'FAIL'}  {what}: {short(str(seen))}", flush=True)
        return bool(good)

    def finish(self):
        width = max(len(what) for what, _, _ in self.rows)
        print(f"\n{self.title}\n")
        print(f"| {'check':{width}} | result | seen |\n|{'-' * (width + 2)}|--------|------|")
        for what, good, seen in self.rows:
            print(f"| {what:{width}} | {'ok' if good else 'FAIL':6} | {short(seen)} |")
        failed = sum(not good for _, good, _ in self.rows)
        print(f"\n{len(self.rows) - failed} of {len(self.rows)} checks passed")
        sys.exit(1 if failed or not self.rows else 0)


def short(text, length=110):
    text = " ".join(text.split()).replace("|", "/")
    return text if len(text) <= length else text[: length - 1] + "…"


def arguments(description, **more):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = os.environ.get("COPYDESK", str(ROOT / "target" / "release" / "copydesk"))
    parser.add_argument("--copydesk", default=built, help="the built command, with the feature `serve` [default: %(default)s]")
    for name, options in more.items():
        parser.add_argument("--" + name.replace("_", "-"), **options)
    found = parser.parse_args()
    found.copydesk = shutil.which(found.copydesk) or sys.exit(f"{found.copydesk} is no program; build it, or name it with --copydesk")
    return found


def install(*packages):
    """Packages of Debian, those that are missing."""
    missing = [name for name in packages if run(["dpkg", "-s", name], check=False).returncode]
    if missing:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], env=quiet)
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env=quiet)


def run(command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def environment(folder, *packages):
    """A virtual environment of Python with these packages; gives its interpreter."""
    python = folder / "venv" / "bin" / "python"
    run([sys.executable, "-m", "venv", folder / "venv"])
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    return python


def temporary_folder():
    folder = Path(tempfile.mkdtemp(prefix="copydesk-clients-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(command, **options):
    """A process that ends with this one."""
    process = subprocess.Popen(command, **options)
    atexit.register(stop, process)
    return process


def stop(process, how=signal.SIGTERM, patience=20):
    if process.poll() is None:
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return process.returncode
        process.kill()
    return process.wait()


def wait_for_port(port, process=None, patience=60):
    """Seconds until something listens."""
    begin = time.monotonic()
    while time.monotonic() - begin < patience:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return time.monotonic() - begin
        if process is not None and process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with status {process.returncode} before it listened on port {port}")
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port} after {patience} s")


class Server:
    """`copydesk serve` with a key, a file of feedback, and a port of its own."""

    def __init__(self, program, folder, *options, key=True, store=True, port=None):
        self.program, self.folder, self.options = program, folder, options
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        self.files, self.key = [], None
        flag = "--store"
        self.remembers = store and flag in run([program, "serve", "--help"], check=False).stdout
        if self.remembers:
            self.files += [flag, str(folder / "feedback.sqlite")]
        if key:
            keys = ["--keys", str(folder / "keys")]
            printed = run([program, "serve", "keys", "add", "blog-" + secrets.token_hex(3), *keys]).stdout
            self.key = printed.split()[-1]
            self.files += keys
        self.process = None
        self.start()

    def start(self):
        command = [self.program, "serve", "--listen", f"127.0.0.1:{self.port}", *self.files, *self.options]
        with open(self.log, "ab") as log:
            self.process = start(command, stdout=log, stderr=log)
        return wait_for_port(self.port, self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        return stop(self.process)

    def memory(self):
        """Resident MiB."""
        return pages(self.process.pid)

    def post(self, path, fields, timeout=15, headers=None, host=None):
        """Status, headers in small letters, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        body = urllib.parse.urlencode(fields).encode()
        head = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {}), **({"Host": host} if host else {})}
        try:
            connection.request("POST", path, body, head)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def get(self, path, timeout=15):
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"X-Api-Key": self.key or "none"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def comment(self, text, **more):
        """The fields of a comment."""
        return {
            "api_key": self.key or "none", "blog": "http://blog.example/", "user_ip": "192.0.2.7", "comment_type": "comment",
            "comment_content": text, **more,
        }


def pages(process):
    """Resident MiB of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
