"""fastText's interface."""

from __future__ import annotations

import numpy
import pytest

import copydesk
from copydesk import fasttext_like

OPINION = "Oh boo hoo. Put the price of a loaf up and stop whining."
REPORT = "The council voted 7 to 2 on Monday."


@pytest.fixture(scope="module")
def model() -> fasttext_like.FastText:
    return fasttext_like.load_model("fast")


def test_one_text(model: fasttext_like.FastText) -> None:
    labels, scores = model.predict(OPINION)
    assert labels == ("__label__opinion",)
    assert isinstance(scores, numpy.ndarray) and scores.shape == (1,)
    assert scores[0] == copydesk.Labeler("fast").label_records([OPINION])[0].confidence


def test_several_texts(model: fasttext_like.FastText) -> None:
    labels, scores = model.predict([OPINION, REPORT], k=2)
    assert [names[0] for names in labels] == ["__label__opinion", "__label__reporting"]
    assert all(len(values) == 2 and values[0] >= values[1] for values in scores)


def test_k_and_threshold(model: fasttext_like.FastText) -> None:
    labels, scores = model.predict(OPINION, k=-1)
    assert sorted(labels) == sorted(model.labels) == sorted(model.get_labels()) and len(scores) == 5
    labels, scores = model.predict(OPINION, k=-1, threshold=0.5)
    assert labels == ("__label__opinion",)
    labels, scores = model.predict(OPINION, threshold=1.1)
    assert labels == () and len(scores) == 0
    assert model.predict(" ")[0] == ()
    with pytest.raises(copydesk.OptionError, match="k: expected"):
        model.predict(OPINION, k=0)
    with pytest.raises(copydesk.OptionError, match="include_freq"):
        model.get_labels(include_freq=True)


def test_the_way_around_numpy(model: fasttext_like.FastText) -> None:
    [(score, label)] = model.f.predict(OPINION, 1, 0.0, "strict")
    assert label == "__label__opinion" and isinstance(score, float)
