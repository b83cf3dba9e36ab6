"""Types: the package and a user's app, as pyright sees them. `make check` runs mypy, and stubtest for the stub."""

import importlib.util
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
    found = [line for line in done.stdout.splitlines() if " - error: " in line and not without_mcp(line)]
    assert not found, "\n".join(found)
    assert "0 errors" in done.stdout or not HAS_MCP, done.stdout + done.stderr


HAS_MCP = importlib.util.find_spec("fastmcp") is not None


def without_mcp(line):
    """Whether it is the import of a package that is not installed beside the oldest FastAPI."""
    return not HAS_MCP and "reportMissingImports" in line and ('"mcp.' in line or '"fastmcp.' in line)
