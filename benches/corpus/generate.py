#!/usr/bin/env python3
"""Writes a corpus of invented text, the same documents in each of many formats.

    python3 benches/corpus/generate.py --format jsonl.gz --bytes 1e9 --out corpus

writes `corpus/jsonl.gz/part-00000.jsonl.gz`. `--files N` divides the documents over N files. `text`, `markdown` and `html` are
one small file for each document; `one-text` is all of it as one running text. `records` has a record for each paragraph. `parquet` and `arrow` need pyarrow;
everything else is the standard library's. `--bytes` counts UTF-8 bytes of text, so that all formats hold the same documents. Writing
streams: memory does not grow with the size.
"""

import argparse
import gzip
import hashlib
import html
import json
import random
import sys
import time
import zlib
from datetime import datetime, timedelta
from email.header import Header
from pathlib import Path

import grammar

POOL = 40_000
AUTHORS = 2_000
SITES = ["gazette", "courier", "herald", "observer", "tribune", "post", "echo", "mercury", "argus", "chronicle"]
START = datetime(2019, 1, 1)


class Document:
    """Paragraphs as indices into the pool; the first is the headline, the second tells the document's number."""

    __slots__ = ("number", "id", "url", "author", "date", "headline", "byline", "body")

    def __init__(self, number: int, draw: random.Random, authors: list[str], headlines: list[str]):
        self.number = number
        self.id = f"doc-{number:08}"
        self.url = f"https://www.{SITES[number % len(SITES)]}.example/{2019 + number % 8}/{self.id}.html"
        self.author = authors[int(draw.random() * AUTHORS)]
        self.date = START + timedelta(minutes=number * 7 % 4_000_000)
        self.headline = headlines[int(draw.random() * len(headlines))]
        self.byline = f"By {self.author}, {self.date:%d %B %Y}, article {number}"
        # A few documents are long, as on the web.
        count = int(draw.expovariate(1 / 14)) + 3 if draw.random() < 0.97 else 60 + int(draw.random() * 120)
        self.body = [int(draw.random() * POOL) for _ in range(count)]


class Corpus:
    """The documents of a seed, in order, and each paragraph of the pool as a format writes it."""

    def __init__(self, seed: int):
        self.seed = seed
        self.texts = grammar.pool(seed, POOL)
        self.lengths = [len(text.encode()) for text in self.texts]
        self.escape_as(plain)
        draw = random.Random(seed + 1)
        self.headlines = [text for text in (grammar.sentence("reporting", draw).rstrip(".") for _ in range(6000)) if len(text) < 75]
        self.authors = grammar.names(seed + 2, AUTHORS)

    def escape_as(self, escape) -> None:
        self.escape = escape
        self.pool = [escape(text) for text in self.texts]

    def documents(self, size: int):
        draw = random.Random(self.seed + 3)
        written, number = 0, 0
        while written < size:
            document = Document(number, draw, self.authors, self.headlines)
            lengths = self.lengths
            written += sum(lengths[i] + 2 for i in document.body) + len(document.headline.encode()) + len(document.byline.encode()) + 4
            number += 1
            yield document

    def paragraphs(self, document: Document) -> list[str]:
        pool, escape = self.pool, self.escape
        return [escape(document.headline), escape(document.byline), *[pool[i] for i in document.body]]


def plain(text: str) -> str:
    return text


