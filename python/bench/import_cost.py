"""What an import costs besides FastAPI's own: milliseconds, and KiB of memory, as JSON.

python import_cost.py MODULE
"""

import importlib
import json
import resource
import sys
import time

import fastapi  # noqa: F401 - what is already there


def memory() -> int:
    """KiB, at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


before, started = memory(), time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps({"ms": (time.process_time() - started) * 1e3, "KiB": memory() - before}))
