"""Counts the instructions and allocations of a request, and compares them with what is recorded.

Of the engine by itself, and with the driver and the layer of the Rust crate around it. Times depend on the machine and
on what else it does; counts don't. Valgrind counts what our own code and Rust's libraries do. The cryptography is left
out, and so is what chooses its code by the CPU: base64, copying in libc.

    counts.py           compare with crates/bearward-core/benches/counts.json
    counts.py --write   record
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).resolve().parent.parent
RECORD = TREE / "crates" / "bearward-core" / "benches" / "counts.json"
# A kind of request -> the package whose benchmark makes such requests. `layer-..` has what the engine does in it.
KINDS = {
    "seen": "bearward-core",
    "new": "bearward-core",
    "dpop-seen": "bearward-core",
    "layer-seen": "bearward",
    "layer-refused": "bearward",
}
BENCHMARKS = {"bearward-core": "verify", "bearward": "layer"}
# Instructions may be so much more before this fails. A change of the compiler's mood is less.
TOLERANCE = 0.03

_ALLOCATES = re.compile(r"(malloc|calloc|realloc|posix_memalign|aligned_alloc)$")
_BY_CPU = re.compile(r"base64_simd|vsimd|memchr")
# Of the benchmark itself.
_COUNTER = "allocation_counter"


def main() -> int:
    """Count, and compare or record."""
    if shutil.which("valgrind") is None:
        print("counts: skipped, because valgrind is not installed")
        return 0
    counts = {kind: _count(kind) for kind in KINDS}
    found = {"compiler": _compiler(), "tolerance": TOLERANCE, "per request": counts}
    if sys.argv[1:] == ["--write"]:
        RECORD.write_text(json.dumps(found, indent=2) + "\n")
        print(f"counts: recorded in {RECORD.relative_to(TREE)}")
        return 0
    recorded = json.loads(RECORD.read_text())
    for line in _lines(counts, recorded["per request"]):
        print(line)
    if recorded["compiler"] != found["compiler"]:
        print(f"counts: not compared, because they were recorded with {recorded['compiler']}. Record with `--write`.")
        return 0
    worse = list(_worse(counts, recorded["per request"]))
    for what in worse:
        print(f"counts: {what}. If that is worth it, record it: scripts/counts.py --write", file=sys.stderr)
    return 1 if worse else 0


def _count(kind: str) -> dict[str, int]:
    """Instructions and allocations of one request."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        # One report of what came before, and a second one of the function alone.
        valgrind += ["--dump-before=*count::counted", "--dump-after=*count::counted"]
        options = ["--compress-strings=no", "--compress-pos=no"]
        run = _output([*valgrind, *options, _benchmark(KINDS[kind]), "count", kind])
        requests = int(run.split()[-1])
        totals = {"instructions": 0, "allocations": 0}
        for what, count in _costs(Path(f"{out}.2").read_text()):
            totals[what] += count
    return {what: round(total / requests) for what, total in totals.items()}


def _costs(report: str) -> Iterator[tuple[str, int]]:
    """What each function of Rust cost by itself, and how often it allocated."""
    function = called = ""
    skip = False
    for line in report.splitlines():
        if line.startswith("fn="):
            function = line[3:]
        elif line.startswith("cfn="):
            called = line[4:]
        elif line.startswith("calls="):
            # The next line is what the called function cost.
            skip = True
            if _is_rust(function) and _ALLOCATES.match(called):
                yield "allocations", int(line[6:].split()[0])
        elif re.match(r"[+\-*\d]", line):
            if not skip and _is_rust(function) and not _is_left_out(function):
                yield "instructions", int(line.split()[1])
            skip = False


def _is_rust(function: str) -> bool:
    return "::" in function or function.startswith("<")


def _is_left_out(function: str) -> bool:
    return _BY_CPU.search(function) is not None or _COUNTER in function


def _lines(counts: dict[str, dict[str, int]], recorded: dict[str, Any]) -> Iterator[str]:
    for kind, count in counts.items():
        facts = ", ".join(f"{count[what]} {what} ({recorded.get(kind, {}).get(what)} recorded)" for what in count)
        yield f"counts: a request, {kind}: {facts}"


def _worse(counts: dict[str, dict[str, int]], recorded: dict[str, Any]) -> Iterator[str]:
    for kind, count in counts.items():
        before = recorded.get(kind, {"instructions": 0, "allocations": 0})
        if count["instructions"] > before["instructions"] * (1 + TOLERANCE):
            yield f"a request, {kind}, takes {count['instructions']} instructions instead of {before['instructions']}"
        if count["allocations"] > before["allocations"]:
            yield f"a request, {kind}, allocates {count['allocations']} times instead of {before['allocations']}"


@functools.cache
def _benchmark(package: str) -> str:
    """The benchmark's program, which is built if need be."""
    command = ["cargo", "bench", *shlex.split(os.environ.get("CARGO_FLAGS", "")), "--package", package]
    messages = _output([*command, "--bench", BENCHMARKS[package], "--no-run", "--message-format=json"])
    programs = [json.loads(line).get("executable") for line in messages.splitlines() if line.startswith("{")]
    program: str = next(program for program in reversed(programs) if program)
    return program


def _compiler() -> str:
    lines = _output(["rustc", "-vV"]).splitlines()
    facts = dict(line.split(": ", 1) for line in lines if ": " in line)
    return f"rustc {facts['release']} for {facts['host']}"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=TREE)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
