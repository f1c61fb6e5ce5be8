"""What the labeller takes and gives beside texts and labels."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

import copydesk
from copydesk import Labeler

TEXT = "The council voted 7 to 2 on Monday.\n\nOh boo hoo. Put the price up and stop whining."


def test_paragraphs_are_named_tuples(labeler: Labeler) -> None:
    first, second = labeler.label(TEXT)
    assert (first.label, second.label) == ("reporting", "opinion")
    assert (first.start, first.end, second.start) == (0, 35, 37)
    assert list(first.scores) == labeler.labels and sum(first.scores.values()) == pytest.approx(1, abs=1e-5)
    assert first.confidence == max(first.scores.values())
    assert first._fields[:4] == ("start", "end", "text", "label")
    assert pickle.loads(pickle.dumps(first)) == first


def test_positions_count_characters(labeler: Labeler) -> None:
    text = "Ça alors, 🦆 said the mayor of Élan on Monday.\n\nThe vote was 7 to 2, he said."
    first, second = labeler.label(text)
    assert text[second.start : second.end] == second.text == "The vote was 7 to 2, he said."
    assert text.encode()[second.byte_start : second.byte_end].decode() == second.text
    assert second.byte_start - second.start == 5


def test_nothing_in_nothing_out(labeler: Labeler) -> None:
    assert labeler.label("") == labeler.label(" \n\t ") == []
    assert labeler.label_many([]) == labeler.label_records([]) == labeler.pages([]) == labeler.spam([]) == []
    assert labeler.pages([[], ["Hello there."], []])[0] == []
    assert labeler.label_html("") == []
    assert copydesk.split("") == []


def test_a_blank_record_has_a_reason_and_no_label(labeler: Labeler) -> None:
    good, blank = labeler.label_records(["The council voted on Monday.", " \u200b "])
    assert good.label == "reporting" and good.reason is None
    assert (blank.label, blank.confidence, blank.scores, blank.tokens) == (None, None, None, 0)
    assert blank.reason
    [judgement] = labeler.spam(["  "])
    assert (judgement.spam, judgement.score) == (False, None) and judgement.reason


def test_neighbours_on_a_page_count(labeler: Labeler, texts: List[str]) -> None:
    page = labeler.pages([texts[:20], texts[20:25]])
    assert [len(records) for records in page] == [20, 5]
    assert page[0] != labeler.label_records(texts[:20])


def test_other_languages_are_doubted(labeler: Labeler) -> None:
    text = "Der Stadtrat hat die Brücke am Montag wieder geöffnet, sagte der Bürgermeister."
    [record] = labeler.label_records([text])
    assert (record.lang, record.reason) == ("de", "not English") and record.confidence <= 0.5
    assert Labeler("fast", any_language=True).label_records([text])[0].confidence > 0.5


def test_options_reach_the_model() -> None:
    [record] = Labeler("fast", furniture=False).label_records(["By Lotte Brandvold | 7 February"])
    assert record.scores["other"] == 0 and record.label != "other"
    assert len(Labeler("fast", paragraphs="line").label("One line,\nanother.\n\nA third.\n")) == 3
    text = "It was opened on Monday."
    assert Labeler("fast", region="comment").label(text)[0].scores != Labeler("fast").label(text)[0].scores
    assert copydesk.split("One line,\nanother.\n\nA third.\n", paragraphs="line") == [(0, 9), (10, 18), (20, 28)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads: expected a number from 1, got 0"),
        ({"threads": "two"}, "threads"),
        ({"paragraphs": "words"}, "paragraphs: expected `auto`"),
        ({"region": "body"}, "`furniture`, got `body`"),
    ],
)
def test_wrong_options_are_told(options: dict, message: str) -> None:
    with pytest.raises(copydesk.OptionError, match=message):
        Labeler("fast", **options)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(copydesk.ModelError, match="no such file"):
        Labeler(tmp_path)
    with pytest.raises(copydesk.CopydeskError):
        Labeler("fastest")


def test_a_model_in_a_folder_is_read(data: Path) -> None:
    text = "The council voted 7 to 2 on Monday."
    assert Labeler(data.parent / "models" / "fast").label(text) == Labeler("fast").label(text)


def test_facts_about_a_comment_count(labeler: Labeler) -> None:
    bare, known = labeler.spam(
        [
            "Nice post, thanks for sharing it with us.",
            {
                "text": "Nice post, thanks for sharing it with us.",
                "author": "Best Casino Bonus",
                "author_url": "https://luckyharbour.example/bonus",
                "author_email": "win@luckyharbour.example",
                "page_title": "A walk in the valley",
                "votes": 3,
                "page_text": None,
            },
        ]
    )
    assert known.score > bare.score and known.text_score == bare.text_score
    assert labeler.spam([{"html": "<p>200 free spins!</p>"}])[0].score > 0
    assert labeler.spam(["Hello"], threshold=0.0)[0].spam
    assert 0 < labeler.spam_threshold < 1


def test_threads_change_nothing(texts: List[str]) -> None:
    one, four = Labeler("fast", threads=1), Labeler("fast", threads=4)
    assert one.label_records(texts) == four.label_records(texts)
    assert (one.threads, repr(four)) == (1, "Labeler('fast', threads=4)")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"COPYDESK_THREADS": "3", "OMP_NUM_THREADS": "1"}, "3"),
        ({"OMP_NUM_THREADS": "5"}, "5"),
        ({"OMP_NUM_THREADS": "0"}, str(len(os.sched_getaffinity(0)))),
        ({}, str(len(os.sched_getaffinity(0)))),
    ],
)
def test_threads_are_those_of_the_surroundings(variables: dict, expected: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("COPYDESK_THREADS", "OMP_NUM_THREADS")}
    code = "import copydesk; print(copydesk.Labeler('fast').threads)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, **variables}, capture_output=True, text=True
    )
    assert done.stdout.strip() == expected, done.stderr


def test_no_other_package_is_needed() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['numpy', 'pyarrow', 'pandas', 'polars'])); import copydesk; "
        "from copydesk import fasttext_like; print(copydesk.Labeler('fast').label('I love it!')[0].label, "
        "fasttext_like.load_model('fast').predict('I love it!')[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "opinion ('__label__opinion',)\n", done.stderr


def test_version_is_the_packages() -> None:
    assert copydesk.__version__.count(".") == 2
