"""kill -9 while owners report comments: what was acknowledged must be there afterwards."""

import random
import sqlite3
import threading
import time

import common

WORDS = """amber anchor apron autumn bakery barley basket beacon bottle bridge bucket butter candle canvas carrot cellar chapel
cherry chimney cider clover cobble copper cotton cradle cricket crumb curtain daisy dough drawer drift ember engine fennel ferry fiddle
flint flour forest fountain gander garden garlic ginger granite gravel hammer harbour hazel heather hedge honey hornet island ivory jacket
jasmine kettle kitchen ladder lantern larder laurel lemon linen lobster magnet maple marble meadow mitten mortar mustard needle nettle oatmeal
orchard oven paddle parcel parsley pebble pepper pewter pickle pillow pigeon plaster poplar pottery pumpkin quarry quilt rabbit raisin
ribbon river rosemary saddle saffron sandal saucer shovel silver slate sparrow spindle sponge stable steeple stove summer sunlight
tablet tallow teapot thicket thimble thistle timber tinder trellis trumpet tulip tunnel turnip valley velvet vessel village vinegar
violin wagon walnut weaver wheel whistle willow window winter yeast zephyr""".split()
THREADS = 4


def text(number):
    """A text like no other."""
    chosen = random.Random(number)
    return " ".join(chosen.choice(WORDS) for _ in range(30)) + f" number {number}"


class Owner(threading.Thread):
    """Reports comments until the server is gone; keeps what was acknowledged."""

    def __init__(self, server, numbers, acknowledged, answers):
        super().__init__(daemon=True)
        self.server, self.numbers, self.acknowledged, self.answers = server, numbers, acknowledged, answers

    def run(self):
        while True:
            number = next(self.numbers)
            spam = number % 2 == 0
            path = "/1.1/submit-spam" if spam else "/1.1/submit-ham"
            try:
                status, _, body = self.server.post(path, self.server.comment(text(number)), timeout=10)
            except (OSError, EOFError, Exception):
                return
            if (status, body) == (200, common.THANKS):
                self.acknowledged[number] = spam
            else:
                self.answers.append((status, body[:80]))
                if status >= 400 and status != 429:
                    return


class Numbers:
    """Counts for all threads."""

    def __init__(self):
        self.number, self.lock = 0, threading.Lock()

    def __next__(self):
        with self.lock:
            self.number += 1
            return self.number


def kills(program, folder, times):
    """Whether nothing acknowledged was lost over so many kills."""
    folder = folder / "kills"
    folder.mkdir()
    server = common.Server(program, folder)
    if not server.remembers:
        print("kill -9: this server has no --store")
        server.stop()
        return False
    numbers, acknowledged, answers, random_pause = Numbers(), {}, [], random.Random(1)
    starts = []
    for round_number in range(times):
        owners = [Owner(server, numbers, acknowledged, answers) for _ in range(THREADS)]
        before = len(acknowledged)
        for owner in owners:
            owner.start()
        # Not before something was acknowledged, so that every kill could lose something.
        until = time.monotonic() + 10
        while len(acknowledged) == before and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(random_pause.uniform(0.0, 0.15))
        server.kill()
        for owner in owners:
            owner.join()
        begin = time.monotonic()
        server.start()
        starts.append(time.monotonic() - begin)
        if (round_number + 1) % 20 == 0:
            print(f"  {round_number + 1} kills, {len(acknowledged)} acknowledged", flush=True)

    wrong = []
    for number, spam in sorted(acknowledged.items()):
        answer = server.post("/1.1/comment-check", {**server.comment(text(number)), "is_test": "1"})[2]
        if answer != ("true" if spam else "false"):
            wrong.append((number, spam, answer))
    server.stop()
    with sqlite3.connect(folder / "feedback.sqlite") as store:
        stored = {row[0]: bool(row[1]) for row in store.execute("SELECT text, spam FROM feedback")}
        sound = store.execute("PRAGMA integrity_check").fetchone()[0]
    lost = [number for number, spam in acknowledged.items() if stored.get(text(number)) != spam]
    fine = acknowledged and not lost and not wrong and sound == "ok"
    print(
        f"\n| kills | reported | acknowledged | lost | verdict not as told | other answers | store | slowest start |\n"
        f"|---:|---:|---:|---:|---:|---:|---|---:|\n"
        f"| {times} | {numbers.number} | {len(acknowledged)} | {len(lost)} | {len(wrong)} | {len(answers)} | {sound} | {max(starts, default=0) * 1e3:.0f} ms |"
    )
    for what in wrong[:5] + answers[:5]:
        print("  ", what)
    return bool(fine)
