"""Measures what the guard of an MCP server costs per call of a tool, and writes it into docs/how-to/mcp.md.

bench_mcp.py           on a machine that does nothing else
bench_mcp.py --quick   fewer calls, to see that it works; prints only
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys

import local
from bench_machine import cpu, write_figures

PYTHON = local.ROOT / ".venvs" / "bench-mcp" / "bin" / "python"
PROGRAM = local.ROOT / "python" / "bench" / "mcp_call.py"
PAGE = local.ROOT / "docs" / "how-to" / "mcp.md"
BEGIN = "<!-- make bench-mcp writes this -->\n"
ROUNDS, CALLS = 31, 100

SAID = {
    "nothing": "no guard",
    "bearer": "the guard, Bearer, a token that came before",
    "operations": "the same, with `operations`",
    "dpop": "the guard, DPoP, a new proof for each call",
}


def main() -> int:
    """Measure, print, write."""
    quick = sys.argv[1:] == ["--quick"]
    arguments = ["2", "50"] if quick else [str(ROUNDS), str(CALLS)]
    done = subprocess.run([PYTHON, PROGRAM, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    figures = _figures(json.loads(done.stdout))
    print(figures)
    if not quick:
        write_figures(PAGE, BEGIN, figures)
    return 0


def _figures(times: dict[str, list[float]]) -> str:
    """The table, and how it was measured."""
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    lines = ["| A call of a tool | CPU time | of that, the guard |", "|---|---|---|"]
    for kind, said in SAID.items():
        more = [value - base for value, base in zip(times[kind], times["nothing"])]
        cost = "" if kind == "nothing" else f"{statistics.median(more):,.0f} µs"
        lines.append(f"| {said} | {medians[kind]:,.0f} µs | {cost} |")
    measured = f"Measured with `make bench-mcp` on {cpu()}, Python {platform.python_version()}, without sockets."
    return "\n".join([*lines, "", measured, ""])


if __name__ == "__main__":
    sys.exit(main())
