"""Tells, for every paragraph of a text, what it is doing there: reporting, opinion, comment spam, quotation, or other page furniture.

>>> import copydesk
>>> labeler = copydesk.Labeler("fast")
>>> labeler.label("Oh boo hoo. Put the price of a loaf up and stop whining.")[0].label
'opinion'

:class:`Labeler` labels texts, records, pages, comments and Arrow tables. :mod:`copydesk.fasttext_like` takes the place of fastText in a
pipeline. The command is there as ``copydesk`` and as ``python -m copydesk``.
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from . import _copydesk
from ._errors import ColumnError, CopydeskError, InputError, ModelError, NotTextError, OptionError
from ._labeler import Labeler
from ._types import Block, Judgement, Paragraph, Record

__all__ = [
    "Block",
    "ColumnError",
    "CopydeskError",
    "InputError",
    "Judgement",
    "Labeler",
    "ModelError",
    "NotTextError",
    "OptionError",
    "Paragraph",
    "Record",
    "label_arrow",
    "split",
]

__version__: str = _copydesk.__version__


def split(text: str, *, paragraphs: str = "auto") -> List[Tuple[int, int]]:
    """Cuts a text into paragraphs without labelling them.

    Args:
        text: Any length.
        paragraphs: ``"auto"``, ``"blank"`` (at blank lines), ``"line"`` (each line) or ``"layout"``.

    Returns:
        For each paragraph its start and end: ``text[start:end]``.

    Raises:
        NotTextError: ``text`` is no ``str``.
        InputError: ``text`` has half of a surrogate pair.
        OptionError: ``paragraphs`` is none of the four.

    >>> split("One.\\n\\nTwo.")
    [(0, 4), (6, 10)]
    """
    return _copydesk.split(text, paragraphs)


def label_arrow(
    batch: Any,
    *,
    text: str = "text",
    page: Optional[str] = None,
    unit: str = "record",
    plain: bool = False,
    model: str = "auto",
    threads: Optional[int] = None,
) -> Any:
    """:meth:`Labeler.label_arrow` with a labeller made for it: a process opens each model once, so this may stand in a loop."""
    labeler = Labeler(model, threads=threads)
    return labeler.label_arrow(batch, text=text, page=page, unit=unit, plain=plain)
