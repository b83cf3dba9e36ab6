"""Types: the package, a user's app and the binding's stub, as the type checker sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import JS

pytest.importorskip("mypy")


def run(*module):
    run_command(sys.executable, "-m", *module)


def run_command(*command):
    done = subprocess.run(  # noqa: S603 - our own arguments
        command,
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_and_a_users_app(tmp_path):
    run("mypy", "--cache-dir", str(tmp_path))


@pytest.mark.usefixtures("npm_packages")
def test_the_package_and_a_users_app_under_pyright():
    run_command("node", str(JS / "node_modules" / "pyright" / "index.js"), "--pythonpath", sys.executable)


def test_the_stub_says_what_the_binding_has(tmp_path):
    allowed = tmp_path / "allowed.txt"
    # PyO3 makes an `__all__`; nobody imports * from a private module.
    allowed.write_text("bearward._native.__all__\n")
    run("mypy.stubtest", "bearward._native", "--allowlist", str(allowed))
