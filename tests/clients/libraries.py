#!/usr/bin/env python3
"""Three published clients of the Akismet protocol, unmodified, against `copydesk serve`.

    libraries.py --copydesk target/release/copydesk

They are akismet of PyPI, and akismet-api and akismet of npm. Needs Python, Node.js and npm; the clients are installed into a
temporary folder.
"""

import json
import shutil

import common

PYTHON = "akismet==25.10.1"


def main():
    arguments = common.arguments(__doc__)
    table = common.Table("Published clients, unmodified")
    folder = common.temporary_folder()
    common.install(*(name for name, program in [("nodejs", "node"), ("npm", "npm")] if not shutil.which(program)))
    scripts = folder / "libraries"
    shutil.copytree(common.HERE / "libraries", scripts, ignore=shutil.ignore_patterns("node_modules"))
    common.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=scripts)
    python = common.environment(folder, PYTHON)

    node = ["node", "--no-deprecation", "--require", scripts / "loopback.js"]
    for name, command in [
        (f"Python {PYTHON}", [python, scripts / "python_akismet.py"]),
        ("npm akismet-api 6.0.0", [*node, scripts / "akismet_api.js"]),
        ("npm akismet 2.0.7", [*node, scripts / "akismet.js"]),
    ]:
        # A server for each: what one client reports must not decide what another one sees.
        (folder / name).mkdir()
        server = common.Server(arguments.copydesk, folder / name)
        facts = {
            "port": server.port, "key": server.key, "wrong": "0" * len(server.key), "spam": common.SPAM,
            "genuine": common.GENUINE,
        }
        done = common.run([*command, json.dumps(facts)], check=False, timeout=120)
        checks = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        for check in checks:
            table.check(f"{name}: {check['what']}", check["good"], check["seen"])
        table.check(f"{name}: ran to its end", done.returncode == 0 and checks, done.stderr[-300:] or "yes")
        server.stop()
    table.finish()


if __name__ == "__main__":
    main()
