"""Checks that docs/reference/errors.md tells every code of the engine, in the order of the checks, and no other."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "crates" / "bearward-core" / "src" / "rejection.rs"
PAGE = ROOT / "docs" / "reference" / "errors.md"


def main() -> int:
    """Print what is wrong, if anything; 1 then."""
    table = re.search(r"pub const CODES: &\[&str\] = &\[(.*?)\];", ENGINE.read_text(), re.DOTALL)
    codes = re.findall(r'"(\w+)"', table[1] if table else "")
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    problems = [f"{code} is not told" for code in codes if code not in told]
    problems += [f"{code} is told, and is no code" for code in told if code not in codes]
    if not codes:
        problems = [f"no CODES found in {ENGINE.relative_to(ROOT)}"]
    elif not problems and codes != told:
        problems = ["the codes are not told in the order of the checks"]
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if not problems:
        print(f"codes: all {len(codes)} are told in {PAGE.relative_to(ROOT)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
