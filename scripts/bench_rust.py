"""Measures a route of an axum service: guarded by the crate `bearward`, by other crates, and not at all.

Server and load have a CPU each. All contenders run on this machine, each in a process of its own. They take turns of
some 50 ms: what else the machine does changes more slowly, so it meets all of them alike. Compare the ratios, not the
absolute figures. Prints one table, and writes docs/speed-rust.json and the figures of README.md.

    bench_rust.py           all of it, on a machine that does nothing else
    bench_rust.py --quick   fewer rounds, to see that it works; prints only
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import httpx

import bench_rust_pages
import local
from bench_machine import cpu, on_cpu, output, say
from bench_rows import Row, Target, table

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = local.ROOT / "bench" / "rust-peers"
BUILT = local.ROOT / "target" / "rust-peers"
PROGRAM = str(BUILT / "release" / "bearward-rust-peers")

NOTHING, BARE, OURS = "nothing", "bare", "bearward"
# The others, and how many times as many requests a second we should answer: with new tokens.
PEER_TARGETS = {
    "tower-oauth2-resource-server": 1.2,
    "oauth-resource-server": 1.4,
    "jwt-authorizer": 1.0,
    "axum-jwt-auth": 1.0,
    "huskarl-resource-server": 1.0,
}
CONTENDERS = [NOTHING, BARE, OURS, *PEER_TARGETS]
NAMES = {NOTHING: "no guard", BARE: "a handler with a bare RSA check"}
# These check signatures without assembly, which takes so long that a quarter of the requests is enough.
SHARES = {"axum-jwt-auth": 4, "huskarl-resource-server": 4}

KINDS = {"new": "every token new", "seen": "tokens that came before"}
CPU_OF_NEW, CPU_ADDED_FOR_SEEN, TIMES_AS_MANY_SEEN = Target(at_most=1.08), Target(at_most=1.6, of_value=True), 5.0

SEEN_TOKENS = 129
CONNECTIONS = 16


class Size(NamedTuple):
    """How much is measured."""

    rounds: int
    # In each round, by kind.
    requests: dict[str, int]


WHOLE, QUICK = Size(40, {"seen": 5_000, "new": 1_000}), Size(2, {"seen": 5_000, "new": 1_000})


class Sample(NamedTuple):
    """What one load of one server took."""

    cpu_us: float
    rate: float


def main() -> int:
    """Build, measure, print, write."""
    local.end_in_order()
    quick = sys.argv[1:] == ["--quick"]
    size = QUICK if quick else WHOLE
    _build()
    started, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        try:
            samples = _measure(Path(folder), size, log)
        except KeyboardInterrupt:
            return 130
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
    machine = {"cpu": cpu(), "rustc": output(["rustc", "--version"]).strip(), "load": f"{load:.2f} before the run"}
    rows = [*_rows(samples)]
    print(table(rows, machine))
    if not quick:
        bench_rust_pages.write([row.as_json() for row in rows], machine, _versions())
    say(f"{time.monotonic() - started:.0f} s")
    return 0


def _build() -> None:
    say("building")
    command = ["cargo", "build", "--quiet", "--release", "--target-dir", str(BUILT)]
    subprocess.run([*command, "--manifest-path", str(PEERS / "Cargo.toml")], check=True, cwd=local.ROOT)


def _measure(folder: Path, size: Size, log: IO[str]) -> dict[str, dict[str, list[Sample]]]:
    """By kind of token and contender, one sample a round."""
    samples: dict[str, dict[str, list[Sample]]] = {kind: {name: [] for name in CONTENDERS} for kind in KINDS}
    with _documents(folder) as issuer, contextlib.ExitStack() as running:
        say("tokens")
        output([PROGRAM, "fixture", str(folder), issuer, str(size.rounds * size.requests["new"])])
        servers = {name: running.enter_context(_server(name, issuer, folder, log)) for name in CONTENDERS}
        for server in servers.values():
            server.must_guard()
            server.load("seen", 0, 8 * SEEN_TOKENS)
        say(f"{size.rounds} rounds")
        for number in range(size.rounds):
            for name, server in servers.items():
                for kind, most in size.requests.items():
                    count = most // SHARES.get(name, 1)
                    # No server gets a new token twice.
                    first = number * count if kind == "new" else 0
                    samples[kind][name].append(server.load(kind, first, count))
    return samples


@contextlib.contextmanager
def _documents(folder: Path) -> Iterator[str]:
    """Serves the documents of an issuer on loopback, and gives its name."""

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}jwks.json"}).encode()
            if self.path.endswith("jwks.json"):
                document = (folder / "jwks.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Documents) as server:
        issuer = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield issuer
        finally:
            server.shutdown()


class Server:
    """A contender's process, which says its CPU time when it is asked."""

    def __init__(self, name: str, folder: Path, process: subprocess.Popen[str]) -> None:
        self._name = name
        self._folder = folder
        self._process = process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a server that can't be asked")
        self._stdin, self._stdout = process.stdin, process.stdout
        self._port = self._line()

    def load(self, kind: str, first: int, count: int) -> Sample:
        """Send so many requests with tokens of this kind, beginning with the token `first`."""
        before = self._cpu_us()
        command = [PROGRAM, "load", self._port, str(self._folder / f"{kind}.txt"), str(first), str(count)]
        report = json.loads(output([*on_cpu(1), *command, str(CONNECTIONS)]))
        if report["failed"]:
            raise RuntimeError(f"{report['failed']} of {count} requests to {self._name} failed")
        return Sample((self._cpu_us() - before) / count, count / report["seconds"])

    def must_guard(self) -> None:
        """What lets everything in is no contender. Waits until it has the keys: some fetch them after their start."""
        until = time.monotonic() + 10
        while (status := self._status("seen")) != 200:
            if time.monotonic() > until:
                raise RuntimeError(f"{self._name} answers {status} to a good token")
            time.sleep(0.05)
        status = self._status("bad")
        if status != (200 if self._name == NOTHING else 401):
            raise RuntimeError(f"{self._name} answered {status} to a token with a wrong signature")

    def _status(self, kind: str) -> int:
        """The answer to the first token of this kind."""
        token = (self._folder / f"{kind}.txt").read_text().split()[0]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"http://127.0.0.1:{self._port}/guarded", headers=headers, trust_env=False).status_code

    def _cpu_us(self) -> float:
        self._stdin.write("\n")
        self._stdin.flush()
        return int(self._line()) / 1000

    def _line(self) -> str:
        line = self._stdout.readline().strip()
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        return line


