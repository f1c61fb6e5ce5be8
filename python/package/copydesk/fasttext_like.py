"""fastText's interface to these models: a pipeline changes one import.

>>> from copydesk import fasttext_like as fasttext
>>> model = fasttext.load_model("fast")
>>> labels, probabilities = model.predict("Oh boo hoo. Put the price of a loaf up and stop whining.")
>>> labels
('__label__opinion',)

Beside fastText's own names nothing is added, and what trains or lists words is left out. A text may have several lines here. A text
without a character that shows gets no label.
"""

from __future__ import annotations

import os
from typing import Any, List, Optional, Tuple, Union

from ._errors import OptionError
from ._labeler import Labeler
from ._types import Record

__all__ = ["FastText", "load_model"]

PREFIX = "__label__"
"""What stands before the name of each label."""


def load_model(path: Union[str, "os.PathLike[str]"] = "auto", *, threads: Optional[int] = None) -> "FastText":
    """Opens a model: ``"auto"``, ``"fast"``, ``"nano"``, ``"base"``, or the path of a folder. A file of fastText's is none."""
    return FastText(path, threads=threads)


class FastText:
    """A model with fastText's methods. Texts are read whole, each alone."""

    def __init__(self, model: Union[str, "os.PathLike[str]"] = "auto", *, threads: Optional[int] = None) -> None:
        self.labeler = Labeler(model, threads=threads)
        """The labeller behind it."""

    @property
    def f(self) -> "_Pairs":
        """What pipelines call that go around fastText's use of NumPy: its ``predict`` gives pairs of probability and label."""
        return _Pairs(self)

    @property
    def labels(self) -> List[str]:
        """Names of the labels."""
        return [PREFIX + label for label in self.labeler.labels]

    def get_labels(self, include_freq: bool = False, on_unicode_error: str = "strict") -> List[str]:
        """Names of the labels. How often each was seen in training is not known here.

        Raises:
            OptionError: Frequencies are asked for.
        """
        if include_freq:
            raise OptionError("include_freq: these models keep no frequencies")
        return self.labels

    def predict(
        self, text: Any, k: int = 1, threshold: float = 0.0, on_unicode_error: str = "strict"
    ) -> Tuple[Any, Any]:
        """The most probable labels of a text, or of each of several.

        Args:
            text: A text, or a list of texts.
            k: How many labels at most; -1 for all.
            threshold: The least probability of a label.
            on_unicode_error: As fastText has it, and without effect: texts are ``str``.

        Returns:
            For a text a tuple of labels and an array of their probabilities, the most probable first. For a list, a list of lists
            of labels and a list of arrays. The arrays are NumPy's where it is installed, else lists.

        Raises:
            NotTextError: A text is no ``str``.
            OptionError: ``k`` is neither positive nor -1.
        """
        if k != -1 and k < 1:
            raise OptionError(f"k: expected a number from 1, or -1 for all labels, got {k}")
        if isinstance(text, (str, bytes)):
            [pairs] = self._pairs([text], k, threshold)
            return tuple(label for label, _ in pairs), _array([score for _, score in pairs])
        several = self._pairs(text, k, threshold)
        labels = [[label for label, _ in pairs] for pairs in several]
        return labels, [_array([score for _, score in pairs]) for pairs in several]

    def _pairs(self, texts: Any, k: int, threshold: float) -> List[List[Tuple[str, float]]]:
        return [_best(record, k, threshold) for record in self.labeler.label_records(texts)]


class _Pairs:
    def __init__(self, model: FastText) -> None:
        self._model = model

    def predict(
        self, text: str, k: int = 1, threshold: float = 0.0, on_unicode_error: str = "strict"
    ) -> List[Tuple[float, str]]:
        labels, scores = self._model.predict(text, k, threshold)
        return [(float(score), label) for score, label in zip(scores, labels)]


def _best(record: Record, k: int, threshold: float) -> List[Tuple[str, float]]:
    """The first labels of a record; of two with one probability the one that the model has first."""
    pairs = sorted((record.scores or {}).items(), key=lambda pair: -pair[1])
    if k != -1:
        pairs = pairs[:k]
    return [(PREFIX + label, score) for label, score in pairs if score >= threshold]


def _array(values: List[float]) -> Any:
    try:
        import numpy
    except ImportError:
        return values
    return numpy.array(values)
