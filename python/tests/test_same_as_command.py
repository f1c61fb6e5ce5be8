"""Labels and scores are the command's, by every way in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import command
from ways import compare

import copydesk


@pytest.mark.parametrize("model", ["nano", "fast", "auto"])
def test_rows(data: Path, model: str) -> None:
    assert len(compare(data / "labels.jsonl", model)) == 12


def test_paragraphs_of_pages(data: Path, labeler: copydesk.Labeler) -> None:
    pages = sorted((data / "pages").glob("*.txt"))
    done = command("label", "--quiet", "--model", "fast", "--with-text", *map(str, pages))
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    texts = [page.read_bytes().decode("utf-8") for page in pages]
    several = labeler.label_many(texts)
    assert several == [labeler.label(text) for text in texts]
    found = [(str(page), paragraph) for page, paragraphs in zip(pages, several) for paragraph in paragraphs]
    assert len(found) == len(expected) == 271
    marks = {str(page): len("\ufeff".encode()) if text.startswith("\ufeff") else 0 for page, text in zip(pages, texts)}
    for (page, paragraph), row in zip(found, expected):
        assert (page, paragraph.label, paragraph.text) == (row["doc"], row["label"], row["text"])
        assert (paragraph.byte_start, paragraph.byte_end) == (row["start"], row["end"]), marks[page]
        assert {name: round(score, 6) for name, score in paragraph.scores.items()} == pytest.approx(
            row["scores"], abs=1.1e-6
        )
        assert (paragraph.tokens, paragraph.windows, paragraph.lang) == (row["tokens"], row["windows"], row.get("lang"))
    for text, paragraphs in zip(texts, several):
        assert [text[paragraph.start : paragraph.end] for paragraph in paragraphs] == [
            paragraph.text for paragraph in paragraphs
        ]
        assert copydesk.split(text) == [(paragraph.start, paragraph.end) for paragraph in paragraphs]


def test_comments(data: Path, labeler: copydesk.Labeler) -> None:
    path = data / "comments.jsonl"
    done = command("filter", "--quiet", "--model", "fast", "--mark", "-", str(path))
    assert done.returncode == 0, done.stderr
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    comments = [json.loads(line) for line in path.read_text().splitlines()]
    judgements = labeler.spam(comments)
    assert [(j.spam, j.reason, j.lang) for j in judgements] == [
        (row["spam"], row["reason"], row.get("lang")) for row in expected
    ]
    assert [round(j.score, 6) for j in judgements] == pytest.approx([row["spam_score"] for row in expected], abs=1.1e-6)
    assert {j.spam for j in judgements} == {True, False}


def test_html(labeler: copydesk.Labeler, tmp_path: Path) -> None:
    page = (
        "<html><body><nav><a href=/>Home</a> <a href=/news>News</a></nav><article><h1>The weir &amp; the mill</h1>"
        "<p>The weir at Stonebeck was opened on <b>Monday</b> after two years of work, the council said.</p>"
        "<p>It looks dreadful, and I say so as somebody who pays for it. Ça suffit.</p></article></body></html>"
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    done = command("label", "--quiet", "--model", "fast", "--with-text", str(tmp_path / "page.html"))
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    blocks = labeler.label_html(page)
    assert [(b.label, b.text) for b in blocks] == [(row["label"], row["text"]) for row in expected]
    assert [len(page[: b.start].encode()) for b in blocks] == [row["start"] for row in expected]
    assert [round(b.content, 6) for b in blocks] == pytest.approx([row["content"] for row in expected], abs=1.1e-6)
    assert any(b.is_content for b in blocks) and page[blocks[-1].start : blocks[-1].end].startswith("It looks")
