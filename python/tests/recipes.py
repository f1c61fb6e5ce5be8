"""The recipes of docs/python.md, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def names() -> "list[str]":
    return re.findall(r"<!-- recipe: (\w+) -->", DOCUMENT.read_text(encoding="utf-8"))


def run(name: str) -> Dict[str, Any]:
    """Runs a recipe in the current folder and gives its names."""
    text = DOCUMENT.read_text(encoding="utf-8")
    [code] = re.findall(rf"<!-- recipe: {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    # Functions of a module that can be imported are pickled by name, those of a script by value, as a user's are.
    names: Dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, f"{DOCUMENT.name}, {name}", "exec"), names)
    return names
