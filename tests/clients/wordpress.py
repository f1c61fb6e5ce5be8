#!/usr/bin/env python3
"""WordPress with its own Akismet plugin, unmodified, against `copydesk serve`.

    wordpress.py --copydesk target/release/copydesk [--keep FOLDER]

Installs Debian's packages where they are missing (as root), then makes in a temporary folder: a MariaDB with a socket of its own, a
copy of WordPress, and our must-use plugin deploy/wordpress/copydesk-akismet.php, which gives the Akismet plugin's requests
to our server. All comments go through the form, all decisions through the pages of the administration. At the end WordPress
and MariaDB export what they have, and `copydesk filter` reads it. --keep stores the two exports.
"""

import html
import http.client
import http.cookiejar
import json
import re
import secrets
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import common

PACKAGES = ["wordpress", "wordpress-theme-twentytwentyone", "php-cli", "php-mysql", "php-xml", "mariadb-server", "mariadb-client"]
SOURCE = Path("/usr/share/wordpress")
HOST = "127.0.0.1"

# Spam of a kind that a model may let pass; the first that it does is then reported.
QUIET_SPAM = [
    "Nice read, thank you. My brother's bakery in the old town ships sourdough starter and baskets, see the shop in my name "
    "before the winter sale ends",
    "Lovely loaves. I write about kitchens as well and would be glad if you had a look at the page behind my name some time",
    "Very interesting, I will come back. People who bake should know the oven shop that we opened this spring in the harbour",
]
# Spam that no reading of it could miss.
CAUGHT = (
    "Casino bonus 500 free spins no deposit!!! Best online casino http://casino-spins.example/bonus and "
    "http://slots-win.example/free - buy cheap pills too, click here now"
)
# What a model may take for spam, and an owner for a reader's tip; the first that is caught is then reported.
FALSE_ALARMS = [
    "Thanks for the post! We sell the same rye flour in our small mill, order here http://mill-on-the-brook.example/shop and get "
    "free delivery this week",
    "Great article! Visit http://oven-builders.example for the best wood stoves, cheap prices and fast delivery all over the country",
    "Great post, thanks for sharing! Check out my website http://bread-baskets.example for cheap baskets, best quality, 50% off",
    CAUGHT,
]


def like(text, word):
    """The text again, with a few words changed."""
    return text.replace("the ", "that ", 1) + f" {word}"