@contextlib.contextmanager
def _server(name: str, issuer: str, folder: Path, log: IO[str]) -> Iterator[Server]:
    command = [*on_cpu(0), PROGRAM, "serve", name, issuer, str(folder)]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "BEARWARD_ALLOW_TESTING": "1"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=log, text=True)
    with process:
        try:
            yield Server(name, folder, process)
        finally:
            process.kill()


def _rows(samples: dict[str, dict[str, list[Sample]]]) -> Iterator[Row]:
    yield from _cpu_rows("new", samples["new"], [BARE, OURS, *PEER_TARGETS])
    yield from _cpu_rows("seen", samples["seen"], [NOTHING, OURS, *PEER_TARGETS])
    for kind in KINDS:
        yield from _rate_rows(kind, samples[kind])


def _cpu_rows(kind: str, samples: dict[str, list[Sample]], names: list[str]) -> Iterator[Row]:
    key, group = f"rust-cpu/{kind}", f"axum, CPU time of the server per request, {KINDS[kind]}"
    floor = [sample.cpu_us for sample in samples[names[0]]]
    for name in names:
        own = [sample.cpu_us for sample in samples[name]]
        # Within a round, because the machine's other load changes from one round to the next.
        ratio = statistics.median(one / first for one, first in zip(own, floor))
        target = CPU_OF_NEW if (name, kind) == (OURS, "new") else None
        yield Row(key, group, NAMES.get(name, name), statistics.median(own), "us", ratio, "x the first", target)
    if kind == "seen":
        added = statistics.median(sample.cpu_us - first for sample, first in zip(samples[OURS], floor))
        ratio = added / statistics.median(floor)
        yield Row(key, group, "what bearward adds", added, "us", ratio, "x the first", CPU_ADDED_FOR_SEEN)


def _rate_rows(kind: str, samples: dict[str, list[Sample]]) -> Iterator[Row]:
    key, group = f"rust-rate/{kind}", f"axum on one CPU, {KINDS[kind]}"
    ours = [sample.rate for sample in samples[OURS]]
    for name in CONTENDERS:
        own = [sample.rate for sample in samples[name]]
        ratio = statistics.median(our / one for our, one in zip(ours, own))
        wanted = PEER_TARGETS.get(name)
        target = None if wanted is None else Target(at_least=wanted if kind == "new" else TIMES_AS_MANY_SEEN)
        rate = statistics.median(own)
        yield Row(key, group, NAMES.get(name, name), rate, "requests/s", ratio, "x as many with bearward", target)


def _versions() -> dict[str, str]:
    """Of the contenders, by the lock file."""
    lock = (PEERS / "Cargo.lock").read_text()
    return dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))


if __name__ == "__main__":
    sys.exit(main())
