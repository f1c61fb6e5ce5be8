"""What the methods of :class:`copydesk.Labeler` give: named tuples, which compare, pickle and go into data frames as they are."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional


class Paragraph(NamedTuple):
    """A paragraph of a text with its label."""

    start: int
    """Where it begins: ``text[start:end]`` is the paragraph."""
    end: int
    """Where it ends."""
    text: str
    """The paragraph as it stands in its text."""
    label: str
    """The most probable label."""
    confidence: float
    """Its probability, 0 to 1."""
    scores: Dict[str, float]
    """The probability of every label; they sum to 1."""
    tokens: int
    """WordPiece tokens, special tokens not counted."""
    windows: int
    """Windows that it was read in: 1, unless it is longer than the model reads at once."""
    lang: Optional[str]
    """ISO 639-1 code of its language, where it can be told."""
    reason: Optional[str]
    """Why no label is confident: ``not English`` or ``not readable``. No score then exceeds 0.5."""
    byte_start: int
    """Where it begins in the UTF-8 bytes of the text: ``start`` in the rows of the command."""
    byte_end: int
    """Where it ends in the UTF-8 bytes of the text."""


class Record(NamedTuple):
    """A whole text with its label."""

    label: Optional[str]
    """The most probable label; ``None`` for a text without a character that shows, as all but ``reason`` then is."""
    confidence: Optional[float]
    """Its probability, 0 to 1."""
    scores: Optional[Dict[str, float]]
    """The probability of every label; they sum to 1."""
    tokens: int
    """WordPiece tokens, special tokens not counted."""
    windows: int
    """Windows that it was read in."""
    lang: Optional[str]
    """ISO 639-1 code of its language, where it can be told."""
    reason: Optional[str]
    """Why there is no label, or no confident one."""


class Block(NamedTuple):
    """A block of text of an HTML page with its label."""

    start: int
    """Where its text begins in the page; tags may stand between ``start`` and ``end``."""
    end: int
    """Where its text ends in the page."""
    text: str
    """The text between the tags, references decoded and blanks put together."""
    label: str
    """The most probable label."""
    confidence: float
    """Its probability, 0 to 1."""
    scores: Dict[str, float]
    """The probability of every label; they sum to 1."""
    tokens: int
    """WordPiece tokens, special tokens not counted."""
    windows: int
    """Windows that it was read in."""
    lang: Optional[str]
    """ISO 639-1 code of its language, where it can be told."""
    reason: Optional[str]
    """Why no label is confident."""
    content: float
    """The probability that it belongs to the page's main content, 0 to 1."""
    is_content: bool
    """Whether it counts to the main content."""


class Judgement(NamedTuple):
    """What is said of a comment."""

    spam: bool
    """Whether its score reaches the threshold."""
    score: Optional[float]
    """The probability of spam, 0 to 1; ``None`` for a comment without a character that shows."""
    reason: str
    """What speaks most for the answer, or why there is none."""
    text_score: Optional[float]
    """What the text alone says, 0 to 1."""
    lang: Optional[str]
    """ISO 639-1 code of its language, where it can be told."""
