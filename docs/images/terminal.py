#!/usr/bin/env python3
"""Draws what `copydesk label` shows in a terminal as an SVG file.

    copydesk label --quiet --output-format pretty --color always PAGE | terminal.py --keep 0,1,3 > page.svg

The picture brings its own dark background, so it reads the same on a light and on a dark page.
"""

import argparse
import re
import sys
from html import escape

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
FONT_PX, CHARACTER_PX, LINE_PX, MARGIN_PX = 14, 8.45, 19, 20
BACKGROUND, BORDER, PLAIN, DIM = "#12161c", "#3a424d", "#d8dee6", "#98a2ae"
# By the codes of the terminal's escape sequences.
COLORS = {"31": "#ff8078", "33": "#e7c35c", "34": "#76b6ff", "32": "#7fdc8c", "2": DIM, "1": PLAIN, "0": PLAIN}
GUTTER_COLUMNS = 21


def pieces(line):
    """The line cut into (colour, bold, text)."""
    code = "0"
    for part in re.split(r"\x1b\[(\d+)m", line):
        if re.fullmatch(r"\d+", part) and part in COLORS:
            code = part
        elif part:
            yield COLORS[code], code == "1", part


def paragraphs(text):
    """The heading, and a list of lines for each paragraph."""
    blocks = [block.split("\n") for block in text.strip("\n").split("\n\n")]
    return blocks[0], blocks[1:]


def rows(heading, blocks, keep, command):
    """What stands in each row of the picture: pieces of text, or None for an empty row."""
    yield [(DIM, False, "$ "), (PLAIN, True, command)]
    yield None
    yield list(pieces(heading[0]))
    yield None
    last = -1
    for number in keep:
        if number > last + 1:
            yield [(DIM, False, " " * (GUTTER_COLUMNS - 1) + " …")]
            yield None
        yield from (list(pieces(line)) for line in blocks[number])
        yield None
        last = number
    if last + 1 < len(blocks):
        yield [(DIM, False, " " * (GUTTER_COLUMNS - 1) + " …")]


def draw(lines, columns, title):
    width = round(columns * CHARACTER_PX + 2 * MARGIN_PX)
    height = len(lines) * LINE_PX + 2 * MARGIN_PX
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    yield f"<title>{escape(title)}</title>"
    yield f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{BACKGROUND}" stroke="{BORDER}"/>'
    yield f'<g font-family="{FONT}" font-size="{FONT_PX}">'
    for number, line in enumerate(lines):
        column, top = 0, MARGIN_PX + number * LINE_PX
        for color, bold, text in line or []:
            if text.strip() == "│":
                x = MARGIN_PX + (column + text.index("│") + 0.5) * CHARACTER_PX
                yield f'<rect x="{x - 0.75:.2f}" y="{top}" width="1.5" height="{LINE_PX + 0.5}" fill="{color}"/>'
                column += len(text)
                continue
            weight = ' font-weight="bold"' if bold else ""
            # SVG takes several spaces for one, so what they separate is placed by itself.
            for found in re.finditer(r"\S+( \S+)*", text):
                x, length = MARGIN_PX + (column + found.start()) * CHARACTER_PX, len(found[0]) * CHARACTER_PX
                # The length keeps the columns in line whatever font is found.
                yield (
                    f'<text x="{x:.2f}" y="{top + 14}" fill="{color}"{weight} textLength="{length:.2f}" '
                    f'lengthAdjust="spacingAndGlyphs">{escape(found[0], quote=False)}</text>'
                )
            column += len(text)
    yield "</g>"
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", required=True, help="numbers of the paragraphs to show, from 0, separated by commas")
    parser.add_argument("--command", default="copydesk label data/pages/tariff-comment-thread.txt")
    parser.add_argument("--title", default="A page in the terminal, each paragraph with its label and confidence")
    arguments = parser.parse_args()
    heading, blocks = paragraphs(sys.stdin.read())
    lines = list(rows(heading, blocks, [int(number) for number in arguments.keep.split(",")], arguments.command))
    print("\n".join(draw(lines, 80, arguments.title)))


if __name__ == "__main__":
    main()
