"""Kills a server at random moments while owners decide; every decision that it acknowledged must be there afterwards.

    python3 feedback_kills.py COPYDESK [KILLS]
"""

import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CLIENTS = 4

program, kills = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
moments = random.Random(22)
lock = threading.Lock()
acknowledged, sent = [], 0


def decide(port, stop):
    global sent
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while not stop.is_set():
        with lock:
            sent += 1
            number = sent
        text, spam = f"Decision number {number} that an owner made about a comment", number % 2 == 0
        body = json.dumps({"comment": {"text": text}, "spam": spam})
        try:
            connection.request("POST", "/v1/feedback", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            stored = answer.status == 200 and json.loads(answer.read())["stored"]
        except (OSError, http.client.HTTPException, ValueError):
            # The server is gone; what it did not answer counts for nothing.
            return
        if stored:
            with lock:
                acknowledged.append((text, spam))


with tempfile.TemporaryDirectory() as folder:
    store = str(Path(folder) / "store.db")
    for _ in range(kills):
        command = [program, "serve", "--listen", "127.0.0.1:0", "--store", store, "--model", "fast", "--threads", "1"]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = server.stderr.readline()
        address = re.search(r":(\d+)\s*$", line)
        if not address:
            server.kill()
            sys.exit(f"no address: {line}")
        stop = threading.Event()
        clients = [threading.Thread(target=decide, args=(int(address[1]), stop)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(moments.uniform(0, 0.15))
        server.kill()
        server.wait()
        stop.set()
        for client in clients:
            client.join()
    exported = subprocess.run([program, "serve", "export", "--store", store], capture_output=True, text=True, check=True)
    rows = map(json.loads, exported.stdout.splitlines())
    kept = {(row["text"], row["spam"]) for row in rows}

lost = [decision for decision in acknowledged if decision not in kept]
print(f"{kills} kills: {len(acknowledged)} decisions acknowledged, {len(lost)} lost")
if lost or len(acknowledged) < kills:
    sys.exit(1)
