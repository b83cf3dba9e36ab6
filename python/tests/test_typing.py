"""Types: the package and a user's app, as pyright sees them. `make check` runs mypy, and stubtest for the stub."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import JS


@pytest.mark.usefixtures("npm_packages")
def test_the_package_and_a_users_app_under_pyright():
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["node", str(JS / "node_modules" / "pyright" / "index.js"), "--pythonpath", sys.executable],  # noqa: S607
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
