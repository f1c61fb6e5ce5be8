"""How many threads a labeller takes where nobody says so."""

from __future__ import annotations

import os
import sys


def usual() -> int:
    """Threads for this process: ``COPYDESK_THREADS``, else ``OMP_NUM_THREADS``, which Ray and Spark set for their workers, else 1 in
    a process that another Python process started to share work with it, else the cores that this process may use."""
    for name in ("COPYDESK_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    # `multiprocess` is what datasets and datatrove use in place of `multiprocessing`.
    for name in ("multiprocessing", "multiprocess"):
        module = sys.modules.get(f"{name}.process")
        if module is not None and module.parent_process() is not None:
            return 1
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
