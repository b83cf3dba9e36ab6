"""Writes what the benchmark found: docs/speed.json, the chart docs/speed.svg, and the figures in README.md.

bench_pages.py     write chart and figures again, from docs/speed.json
"""

from __future__ import annotations

import json
import sys
from html import escape
from typing import Any

import local
from bench_machine import write_figures

RESULTS = local.ROOT / "docs" / "speed.json"
CHART = local.ROOT / "docs" / "speed.svg"
README = local.ROOT / "README.md"
BEGIN = "<!-- make bench writes this -->\n"

# Key of rows in the results: how README says what was measured.
SAID = {
    "engine/new": "The engine, a new RS256 token",
    "engine/seen": "The engine, a token that came before",
    "python/new": "`verify_request`, a new token",
    "python/seen": "`verify_request`, a token that came before",
    "python/dpop": "`verify_request`, DPoP",
    "http/httptools/seen": "A guarded route under uvicorn (httptools), a token that came before",
    "http/httptools/new": "The same, every token new",
    "import/ms": "Import, besides FastAPI's own",
}
CHARTED = {
    "python/new": "CPU time to verify a new token, µs",
    "python/seen": "CPU time to verify a token that came before, µs",
    "http/httptools/seen": "Requests per second to a route, tokens that came before",
}

_BAR, _GAP, _TITLE, _LEFT, _WIDTH = 18, 6, 30, 190, 720


def write(rows: list[dict[str, Any]], machine: dict[str, str]) -> None:
    """Write all three files."""
    RESULTS.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")
    rewrite()


def rewrite() -> None:
    """Write chart and figures from the file of results."""
    results = json.loads(RESULTS.read_text())
    CHART.write_text(chart(results["rows"]))
    write_figures(README, BEGIN, _figures(results))


def _figures(results: dict[str, Any]) -> str:
    lines = [
        "![CPU time and requests per second, Bearward and others](docs/speed.svg)",
        "",
        "| | Bearward | compared with |",
        "|---|---|---|",
    ]
    for key, said in SAID.items():
        rows = [row for row in results["rows"] if row["key"] == key]
        own = next(row for row in rows if row["name"].startswith("bearward"))
        lines.append(f"| {said} | {_value(own)} | {'; '.join(_compared(own, row) for row in rows if row is not own)} |")
    machine = results["machine"]
    lines += ["", f"Measured with `make bench` on {machine['cpu']}, Python {machine['python']}.", ""]
    return "\n".join(lines)


def _value(row: dict[str, Any]) -> str:
    unit = {"us": "µs"}.get(row["unit"], row["unit"])
    return f"{_rounded(row['value'])} {unit}"


def _compared(own: dict[str, Any], other: dict[str, Any]) -> str:
    """The ratio of the pairs that were measured in turn, not of the two medians."""
    more = own["ratio"] / other["ratio"]
    if own["unit"] == "requests/s":
        return f"{_rounded(more)} times the requests of {other['name']}"
    faster = more if own["compared"] == "x as fast" else 1 / more
    if faster < 1:
        return f"{_rounded(1 / faster)} times the time of {other['name']}"
    return f"{_rounded(faster)} times as fast as {other['name']}"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def chart(rows: list[dict[str, Any]]) -> str:
    """Bars as SVG, in the reader's light or dark colours."""
    parts: list[str] = []
    y = 0
    for key, title in CHARTED.items():
        shown = [row for row in rows if row["key"] == key]
        longest = max(row["value"] for row in shown)
        y += _TITLE
        parts.append(f'<text class="title" x="0" y="{y - 10}">{escape(title)}</text>')
        for row in shown:
            parts += _bar(row, longest, y)
            y += _BAR + _GAP
    style = (
        "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.own{fill:#0969da}.other{fill:#8c959f}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.own{fill:#4493f8}.other{fill:#6e7681}}"
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}" role="img">'
    )
    return "\n".join([head, f"<style>{style}</style>", *parts, "</svg>", ""])


def _bar(row: dict[str, Any], longest: float, y: int) -> list[str]:
    width = max(1.0, row["value"] / longest * (_WIDTH - _LEFT - 80))
    kind = "own" if row["name"].startswith("bearward") else "other"
    return [
        f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(row["name"])}</text>',
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>',
        f'<text x="{_LEFT + width + 6:.1f}" y="{y + 14}">{_rounded(row["value"])}</text>',
    ]


if __name__ == "__main__":
    rewrite()
    sys.exit(0)
