"""Filters of datatrove that note when their process begins to label."""

from __future__ import annotations

from typing import Any, List

import labellers
from datatrove.pipeline.filters.base_filter import BaseFilter

from copydesk.contrib.datatrove import CopydeskClassifierFilter


class Ours(CopydeskClassifierFilter):
    def __init__(self, model: str, notes: str, batch_size: int) -> None:
        super().__init__(model, batch_size=batch_size)
        self.begin = labellers.Begin(notes, labellers.opened(model, "", None))

    def filter_batch(self, batch: List[Any]) -> List[bool]:
        self.begin.note()
        return super().filter_batch(batch)


class Rival(BaseFilter):
    name = "rival"

    def __init__(self, labeller: Any, notes: str, batch_size: int) -> None:
        super().__init__(batch_size=batch_size)
        self.labeller, self.begin = labeller, labellers.Begin(notes, labeller)

    def filter(self, doc: Any) -> bool:
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: List[Any]) -> List[bool]:
        self.begin.note()
        for doc, label in zip(batch, self.labeller.texts([doc.text for doc in batch])):
            doc.metadata["label"] = label
        return [True] * len(batch)
