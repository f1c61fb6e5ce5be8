#!/usr/bin/env python3
"""Main content of HTML pages: `copydesk content` beside trafilatura, on two benchmarks, in one run.

    html_content.py --copydesk target/release/copydesk --wcxb DIR [--split test] --scrapinghub DIR [--repeats 3]

DIR are clones of Murrough-Foley/web-content-extraction-benchmark and scrapinghub/article-extraction-benchmark, which hold
the pages. trafilatura must be installed (`python3 -m venv venv; venv/bin/pip install trafilatura lxml_html_clean`, then run
this script with venv/bin/python). Without --copydesk or without trafilatura only the other one is measured.

WCXB's measure is the word F1 of its own evaluate.py, the mean over pages; the interval is a 95% bootstrap over pages.
ScrapingHub's is the F1 of its own evaluate.py (runs of four words), which is loaded from the clone.

Times: each program reads every page `--repeats` times, page after page by turns, one thread; the median per page is taken and
then the median and the mean over pages, with the spread of the repeats. copydesk is started for each page, so its time holds
the start of the process; trafilatura's does not. Its time for all pages in one process stands beside it.
Nothing of the pages' texts is written anywhere but to a temporary folder.
"""

import argparse
import gzip
import importlib.util
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

WORDS = re.compile(r"\w+")


def word_f1(predicted: str, reference: str) -> float:
    """As in WCXB's evaluate.py."""
    found, wanted = WORDS.findall(predicted.lower()), WORDS.findall(reference.lower())
    if not wanted:
        return 0.0 if found else 1.0
    both = sum((Counter(found) & Counter(wanted)).values())
    return 2 * both / (len(found) + len(wanted)) if both else 0.0


def interval(values: list[float], draws: int = 2000) -> tuple[float, float]:
    """95% bootstrap interval of the mean."""
    chance = random.Random(1)
    means = sorted(statistics.fmean(chance.choices(values, k=len(values))) for _ in range(draws))
    return means[int(draws * 0.025)], means[int(draws * 0.975)]


def wcxb(folder: Path, split: str) -> list[dict]:
    pages = []
    for path in sorted((folder / split / "ground-truth").glob("*.json")):
        data = json.loads(path.read_text())
        truth = data.get("ground_truth") or {}
        kind = ((data.get("_internal") or {}).get("page_type") or {}).get("primary", "article")
        source = folder / split / "html" / f"{path.stem}.html.gz"
        html = gzip.decompress(source.read_bytes())
        content = truth.get("main_content") or ""
        pages.append({"id": path.stem, "kind": "collection" if kind == "category" else kind, "html": html, "content": content})
    return pages


def scrapinghub(folder: Path) -> list[dict]:
    truth = json.loads((folder / "ground-truth.json").read_text())
    return [
        {"id": name, "html": gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())} for name in truth
    ]


def by_copydesk(program: str, files: list[Path]) -> dict[str, str]:
    command = [program, "content", "--quiet", *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command[:3])} …: {done.stderr.decode()}")
    rows = map(json.loads, done.stdout.decode().splitlines())
    return {Path(row["doc"]).stem: row["text"] for row in rows}


def by_trafilatura(html: bytes) -> str:
    import trafilatura

    return trafilatura.extract(html) or ""


