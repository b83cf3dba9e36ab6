"""Checks that dependencies point inward and need no newer Rust, and that no modules import each other in a circle.

- Crates: which crate of the workspace may use which, and what the engine must not use. Read from `cargo metadata`. Only
  normal and build dependencies count: tests and benchmarks may use what they like.
- Rust: nothing that a crate uses says that it needs a newer Rust than the `rust-version` of that crate.
- Floors: a module of the engine imports only modules on lower floors, or on its own floor. Read from the source, as
  `modules.py` says.
- Circles: the files of a crate do not import each other in a circle, nor do the modules at its top, each taken with all
  that is in it. For the Python package this holds for its files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import modules

TREE = Path(__file__).resolve().parent.parent

# Crate of the workspace -> crates of the workspace that it may use. Every crate must be listed.
ALLOWED = {
    "bearward": {"bearward-core", "bearward-exchange"},
    "bearward-core": set(),
    "bearward-exchange": {"bearward-core"},
    "bearward-issuer": {"bearward-core"},
    "bearward-cli": {"bearward", "bearward-core", "bearward-exchange", "bearward-issuer"},
    "bearward-example-axum": {"bearward", "bearward-core", "bearward-exchange"},
    "bearward-example-tonic": {"bearward"},
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

# Crates that must not be used, directly or indirectly. The engine and client flows do no IO, and production code can't
# sign tokens.
FORBIDDEN = {
    "bearward": {"bearward-issuer", "pyo3"},
    "bearward-core": IO,
    "bearward-exchange": IO,
    "bearward-python": {"bearward-issuer", "hyper", "mio", "reqwest", "rustls", "socket2", "tokio"},
}

# The modules of the engine, the lowest floor first. Every module must be on a floor. `lib.rs` is above all of them.
ENGINE = "crates/bearward-core/src"
FLOORS = [
    ["limits", "time"],
    ["encoding"],
    ["http", "jose"],
    ["issuer"],
    ["documents"],
    [
        "policy",
        "scope",
        "requirement",
        "resource",
        "operations",
        "nonces",
        "rejection",
        "refusal",
        "check",
        "catalogue",
    ],
    ["verify"],
    ["decision", "lookup", "answer", "explanation"],
]

CRATES = [
    ENGINE,
    "crates/bearward/src",
    "crates/bearward-exchange/src",
    "crates/bearward-issuer/src",
    "crates/bearward-cli/src",
    "python/native/src",
]
PACKAGES = ["python/src/bearward", "python/src/fastapi_plugin"]


def main() -> int:
    """Print what is wrong and return 1, or return 0."""
    graph = Graph(_metadata())
    problems = [*_wrong_edges(graph), *_forbidden(graph), *too_new(graph), *in_sources(TREE)]
    for problem in problems:
        print(f"layers: {problem}", file=sys.stderr)
    if not problems:
        print(f"layers: the {len(graph.members)} crates depend on each other as they should")
        print("layers: their dependencies need no newer Rust than they promise")
        for number, floor in enumerate(FLOORS, start=1):
            print(f"layers: floor {number} of the engine: {', '.join(floor)}")
        print(f"layers: 0 circles in {len(CRATES)} crates and {len(PACKAGES)} Python packages")
    return 1 if problems else 0


def in_sources(tree: Path) -> list[str]:
    """What is wrong with the floors, and all circles."""
    problems = _upward(modules.of_crate(tree / ENGINE))
    for folder in CRATES:
        imports = modules.of_crate(tree / folder)
        # If files import each other in a circle, their folders often do. Then the files are what has to be known.
        found = modules.circles(imports) or modules.circles(modules.of_rooms(imports))
        problems += _described(folder, found)
    for folder in PACKAGES:
        problems += _described(folder, modules.circles(modules.of_package(tree / folder)))
    return problems


def _described(folder: str, circles: list[list[str]]) -> list[str]:
    return [f"{folder}: a circle of {', '.join(circle)}" for circle in circles]


def _upward(imports: modules.Imports) -> list[str]:
    floors = [*FLOORS, [modules.ROOT]]
    floor_of = {module: number for number, floor in enumerate(floors, start=1) for module in floor}
    found = {modules.room_of(module) for module in imports}
    problems = [f"{module} has no floor: put it on one in {__file__}" for module in sorted(found - floor_of.keys())]
    problems += [f"{module} is on a floor, but does not exist" for module in sorted(floor_of.keys() - found)]
    for module, used in sorted(imports.items()):
        floor = floor_of.get(modules.room_of(module), len(floors))
        above = sorted(other for other in used if floor_of.get(modules.room_of(other), 0) > floor)
        problems += [f"{module} is on floor {floor} and must not import {other} above it" for other in above]
    return problems


class Graph:
    """Which package depends on which, by name."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        names = {package["id"]: package["name"] for package in metadata["packages"]}
        self.members = sorted(names[member] for member in metadata["workspace_members"])
        # Two versions of a crate share a name: the newer Rust counts.
        self.rust: dict[str, tuple[int, ...]] = {}
        for package in metadata["packages"]:
            needed = _version(package["rust_version"] or "0")
            self.rust[package["name"]] = max(needed, self.rust.get(package["name"], needed))
        self.uses: dict[str, set[str]] = {}
        for node in metadata["resolve"]["nodes"]:
            used = {
                names[dep["pkg"]] for dep in node["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
            }
            # Of two versions of a crate, the dependencies are merged.
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


def _version(text: str) -> tuple[int, ...]:
    """Without the patch: 1.88.0 is the same as 1.88."""
    return tuple(int(number) for number in text.split(".")[:2])


def _metadata() -> dict[str, Any]:
    command = ["cargo", "metadata", "--format-version", "1"]
    cargo = subprocess.run(command, cwd=TREE, check=False, stdout=subprocess.PIPE)
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


def too_new(graph: Graph) -> list[str]:
    """Which dependencies need a newer Rust than our crates promise."""
    problems = []
    for crate in graph.members:
        promised = graph.rust[crate]
        for used in sorted(graph.reach(crate)):
            if graph.rust[used] > promised:
                ours, theirs = (".".join(map(str, version)) for version in (promised, graph.rust[used]))
                problems.append(f"{crate} promises Rust {ours}, but {used} needs {theirs}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
