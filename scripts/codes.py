"""Checks that docs/reference/errors.md tells every code of the engine, in the order of the checks, and no other.

Behind the codes of refusals stand those of requests that can't be decided.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "crates" / "bearward-core" / "src"
PAGE = ROOT / "docs" / "reference" / "errors.md"


def main() -> int:
    """Print what is wrong, if anything; 1 then."""
    codes = [*_rejections(), *_unavailable()]
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    problems = [f"{code} is not told" for code in codes if code not in told]
    problems += [f"{code} is told, and is no code" for code in told if code not in codes]
    if not problems and codes != told:
        problems = ["the codes are not told in the order of the checks"]
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if not problems:
        print(f"codes: all {len(codes)} are told in {PAGE.relative_to(ROOT)}")
    return 1 if problems else 0


def _rejections() -> list[str]:
    return _codes(ENGINE / "rejection.rs", r"pub const CODES: &\[&str\] = &\[(.*?)\];")


def _unavailable() -> list[str]:
    return _codes(ENGINE / "outcome.rs", r"impl Unavailable \{.*?pub fn code\(&self\) -> &'static str \{(.*?)\n    \}")


def _codes(source: Path, pattern: str) -> list[str]:
    found = re.search(pattern, source.read_text(), re.DOTALL)
    codes = re.findall(r'"(\w+)"', found[1] if found else "")
    if not codes:
        sys.exit(f"no codes found in {source.relative_to(ROOT)}")
    return codes


if __name__ == "__main__":
    sys.exit(main())
