"""The list of what differs on purpose, and the check that it says what is true."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from compat.answers import difference

PATH = Path(__file__).with_name("differences.json")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "migration.md"


class Report:
    """Outcomes of both sides by the case's name, held against the list."""

    def __init__(self, listed, old, new):
        self.listed = listed
        self.cases = [name for name in old if name in new]
        self.alone = sorted(old.keys() ^ new.keys())
        found = {name: difference(old[name], new[name]) for name in self.cases}
        self.found = {name: sides for name, sides in found.items() if sides is not None}

    def problems(self):
        """Why the comparison fails, a line each; none if it doesn't."""
        listed = self.listed["cases"]
        for name in self.alone:
            yield f"asked of one side only: {name}"
        for name, sides in self.found.items():
            if name not in listed:
                yield f"differs, and is not listed: {line(name, sides)}"
            elif {side: listed[name][side] for side in sides} != sides:
                yield f"differs, but not as listed: {line(name, sides)}"
        for name, entry in listed.items():
            if name not in self.cases:
                yield f"listed, and is no case: {name}"
            elif name not in self.found:
                yield f"listed, and differs no longer: {name}"
            if entry["reason"] not in self.listed["reasons"]:
                yield f"listed without a reason: {name}"
        yield from self._reasons()

    def _reasons(self):
        used = {entry["reason"] for entry in self.listed["cases"].values()}
        page = PAGE.read_text(encoding="utf-8").splitlines()
        for reason, title in self.listed["reasons"].items():
            if reason not in used:
                yield f"a reason without a case: {reason}"
            if f"### {title}" not in page:
                yield f"a reason that {PAGE.name} doesn't explain: {title}"

    def summary(self):
        counts = Counter(entry["reason"] for name, entry in self.listed["cases"].items() if name in self.found)
        equal, listed = len(self.cases) - len(self.found), sum(counts.values())
        yield f"cases: {len(self.cases)}, equal: {equal}, listed differences: {listed}"
        newly, formerly = self._let_in_by("new", "old"), self._let_in_by("old", "new")
        yield f"let in, and not before: {newly}; refused, and let in before: {formerly}"
        for reason, title in self.listed["reasons"].items():
            yield f"{counts[reason]:5}  {title}"

    def _let_in_by(self, side, other):
        """How many requests only one side lets in."""
        statuses = [(sides[side].get("status"), sides[other].get("status")) for sides in self.found.values()]
        return sum(here == 200 and there != 200 for here, there in statuses)


def load():
    return json.loads(PATH.read_text(encoding="utf-8"))


def write(listed, found):
    """Write the list again from what was found. Reasons stay; what is new gets an empty one, which fails."""
    cases = {}
    for name, sides in sorted(found.items()):
        reason = listed["cases"].get(name, {"reason": ""})["reason"]
        cases[name] = {"reason": reason, **sides}
    lines = ",\n".join(f"    {line(name, entry)}" for name, entry in cases.items())
    reasons = json.dumps(listed["reasons"], indent=2, ensure_ascii=False).replace("\n", "\n  ")
    PATH.write_text(f'{{\n  "reasons": {reasons},\n  "cases": {{\n{lines}\n  }}\n}}\n', encoding="utf-8")


def line(name, entry):
    return f"{json.dumps(name)}: {json.dumps(entry)}"
