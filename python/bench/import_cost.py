"""What an import costs besides FastAPI's own: milliseconds of CPU time, and KiB of memory, as JSON.

python import_cost.py MODULE
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path

import fastapi  # noqa: F401 - what is already there

_NOW = Path("/proc/self/statm")


def memory() -> int:
    """KiB: now, or where the system doesn't say that, at most so far."""
    if _NOW.exists():
        return int(_NOW.read_text().split()[1]) * resource.getpagesize() // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


before, started = memory(), time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps({"ms": (time.process_time() - started) * 1e3, "KiB": memory() - before}))
