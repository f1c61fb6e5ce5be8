#!/usr/bin/env python3
"""Rows for models/comments/train.sh, from comments with their sites' decisions (JSON Lines) and annotated rows.

Usage: rows.py COMMENTS ANNOTATED ADVERTS OUT
Writes to OUT, for each group of sites, fold-N.jsonl (what a text model without these sites is trained on) and comments-N.jsonl
(the comments of these sites, at most 1,500 for each site and decision). Group 0 is of sites that the shipped models never saw.
ADVERTS lists ids of published comments that were read as adverts: they count as spam.
"""
import collections
import json
import pathlib
import random
import sys

GROUPS = [
    ["maartenba", "hajekj", "bloggerbust", "backfeed", "tsew"],
    ["haacked", "dylanmtaylor", "travisdowns", "fabienlasserre", "mythz", "panthar"],
    ["stackblog", "caffeinated", "yasoob", "buildtimes", "popcorn", "bioops"],
    ["mademistakes", "lrem", "andylockran", "brobertsaz", "ozziegooen"],
]
# Annotated rows name these sites otherwise.
ALIASES = {"stackblog": "stackoverflow"}


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def main(comments, annotated, adverts, out):
    out = pathlib.Path(out)
    published = set(pathlib.Path(adverts).read_text(encoding="utf-8").split())
    decided = [row for row in read(comments) if row["gold"] and row["text"].strip()]
    annotated = read(annotated)
    chooser = random.Random(5)
    for row in decided:
        if row["id"] in published:
            row["gold"] = "spam"
    of = collections.defaultdict(list)
    for row in decided:
        of[row["site"], row["gold"]].append(row)
    for rows in of.values():
        chooser.shuffle(rows)
    for number, sites in enumerate(GROUPS):
        most = None if number == 0 else 1500
        write(out / f"comments-{number}.jsonl", [row for key in sorted(of) if key[0] in sites for row in of[key][:most]])
        if number == 0:
            continue
        names = tuple(ALIASES.get(site, site) for site in sites)
        others = [row for row in annotated if not row["source"].startswith(names)]
        chooser.shuffle(others)
        spam = [row for row in others if row["label"] == "comment_spam"][:2200]
        rows = spam + [row for row in others if row["label"] != "comment_spam"][:5000]
        for site, gold in sorted(of):
            if site not in sites:
                label = "comment_spam" if gold == "spam" else "opinion"
                for row in of[site, gold][:600]:
                    rows.append({"text": row["text"][:700], "label": label, "source": site, "confidence": 3})
        chooser.shuffle(rows)
        write(out / f"fold-{number}.jsonl", rows)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
