"""Checks the wheel of the command line: its content, and that the installed binary runs.

Usage: wheel.py WHEEL BINARY
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Print what is wrong and return 1, or return 0."""
    wheel, binary = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        problems = _contents(archive.namelist())
    problems += _runs(binary, f"bearward {_version()}")
    for problem in problems:
        print(f"{Path(wheel).name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"wheel: pip installs {Path(wheel).name}, and it runs")
    return 1 if problems else 0


def _version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    return found[1] if found else sys.exit("no version in Cargo.toml")


def _contents(names: list[str]) -> list[str]:
    """One binary, the licences, the metadata of a wheel, and nothing to import."""
    scripts = [name for name in names if ".data/scripts/" in name]
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    others = [name for name in names if name not in scripts and ".dist-info/" not in name]
    problems = [f"{name} does not belong there" for name in others]
    if len(scripts) != 1 or Path(scripts[0]).stem != "bearward":
        problems.append(f"one binary was expected, not {scripts}")
    problems += [f"{licence} is missing" for licence in sorted({"LICENSE-APACHE", "LICENSE-MIT"} - licences)]
    return problems


def _runs(binary: str, expected: str) -> list[str]:
    done = subprocess.run([binary, "--version"], check=False, capture_output=True, text=True)
    printed = done.stdout.strip()
    return [] if (done.returncode, printed) == (0, expected) else [f"{binary} says {printed!r}, not {expected!r}"]


if __name__ == "__main__":
    sys.exit(main())