def json_escape(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def csv_escape(text: str) -> str:
    return text.replace('"', '""')


def html_escape(text: str) -> str:
    return html.escape(text, quote=False)


class Parts:
    """Turns of documents over N files, opened one after the other."""

    def __init__(self, folder: Path, extension: str, count: int, size: int, compress: bool, level: int):
        self.folder, self.extension, self.count, self.compress, self.level = folder, extension, count, compress, level
        self.share, self.written, self.part, self.file = max(1, size // count), 0, -1, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.file:
            self.file.close()

    def open(self) -> bool:
        """Goes on to the next file where this one has its share; tells whether it did."""
        if self.file and (self.written < self.share or self.part + 1 == self.count):
            return False
        if self.file:
            self.file.close()
        self.part, self.written = self.part + 1, 0
        path = self.folder / f"part-{self.part:05}.{self.extension}"
        if self.compress:
            self.file = gzip.GzipFile(path, "wb", compresslevel=self.level, mtime=0)
        else:
            self.file = open(path, "wb", buffering=1 << 20)
        return True

    def write(self, data: bytes, text_bytes: int) -> None:
        self.file.write(data)
        self.written += text_bytes


def page_html(corpus: Corpus, document: Document) -> str:
    headline, *rest = corpus.paragraphs(document)
    body = "</p>\n<p>".join(rest)
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{headline}</title>\n'
            f'<meta name="author" content="{html.escape(document.author)}">\n<style>p {{ max-width: 40em }}</style>\n'
            f'<script>var page = {{"id": "{document.id}"}};</script>\n</head>\n<body>\n<article>\n'
            f"<h1>{headline}</h1>\n<p>{body}</p>\n</article>\n</body>\n</html>\n")


def folder_of(root: Path, document: Document) -> Path:
    """1,000 files a folder."""
    folder = root / f"{document.number // 1000:05}"
    if document.number % 1000 == 0:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_small_files(corpus: Corpus, options, folder: Path, extension: str, render) -> None:
    for document in corpus.documents(options.bytes):
        path = folder_of(folder, document) / f"{document.id}.{extension}"
        with open(path, "wb", buffering=0) as file:
            file.write(render(corpus, document).encode())


def text_page(corpus: Corpus, document: Document) -> str:
    return "\n\n".join(corpus.paragraphs(document)) + "\n"


def markdown_page(corpus: Corpus, document: Document) -> str:
    return "# " + text_page(corpus, document)


def write_one_text(corpus: Corpus, options, folder: Path) -> None:
    with Parts(folder, "txt", options.files, options.bytes, False, 0) as parts:
        for document in corpus.documents(options.bytes):
            parts.open()
            data = (text_page(corpus, document) + "\n").encode()
            parts.write(data, len(data))


def json_row(corpus: Corpus, document: Document) -> str:
    text = "\\n\\n".join(corpus.paragraphs(document))
    return (f'{{"id": "{document.id}", "text": "{text}", "source": "invented", "url": "{document.url}", '
            f'"author": "{document.author}", "created": "{document.date:%Y-%m-%dT%H:%M:%SZ}"}}\n')


def record_rows(corpus: Corpus, document: Document) -> str:
    return "".join(f'{{"doc": "{document.id}", "paragraph": {n}, "text": "{text}"}}\n'
                   for n, text in enumerate(corpus.paragraphs(document)))


def csv_row(corpus: Corpus, document: Document) -> str:
    text = "\n\n".join(corpus.paragraphs(document))
    return f'{document.id},{document.url},"{document.author}",{document.date:%Y-%m-%d},"{text}"\r\n'


def mail_message(corpus: Corpus, document: Document) -> str:
    body = "\n\n".join(corpus.paragraphs(document)).replace("\nFrom ", "\n>From ")
    author = Header(document.author, "utf-8").encode() if not document.author.isascii() else document.author
    subject = document.headline if document.headline.isascii() else Header(document.headline, "utf-8").encode()
    return (f"From list@www.example {document.date:%a %b %d %H:%M:%S %Y}\nMessage-ID: <{document.id}@www.example>\n"
            f"Date: {document.date:%a, %d %b %Y %H:%M:%S} +0000\nFrom: {author} <list@www.example>\nTo: <readers@www.example>\n"
            f"Subject: {subject}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
            f"{body}\n\n")


def write_rows(corpus: Corpus, options, folder: Path, extension: str, render, head: str = "") -> None:
    compress = extension.endswith(".gz")
    with Parts(folder, extension, options.files, options.bytes, compress, options.level) as parts:
        for document in corpus.documents(options.bytes):
            if parts.open() and head:
                parts.write(head.encode(), 0)
            data = render(corpus, document).encode()
            parts.write(data, len(data))


def uuid_of(document: Document) -> str:
    digest = hashlib.md5(document.id.encode()).hexdigest()
    return f"<urn:uuid:{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}>"


def member(data: bytes, level: int) -> bytes:
    """One member of gzip for each record, as archives have it."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def warc_record(kind: str, document: Document, extra: str, body: bytes) -> bytes:
    head = (f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {document.url}\r\nWARC-Date: {document.date:%Y-%m-%dT%H:%M:%SZ}\r\n"
            f"WARC-Record-ID: {uuid_of(document)}\r\n{extra}Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body + b"\r\n\r\n"


def archive_info(name: str) -> bytes:
    body = b"software: benches/corpus/generate.py\r\nformat: WARC File Format 1.0\r\n"
    return (f"WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Filename: {name}\r\n"
            f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000000>\r\nContent-Type: application/warc-fields\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body + b"\r\n\r\n"


def warc_page(corpus: Corpus, document: Document) -> bytes:
    page = page_html(corpus, document).encode()
    answer = (f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n\r\n").encode() + page
    return warc_record("response", document, "Content-Type: application/http; msgtype=response\r\n", answer)


def wet_text(corpus: Corpus, document: Document) -> bytes:
    """A line for each block, as in the WET files of Common Crawl."""
    text = "\n".join(corpus.paragraphs(document)).encode()
    return warc_record("conversion", document, "Content-Type: text/plain\r\nWARC-Identified-Content-Language: eng\r\n", text)


def write_archive(corpus: Corpus, options, folder: Path, extension: str, render) -> None:
    with Parts(folder, extension, options.files, options.bytes, False, 0) as parts:
        for document in corpus.documents(options.bytes):
            if parts.open():
                parts.write(member(archive_info(f"part-{parts.part:05}.{extension}"), options.level), 0)
            data = render(corpus, document)
            parts.write(member(data, options.level), len(data))


def write_columns(corpus: Corpus, options, folder: Path, extension: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("url", pa.string()), ("author", pa.string()), ("date", pa.timestamp("s", "UTC")),
                        ("text", pa.string())])
    writer, rows, part, written, share = None, [], -1, 0, max(1, options.bytes // options.files)

    def flush():
        columns = list(zip(*rows))
        writer.write_table(pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema)], schema=schema))
        rows.clear()

    for document in corpus.documents(options.bytes):
        if writer is None or (written >= share and part + 1 < options.files):
            if rows:
                flush()
            if writer:
                writer.close()
            part, written = part + 1, 0
            path = str(folder / f"part-{part:05}.{extension}")
            writer = pq.ParquetWriter(path, schema, compression="zstd") if extension == "parquet" else pa.ipc.new_file(path, schema)
        text = "\n\n".join(corpus.paragraphs(document))
        written += len(text)
        rows.append((document.id, document.url, document.author, document.date, text))
        if len(rows) == 5000:
            flush()
    if rows:
        flush()
    if writer:
        writer.close()


FORMATS = {
    "text": (plain, lambda c, o, f: write_small_files(c, o, f, "txt", text_page)),
    "one-text": (plain, write_one_text),
    "markdown": (plain, lambda c, o, f: write_small_files(c, o, f, "md", markdown_page)),
    "html": (html_escape, lambda c, o, f: write_small_files(c, o, f, "html", page_html)),
    "jsonl": (json_escape, lambda c, o, f: write_rows(c, o, f, "jsonl", json_row)),
    "jsonl.gz": (json_escape, lambda c, o, f: write_rows(c, o, f, "jsonl.gz", json_row)),
    "csv": (csv_escape, lambda c, o, f: write_rows(c, o, f, "csv", csv_row, "id,url,author,date,text\r\n")),
    "parquet": (plain, lambda c, o, f: write_columns(c, o, f, "parquet")),
    "arrow": (plain, lambda c, o, f: write_columns(c, o, f, "arrow")),
    "warc.gz": (html_escape, lambda c, o, f: write_archive(c, o, f, "warc.gz", warc_page)),
    "wet.gz": (plain, lambda c, o, f: write_archive(c, o, f, "warc.wet.gz", wet_text)),
    "mbox": (plain, lambda c, o, f: write_rows(c, o, f, "mbox", mail_message)),
    "records": (json_escape, lambda c, o, f: write_rows(c, o, f, "jsonl", record_rows)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", action="append", choices=list(FORMATS), help="may be given several times [default: all]")
    parser.add_argument("--bytes", type=lambda text: int(float(text)), default=10_000_000, help="bytes of text [default: 10 million]")
    parser.add_argument("--files", type=int, default=1, help="files to divide the documents over [default: 1]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--level", type=int, default=1, help="level of gzip, 1 to 9 [default: 1]")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets a folder for each format")
    options = parser.parse_args()
    corpus = Corpus(options.seed)
    for name in options.format or FORMATS:
        escape, write = FORMATS[name]
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        corpus.escape_as(escape)
        write(corpus, options, folder)
        seconds = time.monotonic() - started
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{name}: {options.bytes / 1e6:.0f} MB of text, {size / 1e6:.0f} MB in files, {seconds:.1f} s, "
              f"{options.bytes / 1e6 / seconds:.0f} MB/s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
