"""What all benchmarks need: a CPU for each program, its name, what programs print, and figures written into pages."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import local

if TYPE_CHECKING:
    from collections.abc import Sequence


# What ends the figures in a page.
END = "<!-- to here -->\n"


def on_cpu(number: int) -> list[str]:
    """The prefix that runs a command on one CPU, so that the server and the load don't share one."""
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        return []
    cpus = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(cpus[number])] if len(cpus) > number else []


def output(command: Sequence[str]) -> str:
    """What the command prints on stdout. If it fails, what it printed on stderr is shown."""
    process = subprocess.run(command, check=False, capture_output=True, text=True, cwd=local.ROOT, timeout=1800)
    if process.returncode:
        sys.stderr.write(process.stderr)
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return process.stdout


def cpu() -> str:
    """The name of the processor, and how many CPUs there are."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} CPUs"
    return f"{platform.machine()}, {os.cpu_count()} CPUs"


def say(what: str) -> None:
    """Print what is done now."""
    print(what, file=sys.stderr, flush=True)


def write_figures(page: Path, begin: str, figures: str) -> None:
    """Put the figures into the page, between the mark `begin` and the next END."""
    before, _, rest = page.read_text().partition(begin)
    _, _, behind = rest.partition(END)
    if not behind:
        raise ValueError(f"{page.name} has not both of {begin.strip()} and {END.strip()}")
    page.write_text(f"{before}{begin}{figures}{END}{behind}")
