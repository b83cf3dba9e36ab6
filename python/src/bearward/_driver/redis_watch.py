"""Finds out when a Redis has forgotten used proofs, or is about to."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import math
import time
from typing import Any, Optional

from bearward._driver.questions import Questions
from bearward._driver.redis_clients import Connections
from bearward._driver.redis_values import FirstValues

_logger = logging.getLogger("bearward")

# How often the marker is read, and how often the server is asked about itself.
_MARKER_SECONDS = 1.0
_INFO_SECONDS = 10.0
# As in the engine's `limits::CLOCKS_OF_SERVERS`: entries live so much longer than a proof.
_CLOCKS_SECONDS = 5.0


class RedisWatch:
    """Knows since when a Redis remembers.

    A key without an end, the marker, holds the time at which it was written. If Redis is emptied, the marker is gone,
    too, and the next worker writes it again. What else loses proofs is in `INFO`: evicted keys, and another process
    that answers, which may lack what was written last.

    Args:
        client: An async client of redis-py.
        values: Writes the marker.
        name: The marker's key.
        connections: Of a client that counts them.
        keeps_last: Whether another server has everything, because replicas confirm each proof.
    """

    def __init__(
        self, client: Any, values: FirstValues, name: bytes, connections: Optional[Connections], keeps_last: bool
    ) -> None:
        self._client = client
        self._values = values
        self._name = name
        self._connections = connections or Connections()
        self._keeps_last = keeps_last
        self._is_cluster = hasattr(client, "nodes_manager")
        self.since = -math.inf
        self._marker: Optional[str] = None
        self._seen_made = -1
        self._next_marker = -math.inf
        self._next_info = -math.inf
        self._looking: Optional[asyncio.Task[None]] = None
        self._may_ask = True
        self._processes: set[str] = set()
        self._evicted: dict[str, int] = {}
        self._said: set[str] = set()

    async def after_answer(self, questions: Questions) -> None:
        """Look, if it is time. A question's answer counts only then: it may come from another server than before."""
        made = self._connections.made
        if self._seen_made < made:
            self._next_info = -math.inf
            # A look that is under way may have begun before the connection was made that the answer came by. In a
            # cluster another server may have the marker, and may be down: that must not refuse this server's answers.
            while self._seen_made < made and not self._is_cluster:
                await asyncio.shield(self._begin_look(questions))
        if time.monotonic() >= self._next_marker:
            self._begin_look(questions)

    def _begin_look(self, questions: Questions) -> asyncio.Task[None]:
        """The look that is under way, or a new one."""
        looking = self._looking
        if looking is None or looking.done():
            self._next_marker = time.monotonic() + _MARKER_SECONDS
            looking = self._looking = asyncio.ensure_future(self._look(questions))
            looking._log_destroy_pending = False  # type: ignore[attr-defined]
            looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return looking

    async def _look(self, questions: Questions) -> None:
        made = self._connections.made
        with contextlib.suppress(*(self._unreachable() if self._is_cluster else ())):
            await questions.ask(self._read_marker)
        if self._may_ask and time.monotonic() >= self._next_info:
            self._next_info = time.monotonic() + _INFO_SECONDS
            await questions.ask(self._read_info)
        self._seen_made = made

    async def _read_marker(self) -> None:
        now = time.time()
        mine = str(int(now * 1000))
        found = await self._values.write(self._name, mine)
        if self._marker is None and found is None:
            # A client that hides the value that is there would call every proof new.
            found_again = await self._values.write(self._name, mine)
            if found_again is None:
                raise TypeError("the client hides the values that Redis answers with")
            _logger.info("the Redis at hand remembers used DPoP proofs from now on: it is new, or was emptied")
        marker = mine if found is None else found
        if marker == self._marker:
            return
        known_before, self._marker = self._marker is not None, marker
        # Another host's clock may be ahead; and what is no time tells nothing.
        since = min(now, int(marker) / 1000) if marker.isdigit() else now
        self.since = max(self.since, since)
        if known_before:
            self._forgot("it was emptied, or restarted without its data", since)

    async def _read_info(self) -> None:
        try:
            infos = await self._ask_info()
        except Exception as error:
            if type(error).__name__ not in {"NoPermissionError", "ResponseError"}:
                raise
            self._may_ask = False
            _logger.info("Redis gives no INFO to this user: evicted proofs and failovers can't be noticed")
            return
        for node, info in infos.items():
            self._check_evictions(node, info)
            self._check_clock(info)
        self._check_processes({str(info.get("run_id")) for info in infos.values()})

    async def _ask_info(self) -> dict[str, dict[str, Any]]:
        """The answers of all masters, by name."""
        if not self._is_cluster:
            return {"": await self._client.info()}
        answers = {}
        for node in self._client.get_primaries():
            # One that is down says nothing. The others do.
            with contextlib.suppress(*self._unreachable()):
                answers[node.name] = await self._client.info(target_nodes=node)
        return answers

    @staticmethod
    def _unreachable() -> tuple[type[Exception], ...]:
        from redis.exceptions import ConnectionError as RedisConnectionError
        from redis.exceptions import TimeoutError as RedisTimeoutError

        return (OSError, asyncio.TimeoutError, RedisConnectionError, RedisTimeoutError)

    def _check_evictions(self, node: str, info: dict[str, Any]) -> None:
        policy = info.get("maxmemory_policy", "noeviction")
        if info.get("maxmemory", 0) and policy != "noeviction":
            self._warn_once(f"Redis may forget used DPoP proofs when its memory is full: maxmemory-policy is {policy}")
        evicted = int(info.get("evicted_keys", 0))
        before = self._evicted.get(node)
        self._evicted[node] = evicted
        # Less than before: it was restarted.
        if before is not None and evicted > before:
            self._forgot(f"its memory is full, and it evicted {evicted - before} keys", time.time())

    def _check_processes(self, processes: set[str]) -> None:
        new = processes - self._processes
        if self._processes and new and not self._keeps_last:
            self._forgot("another server answers, which may lack the last ones", time.time())
        # In a cluster, one that is down for a moment is still known.
        self._processes = processes | (self._processes if self._is_cluster else set())

    def _check_clock(self, info: dict[str, Any]) -> None:
        theirs = info.get("server_time_usec")
        if isinstance(theirs, int) and abs(theirs / 1e6 - time.time()) > _CLOCKS_SECONDS:
            self._warn_once(
                f"the clock of Redis differs by {theirs / 1e6 - time.time():+.0f} s: proofs end at a wrong time"
            )

    def _forgot(self, why: str, since: float) -> None:
        self.since = max(self.since, since)
        when = datetime.datetime.fromtimestamp(since, datetime.timezone.utc).isoformat(timespec="seconds")
        _logger.warning("Redis may have forgotten DPoP proofs that were used before %s: %s", when, why)

    def _warn_once(self, text: str) -> None:
        if text.split(":")[0] not in self._said:
            self._said.add(text.split(":")[0])
            _logger.warning("%s", text)
