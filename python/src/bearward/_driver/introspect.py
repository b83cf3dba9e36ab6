"""Asks the issuer what opaque tokens say: one question per token and event loop, with limits of time and size.

When a token is asked about, and what an answer means, is the engine's to say: `crates/bearward-core/src/verify`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Optional
from urllib.parse import urlencode, urlsplit

from bearward._driver.fetch import httpx_response
from bearward._driver.health import Health
from bearward._driver.loops import Deadline, Loop, Pending, PerLoop

if TYPE_CHECKING:
    from bearward import _native
    from bearward._driver.client_auth import ClientAuthentication

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class Introspector:
    """Asks, and hands the answers to the engine.

    Args:
        engine: Whose questions these are.
        loops: Whose pooled clients are used, and where questions under way are kept.
        client: How this API authenticates.
        timeout: Total time for one question, seconds.
    """

    def __init__(self, engine: _native.Engine, loops: PerLoop, client: ClientAuthentication, timeout: float) -> None:
        self._engine = engine
        self._loops = loops
        self._client = client
        self._timeout = timeout
        self._health = Health()

    async def ask(self, needed: _native.IntrospectionNeeded, seconds: float) -> bool:
        """Wait until the engine has an answer, or knows that there is none. A failure raises nothing.

        Args:
            needed: The question.
            seconds: How long the request waits at most. The question goes on without it.

        Returns:
            Whether it waited long enough: if not, tell the engine so.
        """
        loop = await self._loops.current()
        loop.prepare()
        pending = self._pending(needed, loop)
        try:
            with Deadline(seconds):
                await pending.wait()
        except asyncio.TimeoutError:
            pass
        return pending.is_done

    def _pending(self, needed: _native.IntrospectionNeeded, loop: Loop) -> Pending:
        """The question about this token that is under way, or a new one."""
        pending = loop.introspections.get(needed.key)
        if pending is None:
            begun = pending = loop.introspections[needed.key] = Pending()
            loop.begin(self._run(needed, loop), lambda _, error: _finish(loop, needed.key, begun, error))
        return pending

    async def _run(self, needed: _native.IntrospectionNeeded, loop: Loop) -> None:
        deadline = Deadline(self._timeout)
        problem: Optional[str]
        try:
            with deadline:
                problem = await self._post(needed, loop)
        except Exception as error:  # noqa: BLE001 - whatever a network may raise
            # It ends here, and without its text: it refers to the request, with the token and the secret.
            problem = f"no answer within {self._timeout} s" if deadline.expired else type(error).__name__
            self._engine.introspection_failed(needed, time.time())
        host = urlsplit(needed.url).hostname
        if problem is None:
            self._health.works(needed.url, f"answers of the introspection endpoint of {host} again")
        else:
            self._health.failed(needed.url, f"no answer of the introspection endpoint of {host}", problem)

    async def _post(self, needed: _native.IntrospectionNeeded, loop: Loop) -> Optional[str]:
        """What is wrong with the answer, if something is. The engine has it either way."""
        authentication = self._client.authenticate(needed.issuer, time.time())
        return self._engine.introspected(
            needed,
            *await httpx_response(
                loop,
                needed.url,
                "POST",
                content=urlencode([*needed.form(), *authentication.fields]).encode(),
                headers=_FORM,
                auth=authentication.auth,
            ),
            time.time(),
        )


def _finish(loop: Loop, key: bytes, pending: Pending, error: Optional[BaseException]) -> None:
    """Let the waiting callers go on. An error here says that the loop shuts down, or it is a defect."""
    if loop.introspections.get(key) is pending:
        del loop.introspections[key]
    pending.finish(error=error)
