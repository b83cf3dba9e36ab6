"""Checks that docs/reference/errors.md matches the engine's catalogue. With `--write`, writes the page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "errors.md"


def main() -> int:
    """Print what is wrong and return 1, or return 0."""
    made = _made()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made)
    elif PAGE.read_text() != made:
        print(f"{PAGE.relative_to(ROOT)}: does not match the catalogue; run `make reference`", file=sys.stderr)
        return 1
    codes = sum(line.startswith("| `") for line in made.splitlines())
    print(f"codes: all {codes} are in {PAGE.relative_to(ROOT)}")
    return 0


def _made() -> str:
    flags = os.environ.get("CARGO_FLAGS", "").split()
    command = ["cargo", "run", "--quiet", *flags, "--package", "bearward-core", "--example", "error_codes"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
