"""Walks through a page as a reader would: types its commands into a shell, and compares what it says they print.

A block `sh` is typed. A status in a comment at the end of a line is what its request is answered. A block `text` behind
it is what it prints: these lines in this order, others may stand between them, and `...` stands for anything within a
line. A block `python` is put into the file that the line before names.
"""

from __future__ import annotations

import contextlib
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Optional

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1200


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    text: str
    before: str
    """The last line before it that says something."""


def blocks(page: str) -> list[Block]:
    """All of them, in order."""
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], page[: match.start()].rstrip().rpartition("\n")[2]) for match in found]


class Walk:
    """A shell in `folder`, into which blocks are typed one after the other.

    Args:
        folder: Where the reader is.
        environment: What the shell has.
        ports: Which free port stands for which one of the page.
    """

    def __init__(self, folder: Path, environment: dict[str, str], ports: dict[str, int]) -> None:
        self._folder = folder
        self._ports = ports
        self._shell = subprocess.Popen(
            ["/bin/bash", "--norc", "-m"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._printed = ""

    def take(self, block: Block) -> None:
        """Do what the block says."""
        if block.kind == "sh":
            self._printed = self._type(self._local(block.text))
            assert "command not found" not in self._printed, self._printed
            statuses = re.findall(r"  # .*?\b([2-5]\d\d)\b", block.text)
            self._compare("".join(f"...HTTP/1.1 {status} ...\n" for status in statuses))
        elif block.kind == "text":
            self._compare(self._local(block.text))
        elif block.kind == "python":
            (name,) = re.findall(r"`([\w.]+\.py)`", block.before)
            self._where().joinpath(name).write_text(block.text)

    def _local(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(f":{port}", f":{free}")
        # The two servers take the page's port if nobody says another.
        text = re.sub(r"^bearward issuer\b", f"bearward issuer --port {self._ports['4400']}", text)
        return re.sub(r"^uvicorn\b", f"uvicorn --port {self._ports['8000']}", text)

    def _type(self, commands: str) -> str:
        printed = self._run(commands)
        for program, port in (("bearward issuer", "4400"), ("uvicorn", "8000")):
            if commands.startswith(program):
                self._await_listening(self._ports[port], printed)
        return printed

    def _run(self, commands: str) -> str:
        mark = f"--- {time.monotonic_ns()} ---"
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        # Commands get no input of the reader's: theirs would be ours.
        self._shell.stdin.write(f"{{\n{commands}\n}} < /dev/null\necho '{mark}'\n".encode())
        self._shell.stdin.flush()
        until = time.monotonic() + PATIENCE_SECONDS
        printed = b""
        while mark.encode() not in printed:
            left = until - time.monotonic()
            assert select.select([self._shell.stdout], [], [], max(0, left))[0], printed.decode()
            chunk = self._shell.stdout.read1(65536)
            assert chunk, printed.decode()
            printed += chunk
        return printed.decode().replace("\r", "").partition(mark)[0]

    def _where(self) -> Path:
        return Path(self._run("pwd").strip().rpartition("\n")[2])

    def _await_listening(self, port: int, printed: str) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        logs = [path.read_text() for path in self._where().glob("*.log")]
        raise AssertionError("\n".join([printed, *logs]))

    def _compare(self, expected: str) -> None:
        printed = self._printed.splitlines()
        rest = iter(printed)
        for line in expected.splitlines():
            pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
            assert any(pattern.fullmatch(said) for said in rest), f"{line!r} in\n" + "\n".join(printed)

    def end(self) -> None:
        """Stop the shell and all that it started. The jobs first: the shell's own end doesn't take them along."""
        with contextlib.suppress(OSError, ValueError, AssertionError):
            self._run("kill $(jobs -p) 2>/dev/null; wait")
        with contextlib.suppress(ProcessLookupError):
            self._shell.send_signal(signal.SIGKILL)
        self._shell.wait()
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def section(page: str, title: Optional[str]) -> str:
    """The part of a page below this heading of the second level; all of it without one."""
    if title is None:
        return page
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