class Site:
    """A WordPress with its database and web server."""

    def __init__(self, folder, server, key):
        self.folder, self.root, self.socket = folder, folder / "site", folder / "mariadb.sock"
        self.port, self.password = common.free_port(), secrets.token_hex(8)
        self.url = f"http://{HOST}:{self.port}"
        self.visitors, self.jar = 2, http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.database()
        self.files(server, key)
        self.post = int(self.php("install", self.password).split()[-1])
        log = open(folder / "php.log", "ab")
        web = ["php", "-d", "sendmail_path=/bin/true", "-S", f"{HOST}:{self.port}", "-t", self.root]
        # Several at a time: WordPress asks itself while it answers.
        self.web = common.start(web, stdout=log, stderr=log, env={"PATH": "/usr/bin:/bin", "PHP_CLI_SERVER_WORKERS": "3"})
        common.wait_for_port(self.port, self.web)

    def database(self):
        data = self.folder / "mariadb"
        common.run([
            "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ])
        log = open(self.folder / "mariadb.log", "ab")
        common.start(
            ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking", "--user=root",
             f"--pid-file={self.folder / 'mariadb.pid'}"],
            stdout=log, stderr=log,
        )
        for _ in range(300):
            if not common.run(["mariadb-admin", "--no-defaults", f"--socket={self.socket}", "ping"], check=False).returncode:
                break
            time.sleep(0.1)
        self.sql("CREATE DATABASE wordpress CHARACTER SET utf8mb4", "mysql")

    def sql(self, command, database="wordpress"):
        """Rows of an answer, as lists of texts."""
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names", database]
        return [line.split("\t") for line in common.run([*client, "-e", command]).stdout.splitlines()]

    def files(self, server, key):
        common.run(["cp", "-rL", SOURCE, self.root])
        settings = {
            "DB_NAME": "wordpress", "DB_USER": "root", "DB_PASSWORD": "", "DB_HOST": f"localhost:{self.socket}",
            "DB_CHARSET": "utf8mb4", "WP_HOME": self.url, "WP_SITEURL": self.url, "COPYDESK_URL": server.url,
            "DISABLE_WP_CRON": True, "AUTOMATIC_UPDATER_DISABLED": True, "WP_HTTP_BLOCK_EXTERNAL": True, "WP_ACCESSIBLE_HOSTS": HOST,
            "WP_DEFAULT_THEME": "twentytwentyone",
        }
        if key:
            settings["COPYDESK_KEY"] = key
        lines = [f"define( '{name}', {json.dumps(value)} );" for name, value in settings.items()]
        lines += [
            "$table_prefix = 'wp_';", "defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );", "require_once ABSPATH . 'wp-settings.php';",
        ]
        (self.root / "wp-config.php").write_text("<?php\n" + "\n".join(lines) + "\n")
        ours = self.root / "wp-content" / "mu-plugins"
        ours.mkdir()
        shutil.copy(common.ROOT / "deploy" / "wordpress" / "copydesk-akismet.php", ours)

    def php(self, name, *arguments):
        ours = common.ROOT / "deploy" / "wordpress" / f"{name}.php"
        script = ours if ours.exists() else common.HERE / "wordpress" / f"{name}.php"
        return common.run(["php", "-d", "sendmail_path=/bin/true", script, self.root, *arguments]).stdout

    def plugin_is_unmodified(self):
        plugin = Path("wp-content/plugins/akismet")
        done = subprocess.run(["diff", "-r", SOURCE / plugin, self.root / plugin], capture_output=True, text=True)
        verified = common.run(["dpkg", "--verify", "wordpress"], check=False).stdout
        return not done.stdout and "akismet" not in verified

    # A visitor, with an address of its own each time: WordPress takes one comment in 15 s from the same.

    def comment(self, text, **more):
        """Fills in the form below the post; gives the comment's number and what became of it."""
        address = f"127.0.0.{self.visitors}"
        self.visitors += 1
        page = self.visit("GET", f"/?p={self.post}", address)[2]
        form = re.search(r'<form[^>]*id="commentform".*?</form>', page, re.S)
        if not form:
            raise SystemExit(f"no form for comments below the post:\n{page[:2000]}")
        fields = hidden_fields(form[0])
        fields |= {
            "comment": text, "author": f"Visitor {self.visitors}", "email": f"visitor{self.visitors}@mail.example", "url": "", **more,
        }
        before = self.newest()
        status, _, answer = self.visit("POST", "/wp-comments-post.php", address, urllib.parse.urlencode(fields))
        number = self.newest()
        return (number, self.state(number)) if number != before else (None, f"status {status}: {answer[:200]}")

    def visit(self, method, path, address, body=None):
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60, source_address=(address, 0))
        head = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Mozilla/5.0", "Referer": f"{self.url}/?p={self.post}"}
        connection.request(method, path, body, head)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read().decode(errors="replace")
        connection.close()
        return found

    def newest(self):
        return int(self.sql("SELECT COALESCE(MAX(comment_ID), 0) FROM wp_comments")[0][0])

    def state(self, number):
        named = {"1": "published", "0": "held", "spam": "spam", "trash": "trash"}
        return named[self.sql(f"SELECT comment_approved FROM wp_comments WHERE comment_ID = {number}")[0][0]]

    def facts(self, number):
        """What the plugins stored of a comment."""
        rows = self.sql(f"SELECT meta_key, meta_value FROM wp_commentmeta WHERE comment_id = {number}")
        return {row[0]: row[1] for row in rows}

    # The owner, in the administration.

    def open(self, path, fields=None):
        body = urllib.parse.urlencode(fields).encode() if fields else None
        with self.browser.open(urllib.parse.urljoin(self.url, path), body, timeout=60) as answer:
            return answer.read().decode(errors="replace")

    def log_in(self):
        self.open("/wp-login.php")
        return self.open("/wp-login.php", {
            "log": "editor", "pwd": self.password, "wp-submit": "Log In", "testcookie": "1", "redirect_to": f"{self.url}/wp-admin/",
        })

    def enter_key(self, key):
        """Types the key into the plugin's page; gives the key that it stored."""
        page = "/wp-admin/options-general.php?page=akismet-key-config&view=enter-key"
        found = self.open(page)
        form = next((form for form in re.findall(r"<form.*?</form>", found, re.S) if 'value="enter-key"' in form), None)
        if form is None:
            return "no form for a key"
        self.open(page, {**hidden_fields(form), "action": "enter-key", "key": key})
        rows = self.sql("SELECT option_value FROM wp_options WHERE option_name = 'wordpress_api_key'")
        return rows[0][0] if rows else "none"

    def decide(self, number, action):
        """Follows the link below a comment in the list: spamcomment or unspamcomment."""
        listed = self.open("/wp-admin/edit-comments.php?comment_status=" + ("spam" if action == "unspamcomment" else "all"))
        links = [html.unescape(link) for link in re.findall(r"href='([^']*)'|href=\"([^\"]*)\"", listed) for link in link if link]
        wanted = [link for link in links if f"action={action}" in link and re.search(rf"[?&]c={number}(&|$)", link)]
        if not wanted:
            return "no link in the list of comments"
        self.open("/wp-admin/" + wanted[0].removeprefix("/wp-admin/"))
        return self.state(number)


