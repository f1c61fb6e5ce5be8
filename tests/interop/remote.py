"""Objects in an S3 store and files behind HTTP, read by copydesk as the same files on a disk are.

    python3 tests/interop/remote.py target/debug/copydesk

Needs a build with the features `columnar` and `remote`, and moto, boto3 and pyarrow. Fails at the first difference.
"""

import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

BUCKET = "corpus"
TEXTS = [
    f"The council voted on item {number}, and the bridge is closed.\n\nI think that is a mistake, number {number}."
    for number in range(60)
]


def lines(texts):
    return "".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts)).encode()


def write_corpus(folder):
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(TEXTS[0])
    (folder / "b.jsonl").write_bytes(lines(TEXTS[1:20]))
    (folder / "deep" / "c.jsonl.gz").write_bytes(gzip.compress(lines(TEXTS[20:40])))
    (folder / "deep" / "with space, ä.jsonl").write_bytes(lines(TEXTS[40:45]))
    pq.write_table(pa.table({"id": list(range(15)), "text": TEXTS[45:]}), folder / "z.parquet")
    # Longer than one piece: the text that is labelled is short, the rest of each record is passed over.
    with open(folder / "long.jsonl", "w") as out:
        for number, text in enumerate(TEXTS[:10]):
            out.write(json.dumps({"text": text, "rest": chr(97 + number) * 1_000_000}) + "\n")


def run(binary, *arguments, environment=None, status=0):
    command = [binary, "label", "--quiet", "--model", "fast", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **(environment or {})}, timeout=300)
    assert done.returncode == status, (arguments, done.returncode, done.stderr.decode())
    return done


def rows(text, home):
    """Rows without the place that their sources are in."""
    found = [json.loads(line) for line in text.splitlines()]
    for row in found:
        for field in ("doc", "file"):
            if isinstance(row.get(field), str):
                row[field] = row[field].replace(home, "")
    return found


def check_store(binary, folder, endpoint):
    local = folder / "in"
    home, remote = f"{local}/", f"s3://{BUCKET}/in/"
    signed = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
    expected = rows(run(binary, "--with-source", local).stdout, home)
    assert len(expected) > 100, len(expected)
    for name in (remote, remote.rstrip("/")):
        found = rows(run(binary, "--with-source", name, environment=signed).stdout, remote)
        assert found == expected, (name, len(found), len(expected))

    one = rows(run(binary, f"{remote}deep/c.jsonl.gz", environment=signed).stdout, f"{remote}deep/")
    assert one == rows(run(binary, local / "deep" / "c.jsonl.gz").stdout, f"{local}/deep/"), one[:2]

    # Records of Parquet keep their columns with their types.
    for place, environment in ((home, None), (remote, signed)):
        out = folder / ("local.parquet" if environment is None else "remote.parquet")
        run(binary, "--unit", "record", f"{place}z.parquet", "-o", out, environment=environment)
    here, there = pq.read_table(folder / "local.parquet"), pq.read_table(folder / "remote.parquet")
    assert here.schema.names == there.schema.names and here.schema.types == there.schema.types, there.schema
    assert here.column("text") == there.column("text")

    parts = []
    for part in range(3):
        arguments = ("--shard", f"{part}/3", "--resume", "--hash-inputs", remote, "-o", folder / "rows.jsonl")
        run(binary, *arguments, environment=signed)
        # Finished already.
        run(binary, *arguments, environment=signed)
        parts.append((folder / f"rows-{part:05}-of-00003.jsonl").read_bytes())
    # The long file is one part with what stands before it.
    assert sum(map(bool, parts)) == 2, [len(part) for part in parts]
    assert b"".join(parts) == run(binary, remote, environment=signed).stdout

    run(binary, remote, "--output-dir", folder / "out", environment=signed)
    written = sorted(str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.jsonl*"))
    assert "deep/c.jsonl.gz" in written and "a.txt.jsonl" in written, written

    def message(*arguments, environment, status=2):
        return run(binary, *arguments, environment=environment, status=status).stderr.decode()

    said = message(f"s3://{BUCKET}/nothing", environment=signed)
    assert "there is no such object" in said, said
    said = message("s3://missing-bucket/x/", environment=signed)
    assert "there is no bucket `missing-bucket`" in said, said
    said = message(remote, "-o", f"s3://{BUCKET}/rows.jsonl", environment=signed, status=2)
    assert "outputs are files" in said, said
    # No machine of Amazon's is behind this port.
    nobody = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
    }
    said = message(remote, environment=nobody)
    assert "no credentials were found" in said and "AWS_ACCESS_KEY_ID" in said, said
    assert run(binary, remote, environment={**nobody, "AWS_SKIP_SIGNATURE": "true"}).stdout
    print(f"{len(expected)} rows from a store are those of the files")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def check_http(binary, folder):
    """The server of Python's library gives no parts of a file."""
    local = folder / "in"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(local))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        for name in ("a.txt", "b.jsonl", "deep/c.jsonl.gz", "long.jsonl", "z.parquet"):
            found = rows(run(binary, f"{home}{name}").stdout, home)
            assert found == rows(run(binary, local / name).stdout, f"{local}/"), name
        said = run(binary, f"{home}missing.txt", status=2).stderr.decode()
        assert "there is no such object" in said, said
        server.shutdown()
    print("files behind HTTP are read as those on a disk")


def main():
    binary = sys.argv[1]
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_corpus(folder / "in")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        try:
            host, port = server.get_host_and_port()
            endpoint = f"http://{host}:{port}"
            client = boto3.client(
                "s3",
                endpoint_url=endpoint,
                aws_access_key_id="key",
                aws_secret_access_key="secret",
                region_name="us-east-1",
            )
            client.create_bucket(Bucket=BUCKET)
            for path in sorted((folder / "in").rglob("*")):
                if path.is_file():
                    key = str(path.relative_to(folder))
                    client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes(), ACL="public-read")
            client.put_object(Bucket=BUCKET, Key="in/deep/", Body=b"")
            client.put_object(Bucket=BUCKET, Key="in/.hidden.txt", Body=b"Nobody reads this.")
            check_store(binary, folder, endpoint)
        finally:
            server.stop()
        check_http(binary, folder)


if __name__ == "__main__":
    main()
