"""Measures the engine, the Python package and a FastAPI route, each against something to compare it with.

Everything runs on this machine, in one run, in turn. Turns are short: what else the machine does changes more slowly,
so it meets all alike. Compare the ratios, not the absolute figures. Prints one table, and writes docs/speed.json, the
chart docs/speed.svg, and the figures of README.md.

    bench.py           all of it, on a machine that does nothing else
    bench.py --quick   fewer rounds, to see that it works; prints only
"""

from __future__ import annotations

import contextlib
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import bench_fixture
import bench_pages
import local
from bench_machine import cpu as _cpu
from bench_machine import on_cpu as _on_cpu
from bench_machine import output as _output
from bench_machine import say as _say
from bench_rows import Row, Target, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench_fixture import Fixture

BENCH = local.ROOT / "python" / "bench"
OURS, PEER, LIBRARIES = (local.ROOT / ".venvs" / name / "bin" / "python" for name in ("bench", "peer", "libraries"))
NAMES = {
    "nothing": "a dependency that does nothing",
    "bearward": "bearward",
    "auth0": "auth0-fastapi-api",
    "pyjwt": "PyJWT",
    "joserfc": "joserfc",
    "python-jose": "python-jose",
    "authlib": "Authlib",
}
PYTHONS = {"nothing": OURS, "bearward": OURS, "auth0": PEER}
# What `pip install uvicorn` installs, and what `pip install uvicorn[standard]` installs.
SERVERS = {
    "h11, asyncio": ["--http", "h11", "--loop", "asyncio"],
    "httptools, uvloop": ["--http", "httptools", "--loop", "uvloop"],
}
# The engine's groups by the key that the Rust benchmark gives them.
ENGINE_TARGETS = {
    "new": Target(at_most=1.06),
    "dpop-seen": Target(at_most=1.08),
    "pushed-out": Target(at_most=1.03),
    "seen": Target(at_most=1.0, of_value=True),
    "seen-many": Target(at_most=4.0, of_value=True),
    "threads": Target(at_least=1.8),
    "issuers": Target(at_most=1.2),
    "tokens-seen": Target(at_most=1.2),
    "tokens-new": Target(at_most=1.2),
    "proofs": Target(at_most=1.2),
}
# Rows of groups with more than one row of ours: which one has the target. The others show what a figure consists of.
SECOND_ROW_ONLY = ("threads", "issuers")
# Kind of request: title, who is measured besides the first, target.
PYTHON_KINDS = {
    "seen": ("Python, a token that came before", ["bearward"], Target(at_least=50)),
    "new": (
        "Python, every token new",
        ["bearward", "pyjwt", "joserfc", "python-jose", "authlib"],
        Target(at_least=6.8),
    ),
    "dpop": ("Python, DPoP, every token and proof new", ["bearward"], Target(at_least=5.3)),
}
# Who observes a guard's decisions. The first is what the others are compared with.
OBSERVERS = {"nobody": "nobody observes it", "on_decision": "on_decision", "opentelemetry": "OpenTelemetry metrics"}
HTTP_TARGETS = {"seen": Target(at_least=0.95), "new": Target(at_least=0.82)}

TOKENS = 129
CONNECTIONS = 16


class Size:
    """How much is measured."""

    def __init__(self, *, quick: bool) -> None:
        self.rounds = 3 if quick else 11
        # Of a served route: rounds, and requests in each.
        self.http_rounds = 4 if quick else 40
        self.requests = 600
        self.engine = ["--small"] if quick else []


def main() -> int:
    """Measure, print, write."""
    local.end_in_order()
    started = time.monotonic()
    quick = sys.argv[1:] == ["--quick"]
    size = Size(quick=quick)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        try:
            # First, because building takes a while, and proofs are valid for minutes only.
            rows = [*_engine(size)]
            _say("tokens")
            fixture = bench_fixture.write(Path(folder), TOKENS, size.http_rounds * size.requests)
            rows += [*_python(fixture, size), *_observed(fixture, size), *_imports(size), *_http(fixture, size, log)]
        except KeyboardInterrupt:
            return 130
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
    machine = _machine()
    print(table(rows, machine))
    if not quick:
        bench_pages.write([row.as_json() for row in rows], machine)
    _say(f"{time.monotonic() - started:.0f} s")
    return 0


def _engine(size: Size) -> Iterator[Row]:
    _say("engine: building")
    command = ["cargo", "bench", "--quiet", "--package", "bearward-core", "--bench", "verify"]
    subprocess.run([*command, "--no-run"], check=True, cwd=local.ROOT)
    _say("engine: measuring")
    for group in json.loads(_output([*command, "--", "--json", *size.engine]))["groups"]:
        key, alone = group["key"], len(group["rows"]) == 1
        for number, row in enumerate(group["rows"]):
            ratio, compared = row["to_first"], "x the first's time"
            if key == "threads":
                ratio, compared = 1 / ratio, "x as many"
            # The first row is what the others are compared with.
            is_judged = alone or number == 1 or (number > 1 and key not in SECOND_ROW_ONLY)
            target = ENGINE_TARGETS.get(key) if is_judged and row["name"].startswith("bearward") else None
            yield Row(
                f"engine/{key}",
                f"Engine, {group['title']}",
                row["name"],
                row["median_us"],
                "us",
                ratio,
                compared,
                target,
            )


