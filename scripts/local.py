"""Starts and stops the local tenant, apps and other servers. The demo, `make dev`, benchmarks and tests use it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn, Optional

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proofs import Prover

ROOT = Path(__file__).resolve().parent.parent
BEARWARD = Path(os.environ.get("BEARWARD_BIN") or ROOT / "target" / "debug" / "bearward").resolve()
EXAMPLE = ROOT / "examples" / "fastapi"
AXUM_EXAMPLE = ROOT / "target" / "debug" / "bearward-example-axum"
TONIC_EXAMPLE = ROOT / "target" / "debug" / "bearward-example-tonic"
AUDIENCE = "https://api.example.com"

_READY_SECONDS = 30.0
_STOP_SECONDS = 5.0
# The admin side is plain http; without this, httpx loads all certificates for each request.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class LocalTenant(NamedTuple):
    """A running `bearward issuer`, with the members of its ready line."""

    domain: str
    issuer: str
    ca_file: str
    client_id: str
    client_secret: str
    admin_url: str
    admin_secret: str

    def environment(self) -> dict[str, str]:
        """The environment of an API or a client of this tenant."""
        return {
            "SSL_CERT_FILE": self.ca_file,
            "AUTH0_DOMAIN": self.domain,
            "AUTH0_AUDIENCE": AUDIENCE,
        }

    def client_environment(self) -> dict[str, str]:
        """The same, and the variables that `bearward token` needs."""
        return {
            **self.environment(),
            "AUTH0_CLIENT_ID": self.client_id,
            "AUTH0_CLIENT_SECRET": self.client_secret,
        }

    def request_token(self, prover: Optional[Prover] = None) -> str:
        """A token from the token endpoint, as clients get it. With a prover, it is bound to the prover's key."""
        endpoint = f"{self.issuer}oauth/token"
        headers = {} if prover is None else {"DPoP": prover.proof(endpoint, method="POST")}
        grant = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "audience": AUDIENCE,
        }
        with self._client() as client:
            answer = client.post(endpoint, json=grant, headers=headers).raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def order_token(self, **order: Any) -> str:
        """A token from the admin side. It can say anything, and its key need not be published."""
        token: str = self.admin("token", order)["access_token"]
        return token

    def admin(self, path: str, order: Optional[dict[str, Any]] = None, method: str = "POST") -> Any:
        """Call the admin side: `rotate-keys`, `withdraw-key`, `token`, `requests`."""
        headers = {"Authorization": f"Bearer {self.admin_secret}"}
        url = f"{self.admin_url}/admin/{path}"
        answer = httpx.request(method, url, json=order or {}, headers=headers, verify=_NO_TLS, trust_env=False)
        return answer.raise_for_status().json()

    def documents(self) -> dict[str, Any]:
        """Discovery document and key set, by URL."""
        with self._client() as client:
            discovery = f"{self.issuer}.well-known/openid-configuration"
            metadata = client.get(discovery).raise_for_status().json()
            keys = client.get(metadata["jwks_uri"]).raise_for_status().json()
        return {discovery: metadata, metadata["jwks_uri"]: keys}

    def _client(self) -> httpx.Client:
        return httpx.Client(verify=ssl.create_default_context(cafile=self.ca_file), trust_env=False)


@contextlib.contextmanager
def tenant(log: IO[str], *arguments: str, port: int = 0) -> Iterator[LocalTenant]:
    """A local tenant with its admin side open. Its messages go to `log`. A `--config` has to name `AUDIENCE`."""
    api = [] if "--config" in arguments else ["--audience", AUDIENCE]
    command = [str(BEARWARD), "issuer", "--json", "--admin", "--port", str(port), *api, *arguments]
    with _running(command, _environment({}), log, stdout=subprocess.PIPE) as process:
        ready = json.loads(_first_line(process))
        yield LocalTenant(*(ready[name] for name in LocalTenant._fields))


@contextlib.contextmanager
def uvicorn(
    log: IO[str],
    folder: Path,
    environment: Mapping[str, str],
    *arguments: str,
    port: int = 0,
    python: Sequence[str] = (sys.executable,),
) -> Iterator[str]:
    """Runs `main:app` of `folder` under uvicorn, and yields its URL once it listens. Its output goes to `log`."""
    port = port or free_port()
    command = [*python, "-m", "uvicorn", "main:app", "--app-dir", str(folder), "--port", str(port), *arguments]
    with server(log, command, port, environment):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def rust_example(log: IO[str], program: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Runs one of the built Rust examples, and yields its URL once it listens. Its output goes to `log`."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    with server(log, [str(program)], port, {"ADDRESS": address, **environment}):
        yield f"http://{address}"


@contextlib.contextmanager
def server(
    log: IO[str], command: Sequence[str], port: int, environment: Optional[Mapping[str, str]] = None
) -> Iterator[None]:
    """Runs a program, and waits until it listens on this port of 127.0.0.1. Its output goes to `log`."""
    with _running(command, _environment(environment or {}), log) as process:
        _await_listening(process, port)
        yield


def bearward(environment: Mapping[str, str], *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """The result of `bearward` with these arguments, and with `given` on stdin."""
    return subprocess.run(
        [str(BEARWARD), *arguments],
        check=False,
        cwd=ROOT,
        env=_environment(environment),
        input=given,
        capture_output=True,
        text=True,
        timeout=_READY_SECONDS,
    )


def free_port(wanted: int = 0) -> int:
    """`wanted` if that port is free, otherwise any free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        port: int = probe.getsockname()[1]
    return port


def end_in_order() -> None:
    """From now on, when a signal ends this program, the program first stops everything that it started."""

    def end(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    # A shell that starts this program in the background makes it ignore Ctrl-C's signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # The shell may be set up for another tenant or certificates. Use the local tenant, and reach it without a proxy.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTH0_", "BEARWARD_"))}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextlib.contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], log: IO[str], stdout: Optional[int] = None
) -> Iterator[subprocess.Popen[bytes]]:
    # In its own session: Ctrl-C reaches only this program, which then stops its children in order.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=stdout or log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    output = process.stdout
    if output is None or not select.select([output], [], [], _READY_SECONDS)[0]:
        raise TimeoutError("the tenant did not get ready")
    line: bytes = output.readline()
    if not line:
        raise RuntimeError(f"the tenant ended with {process.wait()}")
    return line


def _await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args!r} did not get ready")
