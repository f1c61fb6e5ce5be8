#!/usr/bin/env python3
"""Requests made up from the server's own OpenAPI description, right and wrong ones: schema.py --copydesk target/release/copydesk

Runs schemathesis of PyPI against a server with a key and a store. Every answer must be one that the description names, with its type
and its shape, and none may have a status of 500 or more.
"""

import os
import re
import subprocess

import common

PACKAGE = "schemathesis==4.32.5"
# What is checked of every answer. Left out is what OpenAPI cannot say of Akismet's protocol: a wrong key, and anything that is no
# comment, is answered with status 200 there, or with 400 for a missing field that is described as optional for older clients.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method"


def main():
    arguments = common.arguments(__doc__, examples={"default": "100", "help": "requests of each route and kind [default: %(default)s]"})
    table = common.Table("Requests made up from the OpenAPI description")
    folder = common.temporary_folder()
    python = common.environment(folder, PACKAGE)
    server = common.Server(arguments.copydesk, folder, "--model", "fast")
    command = [
        python.parent / "schemathesis", "run", f"{server.url}/openapi.json", "--checks", CHECKS, "--header", f"X-Api-Key: {server.key}",
        "--max-examples", arguments.examples, "--seed", "1", "--workers", "2", "--generation-database", "none", "--continue-on-failure",
        "--request-timeout", "30", "--output-truncate", "true", "--no-color",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, "COLUMNS": "140"})
    if done.returncode:
        print(done.stdout[-12_000:], done.stderr[-2_000:], sep="\n")
    cases = re.search(r"([\d,]+) generated", done.stdout)
    routes = re.search(r"Tested: (\d+)", done.stdout)
    seen = f"{cases[1] if cases else 'no'} requests made up, {routes[1] if routes else 'no'} routes"
    table.check("schemathesis finds nothing", done.returncode == 0 and cases and routes, seen)
    metrics = server.get("/metrics")[1]
    failures = int(re.search(r'te_request_failure\{err="backend"\} (\d+)', metrics)[1])
    requests = sum(map(int, re.findall(r"te_request_count\{.*\} (\d+)", metrics)))
    table.check("no answer has a status of 500 or more", failures == 0, f"{requests} requests, {failures} failed")
    table.check("the server still runs", server.get("/health")[0] == 200, "health is 200")
    table.finish()


if __name__ == "__main__":
    main()
