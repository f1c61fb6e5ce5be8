#!/usr/bin/env python3
"""Empties Isso's moderation queue by the verdicts of copydesk: moderate.py URL [--delete-spam] < VERDICTS

    copydesk filter comments.db --mark - | ISSO_PASSWORD=… moderate.py http://127.0.0.1:8080

Genuine comments that wait are published. Spam stays in the queue, or is deleted with --delete-spam; deleted comments cannot be taken
back. Comments that are published already are left alone. Needs Isso's administration ([admin] in its settings) and moderation
([moderation]), and nothing but Python. License: the same as copydesk.
"""

import argparse
import http.cookiejar
import json
import os
import re
import sys
import urllib.parse
import urllib.request


def queue(browser, site):
    """Comments that wait: from their numbers to the tokens that Isso signs for its administration."""
    found, page = {}, 0
    while True:
        with browser.open(f"{site}/admin/?mode=2&page={page}") as answer:
            listed = re.findall(r"validate_com\((\d+), '([^']+)'", answer.read().decode())
        new = {int(number): token for number, token in listed if int(number) not in found}
        if not new:
            return found
        found |= new
        page += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", help="Isso's address")
    parser.add_argument("--delete-spam", action="store_true")
    arguments = parser.parse_args()
    site = arguments.site.rstrip("/")
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    password = urllib.parse.urlencode({"password": os.environ.get("ISSO_PASSWORD", "")}).encode()
    with browser.open(f"{site}/login/", password) as answer:
        if "/admin" not in answer.geturl():
            sys.exit("Isso does not let us in: is ISSO_PASSWORD right, and [admin] enabled?")
    waiting, done = queue(browser, site), {"activate": 0, "delete": 0}
    for line in sys.stdin:
        row = json.loads(line)
        token, spam = waiting.get(int(row["id"])), row.get("spam")
        if token is None or spam is None or (spam and not arguments.delete_spam):
            continue
        action = "delete" if spam else "activate"
        browser.open(f"{site}/id/{row['id']}/{action}/{token}", b"").close()
        done[action] += 1
    print(f"{done['activate']} published, {done['delete']} deleted, {len(waiting) - sum(done.values())} wait on")


if __name__ == "__main__":
    main()
