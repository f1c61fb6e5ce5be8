"""What is known of a comment, as the JSON object that the command would read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Dict, Iterable, List, Tuple

from ._errors import InputError, NotTextError


def given(comments: Iterable[Any]) -> List[Tuple[bool, Any]]:
    """Each comment with whether it is an object of JSON now; a text stays as it is."""
    if isinstance(comments, (str, bytes, Mapping)):
        raise NotTextError("expected a list of comments, got one; put it in brackets")
    try:
        items = iter(comments)
    except TypeError:
        raise NotTextError(f"expected a list of comments, got {type(comments).__name__}") from None
    return [_given(comment, index) for index, comment in enumerate(items)]


def _given(comment: Any, index: int) -> Tuple[bool, Any]:
    if not isinstance(comment, Mapping):
        return False, comment
    return True, json.dumps(_object(comment, f"comment {index}"), ensure_ascii=False)


def _object(mapping: Mapping[Any, Any], place: str) -> Dict[str, Any]:
    return {str(name): _value(value, f"{place}, `{name}`") for name, value in mapping.items()}


def _value(value: Any, place: str) -> Any:
    """What JSON has of a value. Dates and the like say nothing about a comment, nor do the gaps of a data frame."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{place}: character {error.start} is half of a surrogate pair, which is no text; "
                'replace it: .encode("utf-8", "replace").decode()'
            ) from None
        return value
    if isinstance(value, (bytes, bytearray)):
        raise NotTextError(f"{place}: expected str, got {type(value).__name__}; decode it first: .decode()")
    if isinstance(value, Mapping):
        return _object(value, place)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bool, int)):
        return value
    return [] if isinstance(value, (list, tuple)) else None
