"""The log lines of refused requests: visible where no logging is configured, and never a flood.

Each refusal is an INFO. The first one of each code within a minute is a WARNING, too, which Python prints to stderr if
nobody has configured logging.
"""

import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from bearward._asgi.connection import Connection, HeaderFields
from bearward._driver.log import Log
from bearward.errors import BaseAuthError

_log = Log()

_PERIOD_SECONDS = 60.0
# There are about a hundred codes. Errors that a deployer's own code raises may have others.
_CODES = 200
# Of a path, which a stranger writes.
_PATH_CHARACTERS = 200
# The shortest piece of credentials that is worth hiding.
_SECRET_CHARACTERS = 8
# What looks like a JWT: base64url of `{"`, and a dot later on.
_JWT = re.compile(r"eyJ[\w-]*\.[\w.-]*", re.ASCII)
_METHOD = re.compile(r"[A-Za-z-]{1,20}")


class RefusalLog:
    """Logs refusals. Safe from many threads: at worst, two of them write the same warning.

    Args:
        clock: Gives seconds that never go back.
    """

    def __init__(self, clock: Any = time.monotonic) -> None:
        self._clock = clock
        # For each code: when its last warning was, and how many refusals came since.
        self._warned: dict[str, tuple[float, int]] = {}

    def refused(self, refusal: BaseAuthError, connection: Connection, issuer: Optional[str]) -> None:
        """Log one refusal. Raises nothing: no answer depends on a log line.

        Args:
            refusal: Why the request was refused.
            connection: The request.
            issuer: Who issued its token, if that was verified.
        """
        try:
            warns, unreported = self._count(refusal.code)
            extra = {"bearward": _fields(refusal, connection, issuer)} if self._is_seen(warns) else None
            # `%a`: a log line must stay one line, whatever text a deployer's code has put into the detail.
            facts = (refusal.get_status_code(), refusal.code, refusal.detail or "")
            _log.say(logging.INFO, "request refused: %s %s %a", *facts, extra=extra)
            if warns:
                more = f"; {unreported} more since the last warning" if unreported else ""
                _log.say(
                    logging.WARNING,
                    "bearward refuses requests: %s %s %a (at most one warning per code and minute%s)",
                    *facts,
                    more,
                    extra=extra,
                )
        except Exception:  # noqa: BLE001, S110 - a handler of the deployer's failed; logging it would fail, too
            pass

    @staticmethod
    def _is_seen(warns: bool) -> bool:
        return _log.is_enabled_for(logging.INFO) or (warns and _log.is_enabled_for(logging.WARNING))

    def _count(self, code: str) -> tuple[bool, int]:
        """Whether to warn of this refusal; and how many of its code there were since the last warning."""
        now = self._clock()
        since, unreported = self._warned.get(code, (None, 0))
        if since is not None and now - since < _PERIOD_SECONDS:
            self._warned[code] = (since, unreported + 1)
            return False, 0
        if len(self._warned) >= _CODES:
            self._warned.clear()
        self._warned[code] = (now, 0)
        return True, unreported


def scheme_of(headers: HeaderFields) -> Optional[str]:
    """The scheme that a request uses, if it is one of ours."""
    word = headers.get("authorization", "").split(" ", 1)[0].lower()
    return {"bearer": "Bearer", "dpop": "DPoP"}.get(word)


def credentials_of(connection: Connection) -> tuple[list[str], ...]:
    """The fields of a request that hold secrets. A WebSocket may have its token among the subprotocols."""
    headers, subprotocols = connection.headers, connection.scope.get("subprotocols") or ()
    return headers.getlist("authorization"), headers.getlist("dpop"), list(subprotocols)


def secrets_in(credentials: Iterable[Sequence[str]]) -> list[str]:
    """The pieces of the credentials, long ones first: an error's text may quote one segment of a token."""
    fields = [field for fields in credentials for field in fields]
    pieces = {piece for field in fields for piece in re.split(r"[\s.,]+", field) if len(piece) >= _SECRET_CHARACTERS}
    return sorted(pieces, key=len, reverse=True)


def _fields(refusal: BaseAuthError, connection: Connection, issuer: Optional[str]) -> Mapping[str, Any]:
    fields = {
        "code": refusal.code,
        "status": refusal.get_status_code(),
        "scheme": scheme_of(connection.headers),
        "method": _method(connection),
        "path": _path(connection),
    }
    if issuer is not None:
        fields["issuer"] = issuer
    if refusal.detail:
        fields["detail"] = refusal.detail
    return fields


def _method(connection: Connection) -> Optional[str]:
    method = connection.scope.get("method", "GET")
    return method if isinstance(method, str) and _METHOD.fullmatch(method) else None


def _path(connection: Connection) -> str:
    """The path in printable ASCII, without the query, and without what looks like a token."""
    path = str(connection.scope.get("path", ""))
    for secret in secrets_in(credentials_of(connection)):
        path = path.replace(secret, "[redacted]")
    path = _JWT.sub("[redacted]", path)[:_PATH_CHARACTERS]
    return "".join(c if " " <= c <= "~" and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in path)
