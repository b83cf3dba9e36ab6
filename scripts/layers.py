"""Checks that dependencies point inward: which crate of the workspace may use which, and what the engine may not use.

Reads `cargo metadata`. Only normal and build dependencies count: tests and benchmarks may use what they like.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# Crate of the workspace -> crates of the workspace that it may use. Every crate must be listed.
ALLOWED = {
    "bearward-core": set(),
    "bearward-exchange": {"bearward-core"},
    "bearward-issuer": {"bearward-core"},
    "bearward-cli": {"bearward-core", "bearward-exchange", "bearward-issuer"},
    "bearward-python": {"bearward-core", "bearward-exchange"},
}

# What a crate without IO must not use.
IO = {
    "async-std",
    "hyper",
    "log",
    "mio",
    "pyo3",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "time",
    "tokio",
}

# Crates that must not be used, directly or indirectly. The engine and client flows do no IO, and production code can't sign tokens.
FORBIDDEN = {
    "bearward-core": IO,
    "bearward-exchange": IO,
    "bearward-python": {"bearward-issuer", "hyper", "mio", "reqwest", "rustls", "socket2", "tokio"},
}


def main() -> int:
    """Print what is wrong and return 1, or return 0."""
    graph = Graph(_metadata())
    problems = [*_wrong_edges(graph), *_forbidden(graph)]
    for problem in problems:
        print(f"layers: {problem}", file=sys.stderr)
    if not problems:
        print(f"layers: the {len(graph.members)} crates depend on each other as they should")
    return 1 if problems else 0


class Graph:
    """Which package depends on which, by name."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        names = {package["id"]: package["name"] for package in metadata["packages"]}
        self.members = sorted(names[member] for member in metadata["workspace_members"])
        self.uses: dict[str, set[str]] = {}
        for node in metadata["resolve"]["nodes"]:
            used = {
                names[dep["pkg"]] for dep in node["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
            }
            # Two versions of a crate share a name, so their dependencies are merged.
            self.uses.setdefault(names[node["id"]], set()).update(used)

    def reach(self, crate: str) -> dict[str, str]:
        """Everything `crate` uses, directly or indirectly, and which crate uses it directly."""
        found: dict[str, str] = {}
        waiting = [crate]
        while waiting:
            user = waiting.pop()
            for used in sorted(self.uses[user] - found.keys()):
                found[used] = user
                waiting.append(used)
        return found


def _metadata() -> dict[str, Any]:
    cargo = subprocess.run(["cargo", "metadata", "--format-version", "1"], check=False, stdout=subprocess.PIPE)
    if cargo.returncode:
        sys.exit(cargo.returncode)
    metadata: dict[str, Any] = json.loads(cargo.stdout)
    return metadata


def _wrong_edges(graph: Graph) -> list[str]:
    problems = []
    for crate in graph.members:
        if crate not in ALLOWED:
            problems.append(f"{crate} has no layer: say in {sys.argv[0]} what it may use")
            continue
        wrong = (graph.uses[crate] & set(graph.members)) - ALLOWED[crate]
        problems += [f"{crate} must not depend on {used}" for used in sorted(wrong)]
    return problems


def _forbidden(graph: Graph) -> list[str]:
    problems = []
    for crate, forbidden in FORBIDDEN.items():
        reached = graph.reach(crate)
        problems += [
            f"{crate} must not use {used}, but {reached[used]} does" for used in sorted(forbidden & reached.keys())
        ]
    return problems


if __name__ == "__main__":
    sys.exit(main())
