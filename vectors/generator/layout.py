"""JSON for people: what fits in a line is in one, and so are the texts of a list (a header's name and value), however long."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 120


def pretty(value: Any, indent: str = "", room: int = WIDTH) -> str:
    line = json.dumps(value)
    several_texts = isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value)
    if len(line) <= room or several_texts or not isinstance(value, (dict, list)) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, list):
        items = [pretty(item, inner, WIDTH - len(inner)) for item in value]
        opening, closing = "[", "]"
    else:
        items = []
        for name, item in value.items():
            label = f"{json.dumps(name)}: "
            items.append(label + pretty(item, inner, WIDTH - len(inner) - len(label)))
        opening, closing = "{", "}"
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}{closing}"
