"""A guard for any ASGI app: Starlette, Litestar, Quart, Django, and apps without a framework.

app = AuthMiddleware(app, ApiClient(options), scopes=["read:messages"])
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from bearward import _native
from bearward._asgi.admission import begin, conclude
from bearward._asgi.answers import App, Message, Receive, Send, refuse
from bearward._asgi.body import Disconnected
from bearward._asgi.certificate import Shown
from bearward._asgi.connection import AsgiConnection, Headers, Scope
from bearward._asgi.decisions import Decision, Observers, Watch
from bearward._asgi.defect import defect
from bearward._asgi.exempt import exemption, is_preflight
from bearward._asgi.memory import Asked
from bearward._asgi.metadata import origin_for
from bearward._asgi.principal import Principal, Stranger, acting, current_principal, with_user
from bearward._asgi.refusal_log import RefusalLog, credentials_of, scheme_of
from bearward._asgi.streams import until
from bearward._asgi.subprotocol import check_subprotocol, offered, with_token
from bearward._asgi.url import PublicUrls
from bearward._driver import checks
from bearward._driver.log import Log
from bearward.client import ApiClient, Verified, Waited, is_settled
from bearward.errors import BaseAuthError, ConfigurationError
from bearward.requirement import Names, Requirement
from bearward.resource import ProtectedResource

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bearward.requirement import Requirements

__all__ = ["AuthMiddleware", "Decision", "Principal", "current_principal"]

_log = Log()


class AuthMiddleware:
    """Lets only requests with a good access token through to an ASGI app.

    The app finds who makes the request by `current_principal()`, in `scope["state"]["bearward"]`, and in
    `scope["user"]` and `scope["auth"]` as Starlette's `AuthenticationMiddleware` sets them. CORS middleware belongs
    around this one, so that refusals have CORS headers, too. Preflights pass.

    A WebSocket is verified as the GET request that opens it, before it is accepted. A refused one gets an HTTP response
    where the server can send one, or else the close code 4401.

    Args:
        app: The app to guard: the outermost one, not one that is mounted in another.
        client: Verifies the tokens. Several guards may share it.
        scopes: Scopes that every request needs, as of `Requirement`.
        resource: What the API publishes about itself. This guard then serves the metadata document. By default it is
            that of the client's options.
        optional: Let requests without any credentials through; `current_principal()` is `None` then. Credentials that
            are no good are refused all the same.
        exempt: What needs no token: a list of paths, where `/public/*` stands for all paths below `/public/`; or a
            function that is given the scope and returns `True` for such a request.
        end_streams_at_expiry: End a response without Content-Length, or a WebSocket, when its token expires. An issuer
            need not say when an opaque token does; nothing is ended then.
        public_origin: Scheme and host that clients use, for DPoP. By default it is the origin of the resource.
        trusted_hops: Without `public_origin`: how many proxies in front of the server append to `X-Forwarded-Host` and
            the like. 0: these fields are not read, and neither is `client_certificate_header`.
        websocket_subprotocol: A name, such as `"bearer"`: a WebSocket may then have its token behind this name in
            `Sec-WebSocket-Protocol`, since browsers can't set Authorization there.
        on_decision: A function that is called with each `Decision`, for metrics and audit logs. It must not wait.
        **more: The other arguments of `Requirement`.

    Raises:
        ConfigurationError: an argument can't be used.
    """

    def __init__(
        self,
        app: App,
        client: ApiClient,
        *,
        scopes: Names = None,
        resource: Optional[ProtectedResource] = None,
        optional: bool = False,
        exempt: Union[Callable[[Scope], bool], Sequence[str]] = (),
        end_streams_at_expiry: bool = False,
        public_origin: Optional[str] = None,
        trusted_hops: int = 0,
        websocket_subprotocol: Optional[str] = None,
        on_decision: Optional[Callable[[Decision], Any]] = None,
        **more: Unpack[Requirements],
    ) -> None:
        given: Any = client
        if not isinstance(given, ApiClient):
            raise ConfigurationError("AuthMiddleware(app, client): the client must be an ApiClient.")
        check_subprotocol(websocket_subprotocol)
        checks.at_least(0)("trusted_hops", trusted_hops)
        self._app = app
        self._client = client
        self._requirement = Requirement(scopes, **more)
        self._resource = client.options.resource if resource is None else resource
        self._optional = optional is True
        self._is_exempt = exemption(exempt)
        self._ends_streams = end_streams_at_expiry is True
        self._subprotocol = websocket_subprotocol
        origin = None if self._resource is None else self._resource.origin
        self._urls = PublicUrls(origin_for(public_origin, origin), trusted_hops or 1)
        self._trusts_proxies = trusted_hops != 0
        self._guidance = client.guidance(self._requirement.scopes, self._resource)
        self._document = None if self._resource is None else self._resource._endpoint(client)
        self._refusals = RefusalLog()
        self._observers = Observers(on_decision)
        self._warns_of_mount = self._resource is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, and call the app for one that is let in."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"AuthMiddleware can't guard a connection of the type {scope['type']!a}")
        self._warn_of_mount(scope)
        if self._document is not None and self._document.is_at(scope):
            await self._document(scope, receive, send)
        elif is_preflight(scope) or self._is_exempt(scope):
            await self._app(scope, receive, send)
        else:
            await self._guard(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = AsgiConnection(scope)
        presented = self._presented(connection)
        watch = Watch()
        claims: dict[str, Any] = {}
        nonce = refusal = None
        is_stranger = self._optional and not _native.has_credentials(presented.raw)
        try:
            if is_stranger:
                is_stranger, receive = await self._is_open(scope, receive)
            if not is_stranger:
                claims, nonce = await self._verified(connection, presented, watch.waited)
                requirement, receive = await self._needs(scope, receive)
                refusal = self._unmet(claims, requirement, presented)
        except Disconnected:
            return
        except ConfigurationError as error:
            # It is for the deployer: the client reads a fixed text.
            refusal = defect(error, credentials_of(connection))
        except BaseAuthError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - a defect, here or in the deployer's code: 500, and logged
            refusal = defect(error, credentials_of(connection))
        if is_stranger and refusal is None:
            with acting(None):
                await self._app(with_user(scope, None, Stranger()), receive, send)
            return
        self._tell(refusal, presented, claims.get("iss"), watch)
        if refusal is None:
            await self._serve(Verified(claims, nonce), connection, presented, receive, send)
            return
        self._refusals.refused(refusal, connection, claims.get("iss"))
        await refuse(refusal, nonce, scope, receive, send)

    def _presented(self, connection: AsgiConnection) -> Headers:
        token = offered(connection, self._subprotocol)
        headers = connection.headers
        return headers if token is None else Headers(with_token(headers.raw, token))

    async def _verified(self, connection: AsgiConnection, headers: Headers, waited: Waited) -> Verified:
        client = self._client
        shown = Shown.by(connection, client.options, self._trusts_proxies)
        asked = Asked(client, headers.raw, self._subprotocol, shown, self._guidance)
        step = begin(connection, asked)
        if step is not None and is_settled(step):
            return Verified(step.claims(), step.dpop_nonce)
        url = self._urls.of(connection, self._trusts_proxies)
        let_in, _ = await conclude(step, connection, asked, url, waited)
        return Verified(let_in.claims(), let_in.dpop_nonce)

    async def _needs(self, scope: Scope, receive: Receive) -> tuple[Requirement, Receive]:
        """What the request needs; and how the app receives it, if this has read some of it."""
        return self._requirement, receive

    async def _is_open(self, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        """Whether a request without credentials may pass where they are optional; and how the app receives it."""
        return True, receive

    def _unmet(self, claims: dict[str, Any], requirement: Requirement, headers: Headers) -> Optional[BaseAuthError]:
        if not requirement:
            return None
        return self._client.unmet(claims, requirement, headers.get("authorization"), self._guidance)

    async def _serve(
        self, verified: Verified, connection: AsgiConnection, presented: Headers, receive: Receive, send: Send
    ) -> None:
        claims, nonce = verified
        principal = Principal(claims, self._client)
        scope = self._admitted(connection.scope, principal, presented)
        own = self._subprotocol if offered(connection, self._subprotocol) is not None else None
        sending = send if nonce is None and own is None else _adding(send, nonce, own)
        with acting(principal):
            # An issuer need not say of an opaque token when it expires. RFC 7662 section 2.2.
            end = claims.get("exp") if self._ends_streams else None
            if end is not None:
                await until(end + self._client.options.leeway, self._app, scope, receive, sending)
            else:
                await self._app(scope, receive, sending)

    def _admitted(self, scope: Scope, principal: Principal, presented: Headers) -> Scope:
        """What the app is called with. `presented`: the header fields, with the token in Authorization."""
        return with_user(scope, principal, principal)

    def _tell(self, refusal: Optional[BaseAuthError], headers: Headers, issuer: Optional[str], watch: Watch) -> None:
        if self._observers:
            code = None if refusal is None else refusal.code
            self._observers.tell(watch.decision(code, scheme_of(headers), issuer))

    def _warn_of_mount(self, scope: Scope) -> None:
        """A mounted app never gets the requests for its metadata document, which lies at the root of the server."""
        if not self._warns_of_mount or "app_root_path" not in scope:
            return
        if scope["app_root_path"] != scope.get("root_path"):
            self._warns_of_mount = False
            _log.say(
                logging.WARNING,
                "AuthMiddleware guards an app that is mounted in another one: nobody serves %s, which its challenges "
                "name. Put it around the outermost app, or add the routes of the ProtectedResource there.",
                None if self._resource is None else self._resource.metadata_url,
            )


def _adding(send: Send, nonce: Optional[str], subprotocol: Optional[str]) -> Send:
    """Add to the answer what the guard owes to the client: a nonce, RFC 9449 section 8.2, or a subprotocol."""

    async def sending(message: Message) -> None:
        if nonce is not None and message["type"] in ("http.response.start", "websocket.accept"):
            headers = list(message.get("headers", ()))
            # A guard further inside owes the same.
            if not any(name.lower() == b"dpop-nonce" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"dpop-nonce", nonce.encode())]}
        if subprotocol is not None and message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": subprotocol}
        await send(message)

    return sending
