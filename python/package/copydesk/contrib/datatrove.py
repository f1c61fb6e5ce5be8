"""A filter for datatrove that takes the place of its ``FastTextClassifierFilter``."""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, List, Optional, Tuple, Union

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter
from datatrove.utils.text import SPLIT_TEXT_DOCUMENTS, split_into_parts

from .._errors import OptionError
from .._labeler import Labeler
from .._types import Record

__all__ = ["CopydeskClassifierFilter"]

_Wanted = Union[Tuple[str, float], List[Tuple[str, float]], None]


class CopydeskClassifierFilter(BaseFilter):
    """Keeps documents, or parts of them, by their labels.

    It takes the arguments of datatrove's ``FastTextClassifierFilter`` and does the same with them: what is kept has at least one of
    ``keep_labels`` with a score of at least the one given, or none of ``remove_labels``. With neither, documents are annotated.

    It differs where the models do. The parts of a document are read beside each other, as a page. A part without a character that
    shows has no label and stays. Documents are labelled ``batch_size`` at a time. Each process opens the model once, and a worker
    of datatrove uses one thread.

    Args:
        model_url: ``"auto"``, ``"fast"``, ``"nano"``, ``"base"``, or the path of a folder.
        keep_labels: A pair of a label, without ``__label__``, and the least score, or a list of such pairs.
        remove_labels: The same for what is removed. Only one of the two can be given.
        save_labels_in_metadata: Put the mean score of each label into the metadata of the document, as ``__label__opinion``.
        exclusion_writer: Takes the documents that are removed.
        newline_replacement: What line feeds become before a part is read. By default they stay: these models read lines.
        filter_mode: ``"DOCUMENT"``, ``"PARAGRAPH"`` or ``"SENTENCE"``, datatrove's constants.
        batch_size: Documents that are labelled together.
        threads: Threads of each worker; see :class:`copydesk.Labeler`.

    Raises:
        OptionError: Both ``keep_labels`` and ``remove_labels`` are given, or a label that the model does not have.
    """

    name = "🗞 copydesk"
    _requires_dependencies = ["copydesk"]

    def __init__(
        self,
        model_url: str = "fast",
        keep_labels: _Wanted = None,
        remove_labels: _Wanted = None,
        save_labels_in_metadata: bool = True,
        exclusion_writer: Optional[DiskWriter] = None,
        newline_replacement: str = "\n",
        filter_mode: str = SPLIT_TEXT_DOCUMENTS,
        batch_size: int = 256,
        threads: Optional[int] = None,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        if keep_labels and remove_labels:
            raise OptionError("keep_labels and remove_labels: expected one of them, got both")
        self.keep_labels = _list(keep_labels)
        self.remove_labels = _list(remove_labels)
        self.save_labels_in_metadata = save_labels_in_metadata
        self.newline_replacement = newline_replacement
        self.filter_mode = filter_mode
        self.labeler = Labeler(model_url, threads=threads)
        labels = self.labeler.labels
        for label, _ in self.keep_labels + self.remove_labels:
            if label not in labels:
                raise OptionError(f"expected one of the labels {', '.join(labels)}, got {label!r}")

    def filter(self, doc: Document) -> bool:
        """Whether a document is kept; its text becomes the parts that are."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: List[Document]) -> List[bool]:
        """Whether each of several documents is kept."""
        parts = [split_into_parts(doc.text, mode=self.filter_mode) for doc in batch]
        pages = self.labeler.pages(
            [part.strip().replace("\n", self.newline_replacement) for part in page] for page in parts
        )
        return [self._filter(doc, page, records) for doc, page, records in zip(batch, parts, pages)]

    def _filter(self, doc: Document, parts: List[str], records: List[Record]) -> bool:
        kept = []
        label_scores: Dict[str, List[float]] = defaultdict(list)
        for part, record in zip(parts, records):
            if record.scores is None:
                kept.append(part)
                continue
            for label, score in record.scores.items():
                label_scores[f"__label__{label}"].append(score)
            if self._is_kept(record.scores):
                kept.append(part)
                self.stat_update("kept_span")
            else:
                self.stat_update("removed_span")
        doc.text = "".join(kept)
        if self.save_labels_in_metadata:
            doc.metadata.update({label: sum(scores) / len(scores) for label, scores in label_scores.items()})
        return bool(doc.text.strip())

    def _is_kept(self, scores: Dict[str, float]) -> bool:
        if self.keep_labels:
            return any(scores[label] >= least for label, least in self.keep_labels)
        return not any(scores[label] >= least for label, least in self.remove_labels)


def _list(wanted: _Wanted) -> List[Tuple[str, float]]:
    if not wanted:
        return []
    return [wanted] if isinstance(wanted, tuple) else list(wanted)
