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


@contextlib.contextmanager
def sentinels(folder, count=3, replicas=1):
    """A master with replicas, watched by sentinels; gives the processes by port, and the sentinels' ports."""
    program("redis-sentinel")
    with contextlib.ExitStack() as stack:
        master, started = stack.enter_context(server(folder / "master"))
        servers = {master: started}
        for number in range(replicas):
            options = ["--replicaof", "127.0.0.1", str(master), "--repl-diskless-sync-delay", "0"]
            port, started = stack.enter_context(server(folder / f"replica-{number}", *options))
            servers[port] = started
        wait_until(lambda: f"connected_slaves:{replicas}" in ask(master, "INFO", "replication"), "no replica")
        watchers = {}
        for number in range(count):
            port = free_port()
            file = folder / f"sentinel-{number}.conf"
            file.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/sentinel-{number}.log\n"
                f"sentinel monitor main 127.0.0.1 {master} 2\nsentinel down-after-milliseconds main 1000\n"
                "sentinel failover-timeout main 3000\n"
            )
            watchers[port] = stack.enter_context(process([program("redis-sentinel"), str(file)], port))
        for port in watchers:
            wait_until(lambda port=port: _knows_all(port, count, replicas), "the sentinels don't know each other")
        yield servers, watchers


def _knows_all(port, count, replicas):
    words = ask(port, "SENTINEL", "MASTER", "main").split("\n")
    state = dict(zip(words[::2], words[1::2]))
    return (state["num-other-sentinels"], state["num-slaves"]) == (str(count - 1), str(replicas))


@contextlib.contextmanager
def cluster(folder, masters=3, replicas=1):
    """A cluster; gives the processes by port."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for number in range(masters * (1 + replicas)):
            options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--repl-diskless-sync-delay", "0"]
            options += ["--cluster-require-full-coverage", "no"]
            # The port for the other nodes is 10000 higher.
            port = free_port()
            while port > 55000:
                port = free_port()
            port, started = stack.enter_context(server(folder / f"node-{number}", *options, port=port))
            servers[port] = started
        nodes = [f"127.0.0.1:{port}" for port in servers]
        command = [program("redis-cli", "redis-tools"), "--cluster", "create", *nodes, "--cluster-yes"]
        command += ["--cluster-replicas", str(replicas)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
        assert done.returncode == 0, done.stdout + done.stderr
        for port in servers:
            wait_until(lambda port=port: "cluster_state:ok" in ask(port, "CLUSTER", "INFO"), "the cluster is not ready")
        yield servers


def masters(servers):
    """The ports of those that are masters now."""
    return [port for port, started in servers.items() if started.poll() is None and "master" in ask(port, "ROLE")]


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
