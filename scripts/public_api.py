"""Lists the public API of the crate `bearward`, and keeps it free of what would tie it to other crates' versions.

- The listing, with all features, is docs/reference/bearward-public-api.txt: a change of it is a change for users.
- No types but those of the standard library, `http`, `bytes`, `serde`, `tower-layer` and `tower-service`, and the
  traits of axum and aide that features ask for.
- Enums, and structs with public fields, are `#[non_exhaustive]`.

Needs `cargo install cargo-public-api@0.52`: that version reads what rustdoc 1.95 writes.

    public_api.py           compare with the listing
    public_api.py --write   write it
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).resolve().parent.parent
LISTING = TREE / "docs" / "reference" / "bearward-public-api.txt"
# RUSTC_BOOTSTRAP is set for this build. In the usual folder, that would cause a rebuild of everything else.
BUILT = TREE / "target" / "public-api"

OURS = "bearward"
# `serde_core` is where `serde` has its traits, and `axum_core` where axum has its.
FOREIGN = {"aide", "alloc", "axum_core", "bytes", "core", "http", "serde_core", "std", "tower_layer", "tower_service"}
# In the bounds that pin-project-lite writes for `Unpin`. Nobody can name it.
OF_A_MACRO = "pin_project_lite::__private::"
# Taken apart in the arguments of handlers.
EXHAUSTIVE = {"bearward::Claims"}

_PATH = re.compile(r"(?<![\w:])[a-z_]\w*(?=::\w)")
_TYPE = re.compile(r"(#\[non_exhaustive\] )?pub (enum|struct) ([\w:]+)(<[^(]*>)?(\(pub )?")
_FIELD = re.compile(r"pub ([\w:]+)::[a-z_]\w*: ")


def main() -> int:
    """Print what is wrong and return 1, or return 0."""
    if shutil.which("cargo-public-api") is None:
        print("public-api: skipped, because cargo-public-api is not installed")
        return 0
    listing = [f"# All features, {_output(['rustc', '--version']).strip()}. `make public-api` writes it.", *_listing()]
    problems = [*foreign(listing), *exhaustive(listing)]
    if sys.argv[1:] == ["--write"]:
        LISTING.write_text("\n".join(listing) + "\n")
        print(f"public-api: wrote {LISTING.relative_to(TREE)}")
    else:
        problems += _changes(LISTING.read_text().splitlines(), listing)
    for problem in problems:
        print(f"public-api: {problem}", file=sys.stderr)
    return 1 if problems else 0


def foreign(listing: list[str]) -> Iterator[str]:
    """Lines with types of other crates than those that users of HTTP have anyway."""
    for line in listing:
        others = set(_PATH.findall(line.replace(OF_A_MACRO, ""))) - FOREIGN - {OURS}
        if others and not line.startswith("#"):
            yield f"a type of {', '.join(sorted(others))} is public: {line}"


def exhaustive(listing: list[str]) -> Iterator[str]:
    """Enums and structs that could not get another variant or field without breaking users."""
    with_fields = {match[1] for line in listing if (match := _FIELD.match(line))}
    for line in listing:
        match = _TYPE.match(line)
        if match is None or match[1] or match[3] in EXHAUSTIVE:
            continue
        if match[2] == "enum" or match[5] or match[3] in with_fields:
            yield f"{match[3]} is not #[non_exhaustive]"


def _changes(recorded: list[str], found: list[str]) -> Iterator[str]:
    if recorded[0] != found[0]:
        print(f"public-api: not compared, because the listing is of another compiler: {recorded[0]}")
        return
    changes = [line for line in difflib.unified_diff(recorded, found, n=0, lineterm="") if not line.startswith("@")]
    if changes:
        yield "\n".join(["it changed. If that is meant, `make public-api` records it:", *changes[2:]])


def _listing() -> list[str]:
    # The JSON of rustdoc is not stable yet.
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    flags = shlex.split(os.environ.get("CARGO_FLAGS", ""))
    command = ["cargo", "rustdoc", "--quiet", *flags, "--package", OURS, "--lib", "--all-features"]
    command += ["--target-dir", str(BUILT), "--", "-Z", "unstable-options", "--output-format", "json"]
    _output(command, environment)
    # Without what every type has: blanket implementations, and those of `Send` and the like.
    return _output(["cargo-public-api", "--rustdoc-json", str(BUILT / "doc" / f"{OURS}.json"), "-ss"]).splitlines()


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, cwd=TREE, env=environment)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