def hidden_fields(form):
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {name: html.unescape(value) for name, value in re.findall(r"""([\w-]+)=["']([^"']*)["']""", tag)}
        if attributes.get("type") == "hidden" and "name" in attributes:
            fields[attributes["name"]] = attributes.get("value", "")
    return fields


def filtered(table, copydesk, site, name, path, wanted):
    """`copydesk filter` over an export: every comment comes out with a verdict, and WordPress takes the verdicts."""
    out = path.with_suffix(".jsonl")
    done = common.run([copydesk, "filter", path, "--mark", out], check=False)
    if not table.check(f"copydesk filter reads the {name} export", done.returncode == 0, done.stderr.strip()[-200:]):
        return
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    numbers = [str(row.get("comment_id", row.get("id"))) for row in rows]
    table.check(f"every comment of the {name} export comes out", sorted(numbers) == sorted(wanted), f"{len(rows)} records: {', '.join(numbers)}")
    given = [row for row in rows if isinstance(row.get("spam"), bool) and row.get("reason")]
    table.check(f"each with a verdict and a reason ({name})", len(given) == len(rows), f"{rows[-1].get('spam_score')}, {rows[-1].get('reason')}")
    answer = site.php("apply", out, "--both")
    wrong = [number for number, row in zip(numbers, rows) if (site.state(number) == "spam") != row["spam"]]
    table.check(f"WordPress takes the verdicts on the {name} export", not wrong, answer.strip() or f"{len(rows)} comments")


