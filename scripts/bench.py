"""Measures the engine, the Python package and a FastAPI route, each against something to compare it with.

Everything runs on this machine, in one run, in turn. Compare the ratios, not the absolute figures. Prints one table,
and writes bench-results.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Optional

import local
from proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULTS = local.ROOT / "bench-results.json"
BENCH = local.ROOT / "python" / "bench"
PYTHONS = {
    "nothing": local.ROOT / ".venvs" / "bench" / "bin" / "python",
    "bearward": local.ROOT / ".venvs" / "bench" / "bin" / "python",
    "auth0": local.ROOT / ".venvs" / "peer" / "bin" / "python",
}
NAMES = {
    "nothing": "a dependency that does nothing",
    "bearward": "bearward",
    "auth0": "auth0-fastapi-api",
}
# What `pip install uvicorn` installs, and what `pip install uvicorn[standard]` installs.
SERVERS = {
    "uvicorn (h11, asyncio)": ["--http", "h11", "--loop", "asyncio"],
    "uvicorn (httptools, uvloop)": ["--http", "httptools", "--loop", "uvloop"],
}

SCHEMES = {
    "bearer": "Python, verify_request",
    "dpop": "Python, verify_request, DPoP",
}
# The URL in the DPoP proofs.
URL = "http://127.0.0.1/guarded"

TOKENS = 129
PYTHON_ROUNDS = 5
HTTP_ROUNDS = 15
HTTP_SECONDS = 1
HTTP_CONNECTIONS = 16


class Target(NamedTuple):
    """What a ratio should be."""

    at_most: Optional[float] = None
    at_least: Optional[float] = None

    def met_by(self, ratio: float) -> bool:
        """Whether `ratio` reaches the target."""
        return (self.at_most is None or ratio <= self.at_most) and (self.at_least is None or ratio >= self.at_least)

    def __str__(self) -> str:
        return f"<= {self.at_most}" if self.at_least is None else f">= {self.at_least}"


# In the order of the benchmark's groups: Bearer, DPoP.
ENGINE_TARGETS = [Target(at_most=1.2), Target(at_most=1.15)]


class Row(NamedTuple):
    """One line of the table: a measurement, and its ratio to the first one of its group."""

    group: str
    name: str
    value: float
    unit: str
    ratio: float
    compared: str
    target: Optional[Target] = None

    def as_json(self) -> dict[str, Any]:
        """For bench-results.json."""
        target = None
        if self.target is not None:
            target = {"ratio": str(self.target), "met": self.target.met_by(self.ratio)}
        return {**self._asdict(), "target": target}


def main() -> int:
    """Measure, print, write."""
    local.end_in_order()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        try:
            # First, because building takes a while, and proofs are valid for minutes only.
            rows = [*_engine()]
            fixture = _fixture(Path(folder), log)
            rows += [*_python(fixture), *_http(fixture, log)]
        except KeyboardInterrupt:
            return 130
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
    machine = _machine()
    print(_table(rows, machine))
    RESULTS.write_text(json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=2) + "\n")
    _say(f"written to {RESULTS.name} after {time.monotonic() - started:.0f} s")
    return 0


class Fixture(NamedTuple):
    """The files that both SDKs get."""

    everything: Path
    tokens: Path


def _fixture(folder: Path, log: IO[str]) -> Fixture:
    """Different tokens of a local tenant, and its documents. For DPoP, tokens of one client, each with a proof."""
    claims = {
        "https://example.com/email": "somebody@example.com",
        "azp": "Zk3pQ8vXw2LrT6yBn1Hs9JdCfGm4Ku7A",
        "permissions": ["read:messages", "write:messages", "read:profile", "delete:messages"],
        "scope": "openid profile email read:messages write:messages offline_access",
    }
    client = Prover()
    with local.tenant(log) as tenant:

        def tokens(**more: Any) -> list[str]:
            subjects = (f"auth0|65f0c1d2e3b4a596{n:08}" for n in range(TOKENS))
            return [tenant.order_token(claims={**claims, **more, "sub": subject}) for subject in subjects]

        bearer, bound = tokens(), tokens(cnf={"jkt": client.thumbprint})
        fixture = {
            "domain": tenant.domain,
            "audience": local.AUDIENCE,
            "documents": tenant.documents(),
            "url": URL,
            "bearer": [{"authorization": f"Bearer {token}"} for token in bearer],
            "dpop": [{"authorization": f"DPoP {token}", "dpop": client.proof(URL, token)} for token in bound],
        }
    files = Fixture(folder / "fixture.json", folder / "tokens.txt")
    files.everything.write_text(json.dumps(fixture))
    files.tokens.write_text("\n".join(bearer) + "\n")
    return files


def _engine() -> Iterator[Row]:
    _say("engine: building")
    command = ["cargo", "bench", "--quiet", "--package", "bearward-core", "--bench", "verify"]
    subprocess.run([*command, "--no-run"], check=True, cwd=local.ROOT)
    _say("engine: measuring")
    report = json.loads(_output([*command, "--", "--json"]))
    for group, target in zip(report["groups"], ENGINE_TARGETS):
        for row in group["rows"]:
            wanted = target if row["name"].startswith("bearward") else None
            ratio, compared = row["to_bare"], "x the bare checks' time"
            yield Row(f"Engine, {group['title']}", row["name"], row["median_us"], "us", ratio, compared, wanted)


def _python(fixture: Fixture) -> Iterator[Row]:
    for scheme, group in SCHEMES.items():
        times: dict[str, list[float]] = {"auth0": [], "bearward": []}
        _say(f"{group}: {PYTHON_ROUNDS} rounds")
        for _ in range(PYTHON_ROUNDS):
            for sdk in times:
                script = [PYTHONS[sdk], BENCH / "verify_request.py", sdk, scheme, fixture.everything]
                times[sdk] += json.loads(_output([*_on_cpu(0), *map(str, script)]))
        medians = {sdk: statistics.median(samples) for sdk, samples in times.items()}
        for sdk, median in medians.items():
            target = Target(at_least=5) if sdk == "bearward" else None
            yield Row(group, NAMES[sdk], median, "us", medians["auth0"] / median, "x as fast", target)


def _http(fixture: Fixture, log: IO[str]) -> Iterator[Row]:
    for server, arguments in SERVERS.items():
        rates = _rates(server, arguments, fixture, log)
        for guard in NAMES:
            # Within a round, because the machine's other load changes from one round to the next.
            ratio = statistics.median(rate / nothing for rate, nothing in zip(rates[guard], rates["nothing"]))
            target = Target(at_least=0.85) if guard == "bearward" else None
            group = f"HTTP, a guarded route under {server}"
            yield Row(group, NAMES[guard], statistics.median(rates[guard]), "requests/s", ratio, "x the first", target)


def _rates(server: str, arguments: Sequence[str], fixture: Fixture, log: IO[str]) -> dict[str, list[float]]:
    """Requests per second for each guard, one figure per round."""
    rates: dict[str, list[float]] = {guard: [] for guard in NAMES}
    with contextlib.ExitStack() as running:
        urls = {guard: running.enter_context(_app(guard, arguments, fixture, log)) for guard in NAMES}
        for url in urls.values():
            _load(url, fixture, 1)
        _say(f"HTTP: {HTTP_ROUNDS} rounds under {server}")
        for _ in range(HTTP_ROUNDS):
            for guard, url in urls.items():
                rates[guard].append(_load(url, fixture, HTTP_SECONDS))
    return rates


def _app(
    guard: str, arguments: Sequence[str], fixture: Fixture, log: IO[str]
) -> contextlib.AbstractContextManager[str]:
    environment = {"BENCH_GUARD": guard, "BENCH_FIXTURE": str(fixture.everything)}
    python = [*_on_cpu(0), str(PYTHONS[guard])]
    return local.uvicorn(log, BENCH / "app", environment, "--no-access-log", *arguments, python=python)


def _load(url: str, fixture: Fixture, seconds: int) -> float:
    """How many requests per second the app at `url` answered."""
    if shutil.which("wrk"):
        command = ["wrk", "--threads", "1", "--connections", str(HTTP_CONNECTIONS), "--duration", f"{seconds}s"]
        command += ["--script", str(BENCH / "load.lua"), f"{url}/guarded"]
    else:
        host, port = url.removeprefix("http://").split(":")
        command = [sys.executable, str(BENCH / "load.py"), host, port, "/guarded", str(fixture.tokens)]
        command += [str(seconds), str(HTTP_CONNECTIONS)]
    output = _output([*_on_cpu(1), *command], BENCH_TOKENS=str(fixture.tokens))
    report = json.loads(output.splitlines()[-1])
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['requests']} requests to {url} failed")
    rate: float = report["requests"] / report["seconds"]
    return rate


def _on_cpu(number: int) -> list[str]:
    """The prefix that runs a command on one CPU, so that the server and the load don't share one."""
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        return []
    cpus = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(cpus[number])] if len(cpus) > number else []


