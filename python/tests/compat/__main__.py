"""Sends the same requests to this package and to the SDK that it replaces, and compares what comes back.

`make compat` runs it. Both guard the same app, `app.py`, over real HTTP; their issuers are the same, over real https.
What may differ is listed in `differences.json`, case by case with its reason; `docs/migration.md` explains the reasons.
The exit code is 1 if something differs that isn't listed, or differs otherwise, or if the list is out of date.

    python -m compat            compares
    python -m compat --write    writes the list again; fill in the reasons of what is new
    python -m compat CASE       shows both answers to one case, or to all whose names begin so
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compat import differences
from compat.answers import exchange, normal
from compat.corpus import configurations_of, corpus_of
from compat.world import world
from support import free_port, process

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
PYTHONS = {"old": ROOT / ".venvs" / "compat" / "bin" / "python", "new": Path(sys.executable)}


def main(arguments):
    started = time.monotonic()
    if not PYTHONS["old"].exists():
        say("The SDK to compare with is not installed: run `make compat`.")
        return 2
    write = "--write" in arguments
    prefixes = tuple(argument for argument in arguments if not argument.startswith("--"))
    outcomes = run(prefixes)
    if prefixes:
        show(outcomes)
        return 0
    report = differences.Report(differences.load(), **outcomes)
    if write:
        differences.write(report.listed, report.found)
        report.listed = differences.load()
    problems = list(report.problems())
    for line in (*problems, *report.summary(), f"{time.monotonic() - started:.0f} s"):
        say(line)
    return 1 if problems else 0


def run(prefixes=()):
    """Outcomes by case, of both sides."""
    outcomes = {"old": {}, "new": {}}
    for side, python in PYTHONS.items():
        found = in_process(python)
        outcomes[side].update({name: normal(found[name], ()) for name in found if name.startswith(prefixes or "")})
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(world())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cases = [case for case in corpus_of(here).cases.values() if case.name.startswith(prefixes or "")]
        ports = {side: stack.enter_context(served(side, here, folder)) for side in PYTHONS}
        both = stack.enter_context(ThreadPoolExecutor(len(ports)))
        for case in cases:
            for number, step in enumerate(case.steps, 1):
                here.answer_with(step.documents)
                name = case.name if len(case.steps) == 1 else f"{case.name}#{number}"
                sent = {side: both.submit(exchange, port, step.request, case.guard) for side, port in ports.items()}
                for side, answer in sent.items():
                    outcomes[side][name] = normal(answer.result(), here.domains)
        defects = (folder / "new.log").read_text(encoding="utf-8", errors="replace")
    if "Traceback" in defects:
        say(defects)
        raise SystemExit("An exception of ours was not expected; see above.")
    return outcomes


@contextlib.contextmanager
def served(side, here, folder):
    """The app with the packages of one side; gives the port."""
    configurations = folder / "configurations.json"
    configurations.write_text(json.dumps(configurations_of(here)), encoding="utf-8")
    port = free_port()
    options = ["--http", "h11", "--loop", "asyncio", "--ws", "none", "--lifespan", "off", "--log-level", "critical"]
    command = [
        str(PYTHONS[side]),
        *("-m", "uvicorn", "app:app", "--no-proxy-headers", "--port", str(port), *options),
    ]
    environment = {
        **environment_without_proxies(),
        "SSL_CERT_FILE": str(here.ca_file),
        "COMPAT_CONFIGURATIONS": str(configurations),
        "COMPAT_ISSUERS": " ".join(here.domains),
    }
    with (
        (folder / f"{side}.log").open("wb") as log,
        process(command, port, cwd=FOLDER, env=environment, stdout=log, stderr=log),
    ):
        yield port


def environment_without_proxies():
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def in_process(python):
    """What constructors, methods and signatures do, told by the packages of one side."""
    command = [str(python), "-W", "ignore", str(FOLDER / "calls.py")]
    finished = subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own arguments
    return json.loads(finished.stdout)


def show(outcomes):
    for name, old in outcomes["old"].items():
        new = outcomes["new"][name]
        say(f"{name}{'' if old == new else '  (differs)'}\n  old {json.dumps(old)}\n  new {json.dumps(new)}")


def say(text):
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
