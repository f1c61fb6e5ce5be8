"""Archives, mail and documents written by other programs read by copydesk, and rows of copydesk read by datatrove.

    python3 tests/interop/others.py target/release/copydesk

Needs a build with the feature `columnar`, and warcio, datatrove and pyarrow. Prints counts; fails at the first difference.
"""

import csv
import gzip
import io
import json
import mailbox
import subprocess
import sys
import tempfile
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

COUNT = 40
TEXTS = [
    f"The council voted on item {number}, and the bridge is closed — for “now”.\n\nI think that is a mistake, number {number}."
    for number in range(COUNT)
]


def label(binary, *arguments):
    done = subprocess.run([binary, "label", "--quiet", "--model", "fast", *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def expect(rows, what, docs=None):
    """Two paragraphs of each text, with the text's words, in order."""
    assert len(rows) == 2 * COUNT, (what, len(rows))
    for number, row in enumerate(rows):
        assert row["paragraph"] == number % 2, (what, row)
        expected = TEXTS[number // 2].split("\n\n")[number % 2]
        assert row["text"] == expected, (what, row["text"], expected)
        if docs:
            assert row["doc"] == docs[number // 2], (what, row["doc"])


def write_warc(path, conversion):
    with open(path, "wb") as out:
        writer = WARCWriter(out, gzip=path.suffix == ".gz")
        info = writer.create_warcinfo_record(path.name, {"software": "a test"})
        writer.write_record(info)
        for number, text in enumerate(TEXTS):
            address = f"https://site.example/{number}"
            if conversion:
                record = writer.create_warc_record(
                    address, "conversion", payload=io.BytesIO(text.encode()), warc_content_type="text/plain"
                )
                writer.write_record(record)
                continue
            request = StatusAndHeaders(f"GET /{number} HTTP/1.1", [("Host", "site.example")], is_http_request=True)
            writer.write_record(writer.create_warc_record(address, "request", http_headers=request))
            paragraphs = "".join(f"<p>{paragraph}</p>\n" for paragraph in text.split("\n\n"))
            page = f"<!DOCTYPE html><html><body><article>{paragraphs}</article></body></html>".encode()
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(address, "response", payload=io.BytesIO(page), http_headers=headers)
            )


def check_archives(binary, folder):
    addresses = [f"https://site.example/{number}" for number in range(COUNT)]
    for name, conversion in [("a.warc", False), ("a.warc.gz", False), ("a.warc.wet.gz", True)]:
        write_warc(folder / name, conversion)
        rows = label(binary, "--with-text", "--keep-fields", "url", folder / name)
        expect(rows, name)
        assert [row["url"] for row in rows[::2]] == addresses, name
    print("read: 3 archives of warcio")


def check_mail_and_tables(binary, folder):
    box = mailbox.mbox(folder / "list.mbox")
    for number, text in enumerate(TEXTS):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "ann@site.example", "list@site.example", "Über die Brücke"
        message["Message-ID"] = f"<{number}@site.example>"
        message.set_content(text, cte=["quoted-printable", "base64", "8bit"][number % 3])
        box.add(message)
    box.flush()
    rows = label(binary, "--with-text", folder / "list.mbox")
    expect(rows, "mbox", [f"{number}@site.example" for number in range(COUNT)])
    for name, delimiter in [("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")]:
        with open(folder / name, "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, delimiter=delimiter)
            writer.writerow(["id", "author", "body"])
            writer.writerows([f"r{number}", 'Ann "A." Lee', text] for number, text in enumerate(TEXTS))
        rows = label(binary, "--with-text", "--text-column", "body", folder / name)
        expect(rows, name, [f"r{number}" for number in range(COUNT)])
    print("read: 1 mailbox and 3 tables of Python")


def check_dolma(binary, folder):
    documents = folder / "documents" / "part"
    documents.mkdir(parents=True)
    with gzip.open(documents / "0000.jsonl.gz", "wt", encoding="utf-8") as out:
        for number, text in enumerate(TEXTS):
            out.write(json.dumps({"id": f"d{number}", "source": "test", "text": text}, ensure_ascii=False) + "\n")
    label(binary, "--attributes", "desk", folder / "documents")
    with gzip.open(folder / "attributes" / "desk" / "part" / "0000.jsonl.gz", "rt", encoding="utf-8") as rows:
        rows = [json.loads(row) for row in rows]
    assert [row["id"] for row in rows] == [f"d{number}" for number in range(COUNT)]
    for row, text in zip(rows, TEXTS):
        spans = sorted(tuple(span) for spans in row["attributes"].values() for span in spans)
        # Dolma's offsets are those of Python's strings.
        assert [text[start:end] for start, end, _ in spans] == text.split("\n\n"), (row, text)
        assert all(0 < score <= 1 for _, _, score in spans)
    print(f"written: attributes of {len(rows)} documents, with offsets as Python counts them")


def check_partitions(binary, folder):
    """Attributes of Parquet documents: partitioned as these are, row by row."""
    documents = folder / "lake" / "documents"
    documents.mkdir(parents=True)
    ids = [number * 3 for number in range(COUNT)]
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), "text": TEXTS}), documents / "00.parquet", row_group_size=7)
    label(binary, "--attributes", "desk", documents)
    table = pq.read_table(folder / "lake" / "attributes" / "desk" / "00.parquet")
    assert table.schema.names == ["id", "attributes"] and table.schema.field("id").type == pa.int64()
    assert table["id"].to_pylist() == ids
    for attributes, text in zip(table["attributes"].to_pylist(), TEXTS):
        spans = sorted(tuple(span) for spans in attributes.values() for span in spans)
        assert [text[int(start) : int(end)] for start, end, _ in spans] == text.split("\n\n")
    print(f"written: a partition of attributes with {table.num_rows} rows")


def check_datatrove(binary, folder):
    given = folder / "given"
    with JsonlWriter(str(given), output_filename="docs.jsonl.gz", compression="gzip") as writer:
        for number, text in enumerate(TEXTS):
            writer.write(Document(text=text, id=f"d{number}", metadata={"site": "a"}))
    out = folder / "judged"
    label(binary, "--unit", "record", "--output-dir", out, given)
    documents = list(JsonlReader(str(out), glob_pattern="*.jsonl.gz").run())
    assert [document.text for document in documents] == TEXTS
    assert all(document.metadata["label"] for document in documents), documents[0]
    print(f"datatrove: wrote {len(TEXTS)} documents, read {len(documents)} rows")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_archives, check_mail_and_tables, check_dolma, check_partitions, check_datatrove):
            check(sys.argv[1], Path(folder))