def _output(command: Sequence[str], **environment: str) -> str:
    process = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=local.ROOT,
        env={**os.environ, **environment},
        timeout=600,
    )
    if process.returncode:
        sys.stderr.write(process.stderr)
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return process.stdout


def _machine() -> dict[str, str]:
    versions = "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
    installed = dict(line.lower().split() for line in _output([str(PYTHONS["bearward"]), "-c", versions]).splitlines())
    return {
        "cpu": _cpu(),
        "python": platform.python_version(),
        "fastapi": installed["fastapi"],
        "uvicorn": installed["uvicorn"],
        "load": "wrk" if shutil.which("wrk") else "python/bench/load.py (no wrk here)",
    }


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} CPUs"
    return f"{platform.machine()}, {os.cpu_count()} CPUs"


def _table(rows: Sequence[Row], machine: dict[str, str]) -> str:
    lines = [f"{name:<8} {value}" for name, value in machine.items()]
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            lines += ["", group]
        ratio = f"{row.ratio:.2f} {row.compared}"
        verdict = (
            "" if row.target is None else f"target {row.target}: {'met' if row.target.met_by(row.ratio) else 'MISSED'}"
        )
        lines.append(f"  {row.name:<34} {row.value:>10,.1f} {row.unit:<12} {ratio:<30} {verdict}".rstrip())
    return "\n".join(lines)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
