"""Clients of redis-py with settings that hold in an outage. Nothing else imports redis, and only when it is used."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Optional

# Of the time for a whole question. A part must end before the whole, or else its error is never seen and a server that
# hangs hides the next one, which works.
_CONNECT_SHARE = 0.5
_ANSWER_SHARE = 0.6
_SENTINELS_SHARE = 0.5
# A few more than questions at once, for what is asked besides.
_SPARE_CONNECTIONS = 4


class Connections:
    """What all connections of a client share.

    Attributes:
        made: How many connections were opened. Whenever a server was restarted or exchanged, there are new ones.
        tls: The settings for TLS of the first connection. Loading the certificates takes tens of milliseconds.
    """

    def __init__(self) -> None:
        self.made = 0
        self.tls: Optional[Any] = None


def from_url(url: str, timeout: float, at_once: int, settings: dict[str, Any]) -> tuple[Any, Connections]:
    """A `redis.asyncio.Redis` for one server."""
    from redis.asyncio import ConnectionPool, Redis

    given = {**_settings(timeout), "max_connections": at_once + _SPARE_CONNECTIONS, **settings}
    pool: Any = ConnectionPool.from_url(url, **given)
    connections = Connections()
    pool.connection_class = _counted(pool.connection_class, connections)
    return Redis(connection_pool=pool), connections


def from_sentinel(
    sentinels: Sequence[tuple[str, int]], service: str, timeout: float, at_once: int, settings: dict[str, Any]
) -> tuple[Any, Connections]:
    """A `redis.asyncio.Redis` for the master that the sentinels name."""
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff

    # The sentinels are asked one after the other.
    part = timeout * _SENTINELS_SHARE / max(1, len(sentinels))
    asking = {"socket_timeout": part, "socket_connect_timeout": part, "retry": Retry(NoBackoff(), 0)}
    asking.update(settings.pop("sentinel_kwargs", {}))
    given = {**_settings(timeout), "max_connections": at_once + _SPARE_CONNECTIONS, **settings}
    known: Any = Sentinel
    client = known(list(sentinels), sentinel_kwargs=asking).master_for(service, **given)
    connections = Connections()
    pool = client.connection_pool
    pool.connection_class = _counted(pool.connection_class, connections)
    return client, connections


def from_cluster(url: str, timeout: float, at_once: int, settings: dict[str, Any]) -> tuple[Any, Connections]:
    """A `redis.asyncio.RedisCluster`; `url` is one of its servers."""
    from redis.asyncio import RedisCluster

    given = {**_settings(timeout), "max_connections": at_once + _SPARE_CONNECTIONS, **settings}
    client: Any = RedisCluster.from_url(url, **given)
    connections = Connections()
    # A node that is found later is made of these arguments.
    arguments = client.nodes_manager.connection_kwargs
    arguments["connection_class"] = _counted(arguments["connection_class"], connections)
    for node in client.nodes_manager.startup_nodes.values():
        node.connection_class = arguments["connection_class"]
    client.nodes_manager.startup_nodes = _Kept(client.nodes_manager.startup_nodes)
    return client, connections


async def close(client: Any) -> None:
    """Close a client of this module with its connections."""
    # A server that hangs doesn't confirm it. The connection is given up all the same.
    with contextlib.suppress(Exception):
        await client.aclose()
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        with contextlib.suppress(Exception):
            await pool.disconnect()


class _Kept(dict[str, Any]):
    """Servers of a cluster. redis-py up to 6.4 drops each one that fails, until it has none left to ask."""

    def pop(self, name: str, default: Any = None) -> Any:
        return self.get(name, default)


def _settings(timeout: float) -> dict[str, Any]:
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff
    from redis.exceptions import ConnectionError as RedisConnectionError

    return {
        "socket_connect_timeout": timeout * _CONNECT_SHARE,
        "socket_timeout": timeout * _ANSWER_SHARE,
        # A connection that broke while nobody used it costs no request. More attempts would take longer than a request
        # waits. A question may be asked twice: its value is the asker's own.
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.02), 2, supported_errors=(RedisConnectionError,)),
        # Seen before a request needs the connection.
        "health_check_interval": 30,
    }


def _counted(kind: Any, connections: Connections) -> Any:
    """The class of connections, but it counts them, shares one TLS context, and has a name in `CLIENT LIST`."""
    from redis.exceptions import ResponseError

    # Newer versions of redis-py have the second.
    greeting = "on_connect_check_health" if hasattr(kind, "on_connect_check_health") else "on_connect"

    class Counted(kind):  # type: ignore[misc]
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            own = getattr(self, "ssl_context", None)
            if own is not None:
                connections.tls = connections.tls or own
                self.ssl_context = connections.tls

        async def _connect(self) -> None:
            connections.made += 1
            await super()._connect()

    async def greet(self: Any, *arguments: Any, **named: Any) -> None:
        await getattr(super(Counted, self), greeting)(*arguments, **named)
        await self.send_command("CLIENT", "SETNAME", "bearward", check_health=False)
        try:
            await self.read_response()
        except ResponseError:
            # The user may not do that. It is only for the operator.
            return

    setattr(Counted, greeting, greet)
    return Counted