def measure_times(name: str, pages: list[dict], files: list[Path], args: argparse.Namespace, rivals: list[str]) -> None:
    times: dict[str, list[list[float]]] = {rival: [] for rival in rivals}
    chosen = list(zip(pages, files))[:: max(1, len(pages) // args.timed)]
    for _ in range(args.repeats):
        run = {rival: [] for rival in rivals}
        for page, file in chosen:
            for rival in rivals:
                start = time.perf_counter()
                if rival == "copydesk":
                    by_copydesk(args.copydesk, [file])
                else:
                    by_trafilatura(page["html"])
                run[rival].append(time.perf_counter() - start)
        for rival in rivals:
            times[rival].append(run[rival])
    for rival in rivals:
        per_page = [statistics.median(values) for values in zip(*times[rival])]
        means = [statistics.fmean(run) * 1000 for run in times[rival]]
        spread = (max(means) - min(means)) / statistics.median(means)
        print(
            f"{name} {rival}: ms per page median {statistics.median(per_page) * 1000:.1f}, mean"
            f" {statistics.fmean(per_page) * 1000:.1f} (spread of {args.repeats} runs ±{spread:.0%}, {len(chosen)} pages)"
        )
    if "copydesk" in rivals:
        batch = []
        for _ in range(args.repeats):
            start = time.perf_counter()
            by_copydesk(args.copydesk, [file for _, file in chosen])
            batch.append((time.perf_counter() - start) / len(chosen) * 1000)
        print(f"{name} copydesk, all pages in one process: ms per page {statistics.median(batch):.1f}")


def extract(pages: list[dict], files: list[Path], args: argparse.Namespace, rivals: list[str]) -> dict[str, dict[str, str]]:
    found = {}
    if "copydesk" in rivals:
        found["copydesk"] = by_copydesk(args.copydesk, files)
    if "trafilatura" in rivals:
        found["trafilatura"] = {page["id"]: by_trafilatura(page["html"]) for page in pages}
    return found


def write(pages: list[dict], folder: Path) -> list[Path]:
    folder.mkdir()
    files = []
    for page in pages:
        files.append(folder / f"{page['id']}.html")
        files[-1].write_bytes(page["html"])
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copydesk")
    parser.add_argument("--wcxb", type=Path)
    parser.add_argument("--split", default="test", choices=["dev", "test"])
    parser.add_argument("--scrapinghub", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timed", type=int, default=100, help="pages whose time is taken")
    args = parser.parse_args()
    rivals = ["copydesk"] if args.copydesk else []
    if importlib.util.find_spec("trafilatura"):
        rivals.append("trafilatura")
        import trafilatura

        print("trafilatura", trafilatura.__version__)
    with tempfile.TemporaryDirectory() as folder:
        if args.wcxb:
            pages = wcxb(args.wcxb, args.split)
            files = write(pages, Path(folder) / "wcxb")
            for rival, texts in extract(pages, files, args, rivals).items():
                kinds = defaultdict(list)
                for page in pages:
                    f1 = word_f1(texts.get(page["id"], ""), page["content"])
                    kinds["all"].append(f1)
                    kinds[page["kind"]].append(f1)
                for kind, values in sorted(kinds.items(), key=lambda item: (item[0] != "all", item[0])):
                    low, high = interval(values)
                    print(f"WCXB {args.split} {rival:12} {kind:14} {len(values):4} {statistics.fmean(values):.4f} [{low:.3f}, {high:.3f}]")
            if args.repeats:
                measure_times(f"WCXB {args.split}", pages, files, args, rivals)
        if args.scrapinghub:
            spec = importlib.util.spec_from_file_location("evaluate", args.scrapinghub / "evaluate.py")
            judge = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(judge)
            truth = json.loads((args.scrapinghub / "ground-truth.json").read_text())
            pages = scrapinghub(args.scrapinghub)
            files = write(pages, Path(folder) / "scrapinghub")
            for rival, texts in extract(pages, files, args, rivals).items():
                predicted = {name: {"articleBody": texts.get(name, "")} for name in truth}
                random.seed(1)
                metrics = judge.evaluate(truth, predicted, 1000)
                print(
                    f"ScrapingHub {rival:12} F1 {metrics['f1']:.3f} ± {metrics['f1_std']:.3f}"
                    f"  precision {metrics['precision']:.3f}  recall {metrics['recall']:.3f}"
                )
            if args.repeats:
                measure_times("ScrapingHub", pages, files, args, rivals)


if __name__ == "__main__":
    main()
