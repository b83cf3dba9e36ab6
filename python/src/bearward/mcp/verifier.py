"""A token verifier for the MCP SDK's own middleware. It knows Bearer only."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Callable, Optional

from mcp.server.auth.provider import AccessToken

from bearward._asgi.answers import App, Message, Receive, Send, refuse
from bearward._asgi.connection import Scope
from bearward._asgi.principal import Principal
from bearward._driver.log import Log
from bearward.client import ApiClient
from bearward.errors import BaseAuthError
from bearward.mcp.tokens import VerifiedAccessToken, access_token

_log = Log()

# Where an outage is noted, for the answer to the request. `None`: nobody looks.
_outages: ContextVar[Optional[list[BaseAuthError]]] = ContextVar("bearward_outages", default=None)


class BearwardTokenVerifier:
    """Verifies Bearer tokens: for `MCPServer(token_verifier=BearwardTokenVerifier(client), auth=...)`.

    A token that is bound to a key is refused: the SDK's middleware checks no proof. `bearward.mcp.guard` accepts both.

    The SDK knows no token that can't be judged now: a verifier can say yes or no, and what it raises is answered with
    400 or 500. Put `outages_as_503` around its app: without it, a request is answered with 401 while the issuer can't
    be reached, and a warning says so.

    Args:
        client: Verifies the tokens.
        kind: The class of access tokens to make, a subclass of the SDK's.
    """

    def __init__(self, client: ApiClient, kind: type[AccessToken] = VerifiedAccessToken) -> None:
        self._client = client
        self._kind = kind
        self._warns = True

    async def verify_token(self, token: str) -> Optional[AccessToken]:
        """The verified token, or `None`."""
        return await verified_token(self._client, token, self._kind, self._note)

    def _note(self, outage: BaseAuthError) -> None:
        outages = _outages.get()
        if outages is not None:
            outages.append(outage)
        elif self._warns:
            self._warns = False
            _log.say(
                logging.WARNING,
                "an outage is answered with 401, which sends users to a login that can't work: put "
                "`outages_as_503` of the BearwardTokenVerifier around the app.",
            )

    def outages_as_503(self, app: App) -> App:
        """The app, whose answers are 503 with `Retry-After` while the issuer can't be reached.

        Args:
            app: What `MCPServer.streamable_http_app` has returned.
        """
        return _Outages(app)


async def verified_token(
    client: ApiClient, token: str, kind: type[AccessToken], note: Callable[[BaseAuthError], None]
) -> Optional[AccessToken]:
    """A Bearer token, verified; or `None`.

    Args:
        client: Verifies it.
        token: The token.
        kind: The class of access tokens to make.
        note: Is called if the token can't be judged now.
    """
    try:
        verified = await client.verify({"Authorization": f"Bearer {token}"}, "POST", "")
    except BaseAuthError as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None
        _log.say(logging.INFO, "token refused: %s %a", error.code, error.detail or "")
        if error.get_status_code() >= 500:
            note(error)
        return None
    if "cnf" in verified.claims:
        # With DPoP switched off, the client accepts it.
        _log.say(logging.INFO, "token refused: it is bound to a key, and the SDK checks no proof")
        return None
    found: AccessToken = access_token(Principal(verified.claims, client), token, kind)
    return found


class _Outages:
    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        outages: list[BaseAuthError] = []
        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            if not outages:
                await send(message)
            elif not answered:
                answered = True
                await refuse(outages[0], None, scope, receive, send)

        token = _outages.set(outages)
        try:
            await self._app(scope, receive, sending)
        finally:
            _outages.reset(token)
