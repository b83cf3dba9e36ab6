"""Redis servers of our own on loopback, and what can go wrong between them and a client."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from support import free_port, process

# How many proofs the long tests send. `.ci/run` asks for more.
PROOFS = int(os.environ.get("BEARWARD_REDIS_PROOFS", "100"))


def program(name, package=None):
    """Where a program is; the test is skipped if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install {package or name})")
    return found


@contextlib.contextmanager
def server(folder, *options, port=None, name="redis-server", tls=False):
    """A server that keeps nothing on disk, unless `options` say so; gives its port and process."""
    port = port or free_port()
    folder.mkdir(exist_ok=True)
    listening = ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
    command = [program(name), *listening, "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "no", "--logfile", str(folder / "log"), "--daemonize", "no", *options]
    with process(command, port) as started:
        yield port, started


@contextlib.contextmanager
def stopped(process):
    """While the body runs, the process hangs."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def ask(port, *words):
    """One command by redis-cli."""
    command = [program("redis-cli", "redis-tools"), "-h", "127.0.0.1", "-p", str(port), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()  # noqa: S603


def wait_until(condition, what, seconds=30):
    """Poll real servers, which have no clock that a test could set."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class LossyLine:
    """A port in front of a server. Every `every`-th answer to a SET is lost: the connection breaks instead."""

    def __init__(self, server_port, every):
        self.server_port = server_port
        self.every = every
        self.sets = 0
        self.lost = 0

    async def __aenter__(self):
        self._tasks = set()
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        try:
            while request := await reader.read(65536):
                server_writer.write(request)
                answer = await server_reader.read(65536)
                if b"\r\nSET\r\n" in request:
                    self.sets += 1
                    if self.sets % self.every == 0:
                        self.lost += 1
                        return
                writer.write(answer)
        finally:
            server_writer.close()
            writer.close()
