"""The certificates of clients, in the spellings of proxies."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse

from cryptography.hazmat.primitives.serialization import Encoding

from .keys import b64, certificate


def der(key: str) -> bytes:
    return certificate(key).public_bytes(Encoding.DER)


def pem(key: str) -> str:
    return certificate(key).public_bytes(Encoding.PEM).decode()


def thumbprint(key: str) -> str:
    """`x5t#S256`. RFC 8705 section 3.1."""
    return b64(hashlib.sha256(der(key)).digest())


def escaped(key: str) -> str:
    """As nginx writes it into `$ssl_client_escaped_cert`."""
    return urllib.parse.quote(pem(key), safe="")


def byte_sequence(key: str) -> str:
    """RFC 9440 section 2.1."""
    return f":{base64.b64encode(der(key)).decode()}:"


def element(key: str) -> str:
    """As Envoy writes it."""
    digest = hashlib.sha256(der(key)).hexdigest()
    return f'By=spiffe://example/api;Hash={digest};Subject="CN={key}";URI='
