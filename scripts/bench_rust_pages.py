"""Writes what the benchmark of the Rust crate found: docs/speed-rust.json, and the figures in README.md.

bench_rust_pages.py     write the figures again, from docs/speed-rust.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

import local
from bench_machine import write_figures

RESULTS = local.ROOT / "docs" / "speed-rust.json"
README = local.ROOT / "README.md"
BEGIN = "<!-- make bench-rust writes this -->\n"
# Keys of rows in the results: what the columns of the table are.
COLUMNS = ["rust-cpu/new", "rust-rate/new", "rust-cpu/seen", "rust-rate/seen"]


def write(rows: list[dict[str, Any]], machine: dict[str, str], versions: dict[str, str]) -> None:
    """Write both files."""
    names = {row["name"] for row in rows}
    crates = {name: version for name, version in versions.items() if name in names}
    RESULTS.write_text(json.dumps({"machine": machine, "crates": crates, "rows": rows}, indent=2) + "\n")
    rewrite()


def rewrite() -> None:
    """Write the figures from the file of results."""
    write_figures(README, BEGIN, _figures(json.loads(RESULTS.read_text())))


def _figures(results: dict[str, Any]) -> str:
    lines = [
        "| | CPU time, new token | requests/s | CPU time, token that came before | requests/s |",
        "|---|---|---|---|---|",
    ]
    values = {(row["key"], row["name"]): row["value"] for row in results["rows"]}
    for name in dict.fromkeys(row["name"] for row in results["rows"] if row["key"] == COLUMNS[1]):
        version = f" {results['crates'][name]}" if name in results["crates"] else ""
        cells = [_cell(key, values.get((key, name))) for key in COLUMNS]
        lines.append(f"| {name}{version} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Measured with `make bench-rust` on {results['machine']['cpu']}; server and load have a CPU each.",
        "",
    ]
    return "\n".join(lines)


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f} µs" if key.startswith("rust-cpu") else f"{value:,.0f}"


if __name__ == "__main__":
    rewrite()
    sys.exit(0)
