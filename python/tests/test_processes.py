"""Servers of several processes: each worker verifies, whatever its parent was doing when it was forked."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from support import AUDIENCE

WORKERS = 3
SERVERS = {
    "gunicorn": ["-m", "gunicorn", "-k", "uvicorn_worker.UvicornWorker", "-w", str(WORKERS), "-b", "127.0.0.1:{port}"],
    "uvicorn": ["-m", "uvicorn", "--workers", str(WORKERS), "--port", "{port}", "--log-level", "warning"],
}
SERVERS["gunicorn_preload"] = [*SERVERS["gunicorn"], "--preload"]
SERVERS["gunicorn_preload_busy"] = SERVERS["gunicorn_preload"]


@contextlib.contextmanager
def serving(command, environment, log):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [sys.executable, *(part.format(port=port) for part in command), "forked:app"]
    folder = Path(__file__).parent / "apps"
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - our own arguments
            arguments, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=output
        )
        try:
            yield port, server
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
                pytest.fail(f"the server did not end: {log.read_text()}")


def ask(port, headers):
    """A connection of its own each time, so that each worker gets some."""
    return httpx.get(f"http://127.0.0.1:{port}/private", headers=headers, timeout=10)


def wait_for(port, headers, server, log):
    deadline = time.monotonic() + 30
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return ask(port, headers)
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_verifies(https_issuer, tmp_path, server):
    tenant, log = https_issuer.tenant, tmp_path / "log"
    environment = {"DOMAIN": tenant.domain, "AUDIENCE": AUDIENCE, "PYTHONUNBUFFERED": "1"}
    if server.endswith("busy"):
        environment["TOKEN"] = tenant.token()
    headers = tenant.authorization()
    with serving(SERVERS[server], environment, log) as (port, process):
        wait_for(port, headers, process, log)
        answers = []
        deadline = time.monotonic() + 30
        while len({answer["pid"] for answer in answers}) < WORKERS or len(answers) < 100:
            assert time.monotonic() < deadline, (answers, log.read_text())
            answer = ask(port, headers)
            assert answer.status_code == 200, log.read_text()
            answers.append(answer.json())
        assert ask(port, {}).status_code == 400
        assert ask(port, tenant.authorization(aud="other")).status_code == 401
        # Before it is ended, which some versions call an error.
        said = log.read_text()
    preloaded = "preload" in server
    assert len({answer["loaded_by"] for answer in answers}) == (1 if preloaded else WORKERS)
    # One fetch per process; one more for each of the loops that are busy at the same time.
    assert len(https_issuer.requests) <= 2 * (WORKERS + 3)
    assert "Traceback" not in said, said
    assert "ERROR" not in said, said
