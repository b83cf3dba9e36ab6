"""Calls the deployer's domains resolver: which issuers are allowed for a request?"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import json
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from bearward import _native
from bearward._driver.health import Health
from bearward._driver.loops import PerLoop
from bearward.cache import InMemoryCache
from bearward.errors import DomainsResolverError
from bearward.types import DomainsResolver, DomainsResolverContext

# Fields that a resolver doesn't get: it has no use for credentials, and might log them.
_CREDENTIALS = ("authorization", "dpop")

# How many answers are remembered. A stranger can displace them with made-up issuers: then the resolver is called again.
_ANSWERS = 1000


class IssuerResolver:
    """Calls a resolver with a time limit, and checks its answer.

    A function that isn't async is called in a worker thread, with the request's context variables. Several calls may
    run at once.

    Args:
        resolve: The deployer's function.
        loops: Has the worker threads.
        timeout: How long the function may take, seconds.
        ttl: How long an answer is used again for the same issuer, scheme and host; seconds. 0: not at all.
    """

    def __init__(self, resolve: DomainsResolver, loops: PerLoop, timeout: float, ttl: float) -> None:
        self._resolve = resolve
        self._loops = loops
        self._timeout = timeout
        self._ttl = ttl
        self._answers = InMemoryCache(_ANSWERS)
        self._health = Health()
        self._is_async = _is_async(resolve)

    async def issuers(
        self, unverified_iss: str, request_url: Optional[str], request_headers: Optional[Mapping[str, Any]]
    ) -> _native.IssuerSet:
        """The issuers allowed for a request.

        Raises:
            DomainsResolverError: the resolver failed, or returned something that can't be used.
        """
        context = DomainsResolverContext(
            request_url=request_url,
            request_headers=None if request_headers is None else _without_credentials(request_headers),
            unverified_iss=unverified_iss,
        )
        if self._ttl == 0:
            return await self._ask(context)
        name = _name_of(context)
        answer: Optional[_native.IssuerSet] = self._answers.get(name)
        if answer is None:
            answer = await self._ask(context)
            self._answers.set(name, answer, self._ttl)
        return answer

    async def _ask(self, context: DomainsResolverContext) -> _native.IssuerSet:
        try:
            issuers = _checked(await self._answer(context))
        except DomainsResolverError as error:
            self._health.failed("resolver", error.message, error.detail or "")
            raise
        self._health.works("resolver", "the domains resolver works again")
        return issuers

    async def _answer(self, context: DomainsResolverContext) -> Any:
        call = asyncio.ensure_future(self._call(context))
        try:
            # Not `wait_for`: a TimeoutError may be the resolver's own.
            done, _ = await asyncio.wait([call], timeout=self._timeout)
        finally:
            # This does nothing if the call is done.
            call.cancel()
        if not done:
            raise _native.resolver_error("timeout", f"no answer within {self._timeout} s")
        try:
            return call.result()
        except (Exception, asyncio.CancelledError) as error:
            raise _native.resolver_error("raised", _cause(error)) from error

    async def _call(self, context: DomainsResolverContext) -> Any:
        if self._is_async:
            answer: Any = self._resolve(context)
        else:
            threads = (await self._loops.current()).threads()
            run = contextvars.copy_context().run
            answer = await asyncio.get_running_loop().run_in_executor(threads, lambda: run(self._resolve, context))
        return await answer if inspect.isawaitable(answer) else answer


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not whether it is callable, but how


def _checked(answer: Any) -> _native.IssuerSet:
    if not isinstance(answer, list):
        raise _native.resolver_error("not_a_list", f"a {type(answer).__name__}")
    if not answer:
        raise _native.resolver_error("empty", "an empty list")
    if not all(isinstance(domain, str) and domain.strip() for domain in answer):
        raise _native.resolver_error("not_texts", "an item that is no text, or an empty one")
    try:
        return _native.IssuerSet([domain.strip() for domain in answer])
    except (ValueError, UnicodeError) as error:
        raise _native.resolver_error("no_issuer", str(error)) from error


def _cause(error: BaseException) -> str:
    """What was raised, and where, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _without_credentials(headers: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case. Values of a repeated field are joined (RFC 9110 section 5.3), so that none is hidden."""
    # Starlette's and httpx's list of fields shows a repeated field, which a mapping hides.
    raw = getattr(headers, "raw", None)
    fields: dict[str, str] = {}
    for name, value in raw if isinstance(raw, list) else headers.items():
        lower, text = _text(name).lower(), _text(value)
        if lower not in _CREDENTIALS:
            fields[lower] = f"{fields[lower]}, {text}" if lower in fields else text
    return fields


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _name_of(context: DomainsResolverContext) -> str:
    """The key under which an answer is remembered."""
    # Split, not parsed: a stranger decides what is in it, and it may be no valid URL.
    origin = (context["request_url"] or "").split("/", 3)[:3]
    host = (context["request_headers"] or {}).get("host")
    return json.dumps([context["unverified_iss"], origin, host])