def _python(fixture: Fixture, size: Size) -> Iterator[Row]:
    for kind, (title, others, target) in PYTHON_KINDS.items():
        times: dict[str, list[float]] = {name: [] for name in ("auth0", *others)}
        _say(title)
        for _ in range(size.rounds // 2):
            for name in times:
                python = PYTHONS.get(name, LIBRARIES)
                script = [python, BENCH / "verify_request.py", name, kind, fixture.everything]
                times[name] += json.loads(_output([*_on_cpu(0), *map(str, script)]))
        medians = {name: statistics.median(samples) for name, samples in times.items()}
        for name, median in medians.items():
            wanted = target if name == "bearward" else None
            yield Row(
                f"python/{kind}", title, NAMES[name], median, "us", medians["auth0"] / median, "x as fast", wanted
            )


def _observed(fixture: Fixture, size: Size) -> Iterator[Row]:
    _say("guards that are observed")
    times: dict[str, list[float]] = {observer: [] for observer in OBSERVERS}
    for _ in range(size.rounds // 2):
        for observer, samples in times.items():
            script = [OURS, BENCH / "observed.py", observer, fixture.everything]
            samples += json.loads(_output([*_on_cpu(0), *map(str, script)]))
    medians = {observer: statistics.median(samples) for observer, samples in times.items()}
    for observer, median in medians.items():
        ratio, group = median / medians["nobody"], "Python, a guard, a token that came before"
        yield Row("python/observed", group, OBSERVERS[observer], median, "us", ratio, "x the first's time")


def _imports(size: Size) -> Iterator[Row]:
    _say("imports")
    costs: dict[str, list[dict[str, float]]] = {"auth0": [], "bearward": []}
    for _ in range(size.rounds):
        for name, all_costs in costs.items():
            script = [*_on_cpu(0), str(PYTHONS[name]), str(BENCH / "import_cost.py"), "fastapi_plugin"]
            all_costs.append(json.loads(_output(script)))
    for unit in ("ms", "KiB"):
        medians = {name: statistics.median(cost[unit] for cost in all_costs) for name, all_costs in costs.items()}
        for name, median in medians.items():
            target = Target(at_most=1 / 6) if name == "bearward" else None
            ratio, group = median / medians["auth0"], f"Import, besides FastAPI's own, {unit}"
            yield Row(f"import/{unit}", group, NAMES[name], median, unit, ratio, "x the first", target)


def _http(fixture: Fixture, size: Size, log: IO[str]) -> Iterator[Row]:
    for server, arguments in SERVERS.items():
        rates = _rates(server, arguments, fixture, size, log)
        for kind, title in (("seen", "tokens that came before"), ("new", "every token new")):
            for guard, own in rates[kind].items():
                # Within a round, because the machine's other load changes from one round to the next.
                ratio = statistics.median(rate / nothing for rate, nothing in zip(own, rates[kind]["nothing"]))
                target = HTTP_TARGETS[kind] if guard == "bearward" else None
                group = f"HTTP, a guarded route under uvicorn ({server}), {title}"
                rate, key = statistics.median(own), f"http/{server.split(',')[0]}/{kind}"
                yield Row(key, group, NAMES[guard], rate, "requests/s", ratio, "x the first", target)


def _rates(
    server: str, arguments: Sequence[str], fixture: Fixture, size: Size, log: IO[str]
) -> dict[str, dict[str, list[float]]]:
    """Requests per second, by kind of token and guard, one figure per round."""
    rates: dict[str, dict[str, list[float]]] = {kind: {guard: [] for guard in PYTHONS} for kind in HTTP_TARGETS}
    with contextlib.ExitStack() as running:
        # Each guard has an app of its own.
        urls = {guard: running.enter_context(_app(guard, arguments, fixture, log)) for guard in PYTHONS}
        for url in urls.values():
            _load(url, fixture.seen, 0, 8 * TOKENS)
        _say(f"HTTP: {size.http_rounds} rounds under {server}")
        for number in range(size.http_rounds):
            for guard, url in urls.items():
                rates["seen"][guard].append(_load(url, fixture.seen, 0, size.requests))
                rates["new"][guard].append(_load(url, fixture.new, number * size.requests, size.requests))
    return rates


def _app(
    guard: str, arguments: Sequence[str], fixture: Fixture, log: IO[str]
) -> contextlib.AbstractContextManager[str]:
    environment = {"BENCH_GUARD": guard, "BENCH_FIXTURE": str(fixture.everything)}
    python = [*_on_cpu(0), str(PYTHONS[guard])]
    return local.uvicorn(log, BENCH / "app", environment, "--no-access-log", *arguments, python=python)


def _load(url: str, tokens: Path, first: int, count: int) -> float:
    """How many requests per second the app at `url` answered."""
    host, port = url.removeprefix("http://").split(":")
    command = [sys.executable, str(BENCH / "load.py"), host, port, "/guarded", str(tokens), str(first), str(count)]
    report = json.loads(_output([*_on_cpu(1), *command, str(CONNECTIONS)]))
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['requests']} requests to {url} failed")
    rate: float = report["requests"] / report["seconds"]
    return rate


def _machine() -> dict[str, str]:
    versions = "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
    installed = dict(line.lower().split() for line in _output([str(OURS), "-c", versions]).splitlines())
    return {
        "cpu": _cpu(),
        "python": platform.python_version(),
        "fastapi": installed["fastapi"],
        "uvicorn": installed["uvicorn"],
    }


if __name__ == "__main__":
    sys.exit(main())
