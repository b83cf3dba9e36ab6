"""The connections of the pooled clients: straight to a host, or through the proxy that the environment names for it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Optional

import httpx

from bearward._driver.proxies import Proxies
from bearward._driver.trust import UntrustableFileError


def new_client(tls: Callable[[], ssl.SSLContext], timeout: float) -> httpx.AsyncClient:
    """A client that follows no redirect and keeps no cookie. `timeout`: for single network operations, seconds."""
    # A cookie that a server sets in an exchange for one user must not be sent in the next user's.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=_Routes(tls), timeout=timeout, follow_redirects=False, cookies=no_cookies)


class _Routes(httpx.AsyncBaseTransport):
    """Has a pool of connections for each way out.

    httpx's own choice of a proxy stumbles over an IPv6 network in `NO_PROXY`, and sends requests for loopback to the
    proxy.

    Args:
        tls: Gives the context for all of them. Asked once a connection is needed: its files may be unusable.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext]) -> None:
        self._tls = tls
        self._proxies = Proxies()
        self._pools: dict[Optional[str], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pool(self._proxies.proxy_for(request.url.host)).handle_async_request(request)

    async def aclose(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def _pool(self, proxy: Optional[str]) -> httpx.AsyncHTTPTransport:
        pool = self._pools.get(proxy)
        if pool is None:
            pool = self._pools[proxy] = self._new_pool(proxy)
        return pool

    def _new_pool(self, proxy: Optional[str]) -> httpx.AsyncHTTPTransport:
        try:
            tls = self._tls()
        except UntrustableFileError as error:
            raise httpx.ConnectError(str(error)) from None
        try:
            return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, proxy=proxy)
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            # Not its text: the URL of a proxy may have a password.
            raise httpx.ProxyError(f"the proxy of the environment can't be used: {type(error).__name__}") from None
