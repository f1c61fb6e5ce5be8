#!/usr/bin/env python3
"""Isso, from its form to its database, to `copydesk filter`, and back into its moderation queue.

    isso.py --copydesk target/release/copydesk [--keep FOLDER]

Installs Isso of PyPI into a temporary folder. The program needs the feature `sqlite`, which `serve` brings along.
"""

import json
import os
import shutil
import sqlite3
import sys
import urllib.request
from pathlib import Path

import common

PACKAGE = "isso==0.14.0"
PASSWORD = "quiet oven"
COMMENTS = [
    ("Ann", "", common.GENUINE, False),
    ("best casino", "http://casino-spins.example/", common.SPAM, True),
    ("Ben", "http://ben.example/", "My starter died twice before I understood that the tap water here has too much chlorine in it.", False),
    ("cheap pills", "http://pills-shop.example/", "Buy cheap pills without prescription http://pills-shop.example/buy 70% off, order now!!! Best price http://pills-shop.example/sale", True),
    ("Cleo", "", "Ünser Ofen — \"der alte\" — raucht auch; 100 % Birke hilft 🙂\nSecond line, with <b>tags</b> & 'quotes'.", False),
]
SETTINGS = """
[general]
dbpath = {folder}/comments.db
host = http://blog.example/
notify = stdout
[admin]
enabled = true
password = {password}
[moderation]
enabled = true
[server]
listen = http://127.0.0.1:{port}
[guard]
enabled = false
"""


def main():
    arguments = common.arguments(__doc__, keep={"type": Path, "help": "folder for the database"})
    table = common.Table("Isso")
    folder, port = common.temporary_folder(), common.free_port()
    python = common.environment(folder, PACKAGE)
    (folder / "isso.cfg").write_text(SETTINGS.format(folder=folder, password=PASSWORD, port=port))
    log = open(folder / "isso.log", "ab")
    isso = common.start([python.parent / "isso", "-c", folder / "isso.cfg", "run"], stdout=log, stderr=log)
    common.wait_for_port(port, isso)
    site = f"http://127.0.0.1:{port}"
    for author, website, text, _ in COMMENTS:
        body = {"author": author, "email": f"{author.split()[0].lower()}@mail.example", "website": website, "text": text, "title": "Bread", "parent": None}
        request = urllib.request.Request(f"{site}/new?uri=/bread/", json.dumps(body).encode(), {"Content-Type": "application/json", "Origin": "http://blog.example"})
        with urllib.request.urlopen(request) as answer:
            table.check(f"Isso takes the comment of {author} and holds it", answer.status == 202, answer.status)

    database, verdicts = folder / "comments.db", folder / "verdicts.jsonl"
    done = common.run([arguments.copydesk, "filter", database, "--mark", verdicts], check=False)
    table.check("copydesk filter reads Isso's database while Isso runs", done.returncode == 0, done.stderr.strip()[-200:])
    rows = [json.loads(line) for line in verdicts.read_text().splitlines()] if verdicts.exists() else []
    with sqlite3.connect(database) as store:
        stored = dict(store.execute("SELECT id, text FROM comments"))
    found = {int(row["id"]): row["text"] for row in rows}
    table.check("every comment comes out, its text to the letter", found == stored, f"{len(found)} of {len(stored)}")
    for row, (author, _, _, spam) in zip(rows, COMMENTS):
        table.check(f"the verdict on {author}", row["spam"] == spam, f"{row['spam_score']}, {row['reason']}")

    script = [sys.executable, common.ROOT / "deploy" / "isso" / "moderate.py", site, "--delete-spam"]
    with open(verdicts) as lines:
        done = common.run(script, check=False, stdin=lines, env={**os.environ, "ISSO_PASSWORD": PASSWORD})
    table.check("Isso's administration takes the verdicts", done.returncode == 0, done.stdout.strip() or done.stderr[-200:])
    with urllib.request.urlopen(f"{site}/?uri=/bread/") as answer:
        shown = {reply["author"] for reply in json.load(answer)["replies"]}
    wanted = {author for author, _, _, spam in COMMENTS if not spam}
    table.check("genuine comments are shown, spam is gone", shown == wanted, ", ".join(sorted(shown)))
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        shutil.copy(database, arguments.keep)
    table.finish()


if __name__ == "__main__":
    main()