def main():
    arguments = common.arguments(__doc__, keep={"type": Path, "help": "folder for the exports"})
    table = common.Table("WordPress and its Akismet plugin")
    common.install(*PACKAGES)
    folder = common.temporary_folder()
    server = common.Server(arguments.copydesk, folder)
    short = re.fullmatch("[0-9a-f]{12}", server.key) is not None
    table.check("a new key is one that the plugin takes: 12 hexadecimal digits", short, f"{len(server.key)} characters")
    if not short:
        server.stop()
        server = common.Server(arguments.copydesk, folder, key=False)
        server.key = secrets.token_hex(6)

    site = Site(folder, server, None)
    version = re.search(r"\$wp_version = '([^']*)'", (site.root / "wp-includes/version.php").read_text())[1]
    akismet = re.search(r"Version: (\S+)", (site.root / "wp-content/plugins/akismet/akismet.php").read_text())[1]
    table.check("the plugin is Debian's, unmodified", site.plugin_is_unmodified(), f"WordPress {version}, Akismet {akismet}")

    verdict = site.php("verify", server.key)
    table.check("the plugin's own code verifies the key", verdict == "valid", verdict)
    if short:
        verdict = site.php("verify", "0" * 12)
        table.check("and refuses another", verdict == "invalid", verdict)
    table.check("the owner logs in", "wp-admin-bar" in site.log_in(), "yes")
    stored = site.enter_key(server.key)
    if not table.check("the plugin's page takes the key", stored == server.key, "stored" if stored == server.key else stored):
        config = site.root / "wp-config.php"
        config.write_text(config.read_text().replace("<?php\n", f"<?php\ndefine( 'COPYDESK_KEY', '{server.key}' );\n"))
        # Else PHP goes on with the file that it has compiled.
        time.sleep(3)

    number, state = site.comment(common.GENUINE)
    table.check("a genuine comment is not spam", state == "published", state)
    facts = site.facts(number) if number else {}
    table.check("the plugin asked our server", facts.get("akismet_result") == "false", facts.get("akismet_result"))
    table.check("score and reason are stored with the comment", "copydesk_verdict" in facts, facts.get("copydesk_verdict", "nothing"))
    table.check("and shown in the list of comments", "column-copydesk" in site.open("/wp-admin/edit-comments.php"), "a column")
    state = site.comment(CAUGHT, author="casino bonus", url="http://casino-spins.example/")[1]
    table.check("spam is caught", state == "spam", state)

    for alarm in FALSE_ALARMS:
        number, state = site.comment(alarm)
        if state == "spam":
            break
    if table.check("a reader's tip is caught as well", state == "spam", f"{state}: {alarm}"):
        state = site.decide(number, "unspamcomment")
        table.check("the owner says: not spam", state in ("published", "held"), state)
        told = site.facts(number).get("akismet_user_result")
        table.check("the plugin told our server (submit-ham)", told == "false", told)
        state = site.comment(like(alarm, "today"))[1]
        table.check("the next one like it passes", state == "published", state)

    missed = None
    for text in QUIET_SPAM:
        number, state = site.comment(text)
        if state == "published":
            missed = text
            break
    table.check("spam without a mark of it passes at first", missed, state)
    if missed:
        state = site.decide(number, "spamcomment")
        told = site.facts(number).get("akismet_user_result")
        table.check("the owner says: spam", (state, told) == ("spam", "true"), f"{state}, submit-spam {told}")
        state = site.comment(like(missed, "again"))[1]
        table.check("the next one like it is caught", state == "spam", state)
    state = site.comment(common.GENUINE.replace("rye", "spelt"))[1]
    table.check("another genuine comment still passes", state == "published", state)

    server.kill()
    number, state = site.comment("Is the stove from the same maker as the one in the hut? Ours smokes whenever the wind turns.")
    error = site.facts(number).get("akismet_error") if number else "none"
    table.check("with our server gone a comment is held and nothing is lost", state == "held" and error, f"{state}, to be asked again")
    server.start()

    # WordPress' own export leaves out what it holds for spam.
    everything = [row[0] for row in site.sql("SELECT comment_ID FROM wp_comments")]
    not_spam = [row[0] for row in site.sql("SELECT comment_ID FROM wp_comments WHERE comment_approved <> 'spam'")]
    dump = ["mariadb-dump", "--no-defaults", f"--socket={site.socket}", "--user=root", "wordpress"]
    for name, path, content, wanted in [
        ("WXR", folder / "export.xml", lambda: site.php("export"), not_spam),
        ("SQL", folder / "export.sql", lambda: common.run(dump).stdout, everything),
    ]:
        path.write_text(content())
        table.check(f"a real {name} export is made", path.stat().st_size > 10_000, f"{path.stat().st_size} bytes, {len(wanted)} comments")
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, arguments.keep)
        filtered(table, arguments.copydesk, site, name, path, wanted)

    failed = [line for line in (folder / "php.log").read_text().splitlines() if "PHP Fatal" in line or "copydesk-akismet.php" in line]
    table.check("our plugin caused no message of PHP", not failed, failed[0] if failed else "none")
    table.finish()


if __name__ == "__main__":
    main()
