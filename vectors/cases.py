"""Reads the vectors: whole cases, each with what it takes from the defaults of its group. `README.md` describes the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def all_cases() -> dict[str, dict[str, Any]]:
    """By `group/name`."""
    cases = {}
    for path in sorted(FOLDER.glob("*.json")):
        group = json.loads(path.read_text(encoding="utf-8"))
        for name, case in group["cases"].items():
            for member, defaults in group["defaults"].items():
                case[member] = with_changes(defaults, case.get(member, {}))
            cases[f"{path.stem}/{name}"] = case
    return cases


def with_changes(defaults: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The defaults with the members of `changes`; `null` takes one out."""
    members = {**defaults, **changes}
    return {name: value for name, value in members.items() if value is not None}


def document(name: str) -> bytes:
    """What a case calls `{"file": name}`."""
    return (FOLDER / "documents" / f"{name}.json").read_bytes()
