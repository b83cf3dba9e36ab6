"""A case: requests to one configuration of the app, as bytes that both SDKs get."""

from __future__ import annotations

from typing import NamedTuple, Optional

HOST = "api.example.com"
ORIGIN = f"http://{HOST}"


class Step(NamedTuple):
    """One request, and what the issuers answer meanwhile."""

    request: bytes
    # By path: as `HttpsIssuer.answers`. `None`: the usual documents.
    documents: Optional[dict] = None


class Case(NamedTuple):
    """Steps in turn. `apart`: with a guard of its own, that has seen no request before."""

    name: str
    configuration: str
    steps: list[Step]
    apart: bool = False

    @property
    def guard(self) -> str:
        return f"{self.configuration}@{self.name}" if self.apart else self.configuration


class Corpus:
    """Cases, each name once."""

    def __init__(self):
        self.cases = {}

    def add(self, name, configuration, *headers, path="/private", method="GET", documents=None, **kind):
        """A case of one request with `headers`: pairs of name and value."""
        steps = [Step(request(path, headers, method=method, **kind), documents)]
        self.put(Case(name, configuration, steps, apart=documents is not None))

    def put(self, case):
        assert case.name not in self.cases, case.name
        self.cases[case.name] = case


def request(path, headers, *, method="GET", host=HOST):
    """The bytes of a request, but for the field that names the configuration."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: 0")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def dpop(token):
    return ("Authorization", f"DPoP {token}")
