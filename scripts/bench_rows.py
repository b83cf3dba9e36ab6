"""The rows of the benchmark's table: what was measured, what it is compared with, and what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Sequence


class Target(NamedTuple):
    """What a figure should be."""

    at_most: Optional[float] = None
    at_least: Optional[float] = None
    # Of the value itself, instead of its ratio.
    of_value: bool = False

    def met_by(self, row: Row) -> bool:
        """Whether `row` reaches the target."""
        figure = row.value if self.of_value else row.ratio
        return (self.at_most is None or figure <= self.at_most) and (self.at_least is None or figure >= self.at_least)

    def __str__(self) -> str:
        return f"<= {self.at_most}" if self.at_least is None else f">= {self.at_least}"


class Row(NamedTuple):
    """One line of the table: a measurement, and its ratio to the first one of its group."""

    key: str
    group: str
    name: str
    value: float
    unit: str
    ratio: float
    compared: str
    target: Optional[Target] = None

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        target = None
        if self.target is not None:
            target = {"wanted": str(self.target), "of": "value" if self.target.of_value else "ratio"}
            target["met"] = self.target.met_by(self)  # type: ignore[assignment]
        return {**self._asdict(), "target": target}


def table(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """All of it, as text."""
    lines = [f"{name:<8} {value}" for name, value in machine.items()]
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            lines += ["", group]
        ratio = f"{row.ratio:.3g} {row.compared}"
        verdict = ""
        if row.target is not None:
            verdict = f"target {row.target}: {'met' if row.target.met_by(row) else 'MISSED'}"
        lines.append(f"  {row.name:<38} {row.value:>10,.2f} {row.unit:<12} {ratio:<32} {verdict}".rstrip())
    return "\n".join(lines)
