"""The pages that a newcomer follows: every command in them, as it stands there.

By default the step that installs is left out, since it takes minutes: what it would install is here already. `make
walkthrough` runs the pages whole, on a clone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import free_port
from walkthrough import ROOT, Walk, blocks, section

PAGES = {"README": ("README.md", "Quick start"), "tutorial": ("docs/tutorial.md", None)}
WHOLE = "BEARWARD_WALK_WHOLE" in os.environ


@pytest.mark.parametrize("name", PAGES)
def test_the_page_does_what_it_says(name, tmp_path):
    page, title = PAGES[name]
    install, *steps = blocks(section((ROOT / page).read_text(), title))
    assert "pip install" in install.text, "the first step installs"
    folder = clone(tmp_path) if WHOLE else tmp_path
    walk = Walk(folder, environment(tmp_path), {"4400": free_port(), "8000": free_port()})
    try:
        for step in [install, *steps] if WHOLE else steps:
            walk.take(step)
    finally:
        walk.end()


def clone(folder):
    done = ["git", "clone", "--quiet", str(ROOT), str(folder / "bearward")]
    subprocess.run(done, check=True)  # noqa: S603 - our own arguments
    return folder / "bearward"


def environment(home):
    """A newcomer's: nothing of this shell's tenant, certificates, keys or virtual environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTH0_", "BEARWARD_", "SSL_"))}
    path = kept["PATH"]
    if not WHOLE:
        binary = ROOT / "target" / "debug"
        if not (binary / "bearward").exists():
            pytest.skip("target/debug/bearward is not built: `cargo build -p bearward-cli`")
        path = os.pathsep.join([str(binary), str(Path(sys.executable).parent), path])
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    # Built for the clone, kept for the next one.
    return {
        **kept,
        "CARGO_TARGET_DIR": str(ROOT / "target"),
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": path,
        # Where cargo and rustup keep their things, in the reader's real home.
        **{name: os.environ.get(name, str(Path.home() / default)) for name, default in TOOLS.items()},
    }


TOOLS = {"CARGO_HOME": ".cargo", "RUSTUP_HOME": ".rustup"}
