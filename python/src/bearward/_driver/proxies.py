"""Which proxy a request goes through: by `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment.

The rules are those of the command line (`crates/bearward-cli/src/http/proxy.rs`), so that `bearward doctor` sees what
the app sees. Upper case comes before lower case. An entry of `NO_PROXY` that can't be read excludes nothing. Loopback
never goes through a proxy: there, a loopback address is another machine.
"""

from __future__ import annotations

import os
import urllib.request
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Optional, Union


class Proxies:
    """The proxies of the environment, as it is now."""

    def __init__(self) -> None:
        self._proxy = _first("HTTPS_PROXY", "https_proxy") or _first("ALL_PROXY", "all_proxy")
        # The settings of macOS and Windows count where the environment has none.
        self._of_system = None if self._proxy else urllib.request.getproxies().get("https")
        self._excluded = _Excluded(_first("NO_PROXY", "no_proxy") or "")

    def proxy_for(self, host: str) -> Optional[str]:
        """The URL of the proxy for https requests to `host`, if there is one. An IPv6 address is without brackets."""
        proxy = self._proxy or self._of_system
        if proxy is None or is_loopback(host) or host in self._excluded:
            return None
        if self._proxy is None and urllib.request.proxy_bypass(host):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether this is `localhost` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Excluded:
    """The hosts that `NO_PROXY` names: names with all below them, addresses, networks, or `*` for all."""

    def __init__(self, entries: str) -> None:
        self._networks: list[Union[IPv4Network, IPv6Network]] = []
        self._names: set[str] = set()
        for entry in (entry.strip() for entry in entries.split(",")):
            try:
                self._networks.append(ip_network(entry, strict=False))
            except ValueError:
                self._names.add(entry.lower().lstrip("."))
        self._names.discard("")

    def __contains__(self, host: str) -> bool:
        if "*" in self._names:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            labels = host.lower().rstrip(".").split(".")
            return any(".".join(labels[start:]) in self._names for start in range(len(labels)))
        return any(address in network for network in self._networks)


def _first(*names: str) -> Optional[str]:
    return next((value for value in map(os.environ.get, names) if value), None)
