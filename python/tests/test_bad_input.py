"""What is no text, and what is hardly one: a right answer or a clear exception."""

from __future__ import annotations

import random
from typing import Any, Callable

import pytest

import copydesk
from copydesk import InputError, Labeler, NotTextError, fasttext_like

HALF = "Half a duck: \ud83e and on."

ONE = [
    ("label", lambda labeler, text: labeler.label(text)),
    ("label_html", lambda labeler, text: labeler.label_html(text)),
    ("split", lambda labeler, text: copydesk.split(text)),
]
MANY = [
    ("label_many", lambda labeler, text: labeler.label_many(["Hello.", text])),
    ("label_records", lambda labeler, text: labeler.label_records(["Hello.", text])),
    ("pages", lambda labeler, text: labeler.pages([["Hello."], ["Hello.", text]])),
    ("spam", lambda labeler, text: labeler.spam(["Hello.", text])),
    ("spam of a dict", lambda labeler, text: labeler.spam([{"text": "Hello."}, {"text": text}])),
    ("fasttext_like", lambda labeler, text: fasttext_like.load_model("fast").predict(["Hello.", text])),
]


@pytest.mark.parametrize("call", [call for _, call in ONE + MANY], ids=[name for name, _ in ONE + MANY])
@pytest.mark.parametrize("text", [None, b"Hello.", 7, 1.5, ["Hello."], object()], ids=lambda text: type(text).__name__)
def test_what_is_no_text_is_a_type_error(labeler: Labeler, call: Callable[..., Any], text: Any) -> None:
    with pytest.raises(NotTextError) as caught:
        call(labeler, text)
    assert isinstance(caught.value, TypeError)


def test_messages_say_where_and_what(labeler: Labeler) -> None:
    with pytest.raises(NotTextError, match="text 2: expected str, got NoneType"):
        labeler.label_records(["a", "b", None])  # type: ignore[list-item]
    with pytest.raises(NotTextError, match=r"text: expected str, got bytes; decode it first: \.decode\(\)"):
        labeler.label(b"a")  # type: ignore[arg-type]
    with pytest.raises(NotTextError, match="expected a list of texts, got one; put it in brackets"):
        labeler.label_many("Hello.")
    with pytest.raises(NotTextError, match="expected a list of comments, got one"):
        labeler.spam({"text": "Hello."})  # type: ignore[arg-type]
    with pytest.raises(NotTextError, match="expected a list of comments, got int"):
        labeler.spam(7)  # type: ignore[arg-type]
    with pytest.raises(NotTextError, match="comment 1: no field `text`"):
        labeler.spam(["Hello.", {"votes": 7}])
    with pytest.raises(NotTextError, match="comment 0, `author`: expected str, got bytes; decode it"):
        labeler.spam([{"text": "Hello.", "author": b"Ada"}])


@pytest.mark.parametrize("call", [call for _, call in ONE + MANY], ids=[name for name, _ in ONE + MANY])
def test_half_a_surrogate_pair_is_told(labeler: Labeler, call: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match=r"character 13 is half of a surrogate pair.*\.encode\("):
        call(labeler, HALF)
    # The advice of the message helps.
    assert call(labeler, HALF.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "a\0b c d e f",
        "\ufeffHello there.",
        "\u2029",
        "\r\n\r\n",
        "🦆" * 500,
        "a" * 100_000,
        "\u202eabc",
        "\x1b[31mred",
    ],
    ids=ascii,
)
def test_odd_texts_have_answers(labeler: Labeler, text: str) -> None:
    for paragraph in labeler.label(text):
        assert text[paragraph.start : paragraph.end] == paragraph.text
    [record] = labeler.label_records([text])
    assert (record.label is None) == bool(record.reason == labeler.label_records([""])[0].reason)
    labeler.label_html(text)
    labeler.spam([text])


def test_made_up_texts_have_answers(labeler: Labeler) -> None:
    draw = random.Random(7)
    alphabet = "ab .,\n\t\r\0<>&;\"'-–…éßж字🦆\u200b\u2028\ufeff\x1b"
    texts = ["".join(draw.choices(alphabet, k=draw.randrange(60))) for _ in range(300)]
    for text, paragraphs in zip(texts, labeler.label_many(texts)):
        assert [text[p.start : p.end] for p in paragraphs] == [p.text for p in paragraphs]
        assert [(p.start, p.end) for p in paragraphs] == copydesk.split(text)
    assert len(labeler.label_records(texts)) == 300


def test_a_text_of_100_megabytes(labeler: Labeler) -> None:
    text = "All of it on one line. " * (100_000_000 // 23)
    assert copydesk.split(text) == [(0, len(text) - 1)]
    # The command has the same limits: 16 MiB for a line and for a record.
    assert labeler.label(text) == []
    first, long, last = labeler.label_records(["I love it!", text, "I love it!"])
    assert (first.label, long.label, last.label) == ("opinion", None, "opinion")
    assert long.reason == "record longer than 16777216 bytes"
    assert labeler.spam([text])[0].reason == long.reason
    # Mostly blank, so that labelling takes no minutes.
    text = " \n" * 25_000_000 + "The council voted 7 to 2 on Monday." + "\n" * 50_000_000
    [paragraph] = labeler.label(text)
    assert (paragraph.label, paragraph.start) == ("reporting", 50_000_000)


def test_a_line_with_a_zero_byte_is_a_line(labeler: Labeler) -> None:
    assert [p.text for p in labeler.label("Good.\n\nBr\0ken.\n\nGood as well.")] == ["Good.", "Br\0ken.", "Good as well."]


def test_gaps_of_a_data_frame_say_nothing(labeler: Labeler) -> None:
    comment = {
        "text": "Agreed. Our council did the same.",
        "author": float("nan"),
        "posted": object(),
        "tags": [object()],
    }
    assert labeler.spam([comment]) == labeler.spam([{"text": comment["text"]}])
