"""The certificate that the client of a request has shown, as far as the server or the proxy says so."""

from typing import NamedTuple, Optional

from fastapi.requests import HTTPConnection

from bearward.client import ApiClientOptions
from bearward.fastapi.url import trusts_proxy


class Shown(NamedTuple):
    """What a request says of its client's certificate.

    Attributes:
        certificate: PEM, if the server's TLS knows it.
        behind_proxy: Whether header fields of a proxy count.
        field: The values of the header field that the proxy writes.
    """

    certificate: Optional[str] = None
    behind_proxy: bool = False
    field: tuple[str, ...] = ()

    @classmethod
    def by(cls, connection: HTTPConnection, options: ApiClientOptions) -> "Shown":
        """For a guard with these options."""
        if not options.mtls:
            return _NOTHING
        name = options.client_certificate_header
        if name is None:
            return cls(certificate=_of_connection(connection))
        return cls(behind_proxy=trusts_proxy(connection.scope), field=tuple(connection.headers.getlist(name)))


_NOTHING = Shown()


def _of_connection(connection: HTTPConnection) -> Optional[str]:
    """By ASGI's TLS extension: the client's own certificate is the first of the chain."""
    tls = (connection.scope.get("extensions") or {}).get("tls") or {}
    return next(iter(tls.get("client_cert_chain") or ()), None)
