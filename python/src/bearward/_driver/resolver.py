"""Calls the deployer's domains resolver: which issuers are allowed for a request?"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
import hashlib
import inspect
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from bearward import _native
from bearward._driver.credentials import Fields, fields_without_credentials, url_without_credentials
from bearward._driver.health import Health
from bearward._driver.loops import Deadline, Loop, Pending, PerLoop
from bearward._driver.turns import BusyError
from bearward.cache import InMemoryCache
from bearward.errors import DomainsResolverError
from bearward.types import DomainsResolver, DomainsResolverContext

# How many answers are remembered for issuers whose tokens were good lately, and how many for all others: strangers can
# displace only the latter, with made-up issuers. Then the resolver is called again.
_ANSWERS = 1000

# How many issuers count as known, and for how long after a token of theirs was good.
_KNOWN = 1000
_KNOWN_SECONDS = 3600.0

# RFC 9110 section 7.2: what a Host field may be, with the port.
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")


class IssuerResolver:
    """Calls a resolver with a time limit, and checks its answer.

    A function that isn't async is called in a worker thread, with the request's context variables. Several calls may
    run at once; those for issuers whose tokens were good lately go first.

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
        self._answers = {known: InMemoryCache(_ANSWERS) for known in (True, False)}
        self._known = InMemoryCache(_KNOWN)
        self._health = Health()
        self._is_async = _is_async(resolve)

    async def issuers(
        self,
        unverified_iss: str,
        request_url: Optional[str],
        request_headers: Optional[Fields],
        seconds: float,
    ) -> _native.IssuerSet:
        """The issuers allowed for a request, which waits for `seconds` at most.

        Raises:
            DomainsResolverError: the resolver failed, or returned something that can't be used.
        """
        context = DomainsResolverContext(
            request_url=url_without_credentials(request_url),
            request_headers=None if request_headers is None else fields_without_credentials(request_headers),
            unverified_iss=unverified_iss,
        )
        known = self._known.get(unverified_iss) is not None
        name = _name_of(context) if self._ttl else None
        answer = None if name is None else self._remembered(name, known)
        if answer is not None:
            return answer
        try:
            issuers = await self._ask(context, known, name, min(seconds, self._timeout))
        except DomainsResolverError as error:
            self._health.failed("resolver", error.message, error.detail or "")
            raise
        self._health.works("resolver", "the domains resolver works again")
        if name is not None:
            self._answers[known].set(name, issuers, self._ttl)
        return issuers

    def _remembered(self, name: str, known: bool) -> Optional[_native.IssuerSet]:
        answer: Optional[_native.IssuerSet] = self._answers[known].get(name)
        # Until a token of an issuer is good, its answer is among those of strangers.
        return self._answers[False].get(name) if answer is None and known else answer

    def was_good(self, issuer: str) -> None:
        """A token of this issuer was good, so questions about it go first."""
        self._known.set(issuer, True, _KNOWN_SECONDS)

    async def _ask(
        self, context: DomainsResolverContext, known: bool, name: Optional[str], seconds: float
    ) -> _native.IssuerSet:
        loop = await self._loops.current()
        pending, give_up = self._question(loop, context, known, name)
        deadline = Deadline(seconds)
        try:
            with deadline:
                issuers: _native.IssuerSet = await pending.wait()
        except DomainsResolverError as error:
            # A copy for each caller: an error's traceback grows each time it is raised.
            raise copy.copy(error) from error.__cause__
        except asyncio.TimeoutError:
            raise _native.resolver_error("timeout", f"no answer within {self._timeout} s") from None
        finally:
            give_up()
        return issuers

    def _question(
        self, loop: Loop, context: DomainsResolverContext, known: bool, name: Optional[str]
    ) -> tuple[Pending, Callable[[], None]]:
        """The outcome to wait for, and how to end a call that nobody else waits for.

        Requests with the same name share a call. Without names none is shared: a resolver may look at context
        variables, which only its own request has.
        """
        pending = None if name is None else loop.questions.get(name)
        if pending is not None:
            return pending, _nothing
        begun = pending = Pending()

        def done(value: Any, error: Optional[BaseException]) -> None:
            if name is not None:
                loop.questions.pop(name, None)
            begun.finish(value, error)

        if name is not None:
            loop.questions[name] = pending
        cancel = loop.begin(self._answer(loop, context, known), done)
        return pending, cancel if name is None else _nothing

    async def _answer(self, loop: Loop, context: DomainsResolverContext, known: bool) -> _native.IssuerSet:
        deadline = Deadline(self._timeout)
        try:
            with deadline:
                answer = await self._call(loop, context, known)
        except BusyError:
            raise _native.resolver_error("timeout", "too many requests wait for it") from None
        except (Exception, asyncio.CancelledError) as error:
            if deadline.expired:
                raise _native.resolver_error("timeout", f"no answer within {self._timeout} s") from None
            raise _native.resolver_error("raised", _cause(error)) from error
        return _checked(answer)

    async def _call(self, loop: Loop, context: DomainsResolverContext, known: bool) -> Any:
        await loop.turns.take(known=known)
        give_back = functools.partial(loop.turns.give_back, known=known)
        if self._is_async:
            try:
                answer: Any = self._resolve(context)
                return await answer if inspect.isawaitable(answer) else answer
            finally:
                give_back()
        run = contextvars.copy_context().run
        # A thread can't be cancelled: its place is taken until the function returns.
        answer = await loop.in_thread(lambda: run(self._resolve, context), give_back).wait()
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


def _name_of(context: DomainsResolverContext) -> Optional[str]:
    """The key under which an answer is remembered: of one size, however long what a stranger sends is.

    `None`: it isn't remembered, since the Host field is no host. Only strangers send such a field.
    """
    host = (context["request_headers"] or {}).get("host")
    if host is not None and _HOST.fullmatch(host) is None:
        return None
    # Split, not parsed: a stranger decides what is in it, and it may be no valid URL.
    origin = (context["request_url"] or "").split("/", 3)[:3]
    return hashlib.sha256(json.dumps([context["unverified_iss"], origin, host]).encode()).hexdigest()


def _nothing() -> None:
    """Somebody else may wait for the call: it goes on."""
