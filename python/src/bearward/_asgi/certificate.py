"""The certificate that the client of a request has shown, as far as the server or the proxy says so."""

from typing import NamedTuple, Optional

from bearward._asgi.connection import Connection
from bearward._asgi.url import trusts_proxy
from bearward.client import ApiClientOptions


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
    def by(cls, connection: Connection, options: ApiClientOptions, trusts_proxies: Optional[bool] = None) -> "Shown":
        """For a guard with these options.

        Args:
            connection: The request.
            options: The guard's.
            trusts_proxies: Whether proxies are believed. By default the app says so: `app.state.trust_proxy`.
        """
        if not options.mtls:
            return NOTHING_SHOWN
        name = options.client_certificate_header
        if name is None:
            return cls(certificate=_of_connection(connection))
        behind_proxy = trusts_proxy(connection.scope) if trusts_proxies is None else trusts_proxies
        return cls(behind_proxy=behind_proxy, field=tuple(connection.headers.getlist(name)))


NOTHING_SHOWN = Shown()


def _of_connection(connection: Connection) -> Optional[str]:
    """By ASGI's TLS extension: the client's own certificate is the first of the chain."""
    tls = (connection.scope.get("extensions") or {}).get("tls") or {}
    return next(iter(tls.get("client_cert_chain") or ()), None)
