"""Lets a request in: because another guard of the same request did, or because the engine says so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Optional, Union

from bearward import _native
from bearward._asgi.certificate import NOTHING_SHOWN
from bearward._asgi.memory import LET_IN, Asked, LetIn, StandIn, recall, remember
from bearward.client import ApiClient, Verified, Waited, is_settled

if TYPE_CHECKING:
    from bearward._asgi.connection import Connection
    from bearward._asgi.subprotocol import RawFields
    from bearward.errors import BaseAuthError

Step = Union[_native.Passed, _native.Decision, None]


def begin(connection: Connection, asked: Asked) -> Step:
    """What the engine says of a request with a Bearer token. `None`: more is needed to ask.

    What is let in at once is remembered.
    """
    client = asked.api_client
    if asked.shown is NOTHING_SHOWN:
        return begin_plain(
            connection, client, asked.fields, asked.subprotocol, asked.guidance, _native_requirement(asked)
        )
    if not _can_begin(connection, client):
        return None
    step = client._begin(asked.facts(), asked.guidance, _native_requirement(asked))
    if step is not None and is_settled(step):
        remember(connection, asked, step)
    return step


def begin_plain(
    connection: Connection,
    client: ApiClient,
    fields: RawFields,
    subprotocol: Optional[str],
    guidance: Optional[_native.Guidance],
    requirement: Optional[_native.Requirement],
) -> Step:
    """As `begin`, for a request that shows no certificate: every request of most apps. So it calls little."""
    scope = connection.scope
    if not _can_begin(connection, client):
        return None
    step = client._begin_fields(fields, guidance, requirement)
    if type(step) is _native.Passed and step.refresh is None:
        scope[LET_IN] = ((client, NOTHING_SHOWN, subprotocol, step),)
    return step


async def conclude(
    step: Step, connection: Connection, asked: Asked, url: str, waited: Waited
) -> tuple[LetIn, Optional[BaseAuthError]]:
    """What lets the request in, and why its token doesn't meet the requirement.

    A proof is good once, and a request may pass several guards: the first one uses it up.

    Args:
        step: What `begin` has returned.
        connection: The request.
        asked: What is asked about it.
        url: The URL that the client used.
        waited: Has the time for the network afterwards, also if the request is refused.
    """
    client, method = asked.api_client, method_of(connection)
    if step is None:
        recalled = recall(connection, asked, method, url)
        if recalled is not None:
            return recalled, _unmet(recalled, asked)
        if not _is_own(client.verify_request):
            stand_in = await _stand_in(connection, asked, method, url)
            remember(connection, asked, stand_in)
            return stand_in, _unmet(stand_in, asked)
        step = client._begin(asked.facts(method, url), asked.guidance, _native_requirement(asked))
    assert step is not None  # noqa: S101 - method and URL are given
    with waited:
        passed = await client._conclude(step, asked.facts(method, url))
    remember(connection, asked, passed)
    return passed, passed.unmet


def method_of(connection: Connection) -> str:
    """The method of a request. A WebSocket's handshake is a GET. RFC 6455 section 4.1."""
    method: str = connection.scope.get("method", "GET")
    return method


def _can_begin(connection: Connection, client: ApiClient) -> bool:
    # A resolver is told the URL. Users' tests replace `verify_request`, also after the guard was made.
    if client._has_resolver or LET_IN in connection.scope:
        return False
    return getattr(client.verify_request, "__func__", None) is _VERIFY_REQUEST


def _native_requirement(asked: Asked) -> Optional[_native.Requirement]:
    return None if asked.requirement is None else asked.requirement.native


def _unmet(let_in: LetIn, asked: Asked) -> Optional[BaseAuthError]:
    """Why a token that was let in before doesn't meet the requirement."""
    if asked.requirement is None:
        return None
    if isinstance(let_in, StandIn):
        authorization = next((value for name, value in asked.fields if name.lower() == b"authorization"), b"")
        claims, field = let_in.claims(), authorization.decode("latin-1")
        return asked.api_client.unmet(claims, asked.requirement, field, asked.guidance)
    native = asked.requirement.native
    return None if native is None else let_in.unmet_by(native, time.time(), asked.guidance)


async def _stand_in(connection: Connection, asked: Asked, method: str, url: str) -> StandIn:
    kind: Any = type(connection.headers)
    headers = kind(raw=asked.fields)
    mocked: Any = await asked.api_client.verify_request(headers=headers, http_method=method, http_url=url)
    verified = mocked if isinstance(mocked, Verified) else Verified(mocked)
    return StandIn(verified, asked.fields, method, url)


# As it is defined: a test may replace it on the class, too.
_VERIFY_REQUEST = ApiClient.verify_request


def _is_own(verify_request: object) -> bool:
    return getattr(verify_request, "__func__", None) is _VERIFY_REQUEST
