"""Writes the test vectors; the same files each time. Needs Python >= 3.10 and `cryptography` >= 46.

python vectors/generate.py           write all files, remove those that are no longer made
python vectors/generate.py --check   write nothing; fail if a file differs
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generator import groups, layout  # noqa: E402

HERE = Path(__file__).resolve().parent


def main() -> int:
    checking = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not checking:
        print(__doc__, file=sys.stderr)
        return 2
    made = {f"documents/{name}.json": value for name, value in groups.shared_documents().items()}
    made.update({f"{group.name}.json": group.as_json() for group in groups.all_groups()})
    texts = {name: layout.pretty(value) + "\n" for name, value in made.items()}
    present = {
        str(path.relative_to(HERE).as_posix()) for path in [*HERE.glob("*.json"), *HERE.glob("documents/*.json")]
    }
    stale = sorted(present - texts.keys())
    changed = sorted(name for name, text in texts.items() if _read(name) != text)
    if checking:
        for name in changed + stale:
            print(f"differs: {name}", file=sys.stderr)
        return 1 if changed or stale else 0
    for name in stale:
        (HERE / name).unlink()
    for name in changed:
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(texts[name], encoding="utf-8")
    print(f"{len(texts)} files, {len(changed)} written, {len(stale)} removed")
    return 0


def _read(name: str) -> str | None:
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
