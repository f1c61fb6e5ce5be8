"""What blogs export, made by the programs themselves and read by copydesk.

    python3 tests/interop/exports.py target/release/copydesk

Needs what exports.txt names, and a build with the feature `sqlite` to read Isso's database. Dumps are made where MariaDB is installed
(`mariadbd`, `mariadb-dump`), by a server of the script's own in a temporary folder. Prints counts; fails at the first difference.
"""

import getpass
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

HARD = [
    "A plain comment about bread.",
    "It's \"quoted\", 'so' \\ and ; (here) -- # /* there */",
    "Lines\nand\r\nlines\tand a tab",
    "<b>bold</b> & <a href=\"https://shop.example/?a=1&b=2\">a link</a>",
    "日本語 – café “quotes” 😀",
    "INSERT INTO `wp_comments` VALUES (1,'x');\n]]> \\' '' \\\\",
    "- a: list\n---\nb: |\n  text",
]


def read(binary, *inputs, status=0):
    """The records behind the inputs, as copydesk reads them."""
    command = [binary, "label", "--quiet", "--model", "fast", "--any-language", "--unit", "record", *map(str, inputs)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == status, (inputs, done.returncode, done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    for _ in range(300):
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def check_isso(binary, folder):
    """Comments that were posted to a running Isso, read while it runs and after it."""
    site, port = free_port(), free_port()
    database = folder / "isso" / "comments.db"
    database.parent.mkdir()
    (folder / "isso.cfg").write_text(
        f"[general]\ndbpath = {database}\nhost = http://127.0.0.1:{site}/\n[server]\nlisten = http://127.0.0.1:{port}/\n"
        "[guard]\nenabled = false\n[moderation]\nenabled = false\n"
    )
    # A page whose title Isso fetches.
    page = folder / "site" / "bread"
    page.mkdir(parents=True)
    (page / "index.html").write_text("<html><body><h1>Bread &amp; oats</h1><section id='isso-thread'></section></body></html>")
    web = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(site), "--bind", "127.0.0.1", "--directory", str(folder / "site")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with (folder / "isso.log").open("wb") as log:
        isso = subprocess.Popen([shutil.which("isso") or "isso", "-c", str(folder / "isso.cfg"), "run"], stdout=log, stderr=log)
    try:
        wait_for(site, web)
        wait_for(port, isso)
        for number, text in enumerate(HARD):
            body = {"text": text, "author": f"Ann {number}", "email": "ann@site.example", "website": "https://ann.example"}
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/new?uri=/bread/",
                json.dumps(body).encode(),
                {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{site}"},
            )
            assert urllib.request.urlopen(request).status == 201, text
        before = sorted(path.name for path in database.parent.iterdir())
        live = read(binary, database)
        assert sorted(path.name for path in database.parent.iterdir()) == before
    finally:
        for process in (isso, web):
            process.terminate()
            process.wait()
    rows = read(binary, database)
    assert rows == live
    assert len(rows) == len(HARD), rows
    for number, (row, text) in enumerate(zip(rows, HARD)):
        assert row["text"] == text, (row["text"], text)
        assert (row["id"], row["author"], row["author_url"]) == (str(number + 1), f"Ann {number}", "https://ann.example"), row
        assert row["author_email"] == "ann@site.example" and row["kind"] == "comment", row
        assert (row["permalink"], row["page_title"], row["status"]) == ("/bread/", "Bread & oats", "approved"), row
        assert row["date"] > 1_600_000_000, row
    print(f"Isso: {len(rows)} comments read, while it runs and after")


TABLES = """
CREATE TABLE {0}posts (ID bigint(20) unsigned NOT NULL auto_increment, post_title text NOT NULL,
  guid varchar(255) NOT NULL default '', PRIMARY KEY (ID), KEY post_title (post_title(100)));
CREATE TABLE {0}comments (comment_ID bigint(20) unsigned NOT NULL auto_increment,
  comment_post_ID bigint(20) unsigned NOT NULL default '0', comment_author tinytext NOT NULL,
  comment_author_email varchar(100) NOT NULL default '', comment_author_url varchar(200) NOT NULL default '',
  comment_author_IP varchar(100) NOT NULL default '', comment_date datetime NOT NULL default '2020-01-01 00:00:00',
  comment_date_gmt datetime NOT NULL default '2020-01-01 00:00:00', comment_content text NOT NULL,
  comment_karma int(11) NOT NULL default '0', comment_approved varchar(20) NOT NULL default '1',
  comment_agent varchar(255) NOT NULL default '', comment_type varchar(20) NOT NULL default 'comment',
  comment_parent bigint(20) unsigned NOT NULL default '0', user_id bigint(20) unsigned NOT NULL default '0',
  PRIMARY KEY (comment_ID), KEY comment_post_ID (comment_post_ID));
"""


def literal(text):
    return "CONVERT(0x" + text.encode().hex() + " USING utf8mb4)"


def check_mariadb(binary, folder):
    """Dumps of tables as WordPress makes them, in several of the dumper's styles."""
    server, dump = shutil.which("mariadbd"), shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if not server or not dump:
        return print("MariaDB: not installed, no dumps made")
    data, own_socket = folder / "data", folder / "db.sock"
    user = getpass.getuser()
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", f"--user={user}"], check=True, capture_output=True)
    log = (folder / "db.log").open("wb")
    process = subprocess.Popen(
        [server, "--no-defaults", f"--datadir={data}", f"--socket={own_socket}", "--skip-networking", f"--user={user}",
         f"--pid-file={folder}/db.pid"], stdout=log, stderr=log,
    )  # fmt: skip
    client = ["mariadb", "--no-defaults", "-uroot", f"--socket={own_socket}", "--default-character-set=utf8mb4"]
    try:
        for _ in range(300):
            assert process.poll() is None, (folder / "db.log").read_text()
            if subprocess.run([*client, "-e", "SELECT 1"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        sql = "CREATE DATABASE blog CHARACTER SET utf8mb4; USE blog;"
        for prefix in ("wp_", "wp_2_"):
            sql += TABLES.format(prefix)
            sql += f"INSERT INTO {prefix}posts VALUES (7, {literal(prefix + HARD[1])}, 'https://bread.example/?p=7');"
            for text in HARD:
                sql += (
                    f"INSERT INTO {prefix}comments (comment_post_ID, comment_author, comment_content, comment_approved) "
                    f"VALUES (7, {literal('Ann ' + prefix)}, {literal(text)}, 'spam');"
                )
        subprocess.run(client, input=sql.encode(), check=True)
        tables = ["wp_posts", "wp_comments", "wp_2_posts", "wp_2_comments"]
        styles = [[], ["--skip-extended-insert"], ["--complete-insert"], ["--hex-blob", "--skip-opt"], ["--no-create-info"],
                  ["--compact"], ["--replace"], ["--insert-ignore"]]  # fmt: skip
        for style in styles:
            command = [dump, "--no-defaults", "-uroot", f"--socket={own_socket}", "--default-character-set=utf8mb4", *style, "blog"]
            out = folder / "blog.sql"
            out.write_bytes(subprocess.run([*command, *tables], check=True, capture_output=True).stdout)
            rows = read(binary, out)
            # Without their names, columns are taken for WordPress's, and these few of posts are not.
            if style != ["--no-create-info"]:
                assert {row["page_title"] for row in rows} == {"wp_" + HARD[1], "wp_2_" + HARD[1]}, (style, rows[0])
            assert [row["text"] for row in rows] == HARD * 2, (style, [row["text"] for row in rows])
            assert [row["author"] for row in rows] == ["Ann wp_"] * len(HARD) + ["Ann wp_2_"] * len(HARD), style
            assert all(row["status"] == "spam" and row["kind"] == "comment" for row in rows), style
            assert [row["id"] for row in rows] == [str(n + 1) for n in range(len(HARD))] * 2, style
    finally:
        process.terminate()
        process.wait()
    print(f"MariaDB: {len(styles)} dumps of {len(rows)} comments read")


def check_yaml(binary, folder):
    """Files as PyYAML writes them: one comment each, lists, maps; with and without block style and escapes."""
    ways = [{}, {"allow_unicode": True}, {"default_flow_style": True}, {"default_style": "|"}, {"default_style": '"', "width": 20},
            {"explicit_start": True, "explicit_end": True}, {"indent": 8}]  # fmt: skip
    comments = [{"_id": f"c{number}", "name": "Ann", "message": text} for number, text in enumerate(HARD)]
    read_files = 0
    for number, way in enumerate(ways):
        folder_of_way = folder / "yaml" / str(number)
        folder_of_way.mkdir(parents=True)
        for index, comment in enumerate(comments):
            (folder_of_way / f"{index}.yml").write_text(yaml.safe_dump(comment, **way), encoding="utf-8")
        (folder_of_way / "list.yaml").write_text(yaml.safe_dump(comments, **way), encoding="utf-8")
        (folder_of_way / "map.yaml").write_text(yaml.safe_dump({"rye": comments}, **way), encoding="utf-8")
        (folder_of_way / "zall.yaml").write_text(yaml.safe_dump_all(comments, **way), encoding="utf-8")
        rows = read(binary, folder_of_way)
        # Line breaks that YAML does not tell apart come back as one, as PyYAML reads them too.
        expected = [entry["message"] for entry in yaml.safe_load(yaml.safe_dump(comments, **way))] * 4
        assert [row["text"] for row in rows] == expected, (way, [row["text"] for row in rows], expected)
        read_files += len(comments) + 3
    for index, comment in enumerate(comments):
        (folder / f"{index}.json").write_text(json.dumps(comment, indent=2 if index % 2 else None))
        assert [row["text"] for row in read(binary, folder / f"{index}.json")] == [comment["message"]]
    print(f"PyYAML and json: {read_files + len(comments)} files read")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_yaml, check_mariadb, check_isso):
            check(sys.argv[1], Path(folder))
