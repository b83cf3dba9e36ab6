"""Takes credentials out of what a domains resolver gets of a request: it has no use for them, and might log them.

A list of what may stay can't be made: any field may say which tenant a request is for, such as `X-Tenant`. So this is
a list of what goes: names that credentials have in practice, and values that look like credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional, Union
from urllib.parse import unquote

Fields = Union[list[tuple[bytes, bytes]], Mapping[str, Any]]
"""Header fields: a list as ASGI has it, or a mapping."""

# Parts of names, as of `Cookie`, `Proxy-Authorization`, `X-Api-Key`, `X-Amz-Security-Token`, `Cf-Access-Jwt-Assertion`,
# `X-Client-Secret`, `X-Hub-Signature`. `auth` only as a word: an `X-Author` is none.
_NAME = re.compile(
    r"cookie|authoriz|authentic|token|secret|passw|credential|session|jwt|assertion|signature|dpop|csrf|xsrf"
    r"|api[-_]?key|access[-_]?key|private[-_]?key|bearer|(?:^|[-_])(?:auth|sid|sig|otp|pwd)(?:$|[-_])",
    re.IGNORECASE,
)
# A scheme with its credentials (RFC 9110 section 11.4), or a JWT anywhere. A WebSocket's token comes as a subprotocol.
# A JWT begins where a word does: each piece of a value is looked at once, however long a stranger makes it.
_VALUE = re.compile(
    r"^\s*(?i:bearer|basic|digest|dpop|negotiate|hawk|aws4-hmac-sha256)[ \t,]"
    r"|(?<![\w-])eyJ[\w-]{10,}\.[\w-]*\."
)
# Further names of parameters in a query. As the name of a field they would say nothing.
_PARAMETERS = frozenset({"key", "code"})


def fields_without_credentials(headers: Fields) -> dict[str, str]:
    """Names in lower case. Values of a repeated field are joined (RFC 9110 section 5.3), so that none is hidden."""
    # Starlette's and httpx's list of fields shows a repeated field, which a mapping hides.
    raw: Any = headers if isinstance(headers, list) else getattr(headers, "raw", None)
    given: Any = headers
    fields: dict[str, str] = {}
    for name, value in raw if isinstance(raw, list) else given.items():
        lower, text = _text(name).lower(), _text(value)
        fields[lower] = f"{fields[lower]}, {text}" if lower in fields else text
    return {name: value for name, value in fields.items() if not _is_credential(name, value)}


def url_without_credentials(url: Optional[str]) -> Optional[str]:
    """Without the parameters of the query that are credentials. The rest stays as it was sent."""
    if url is None or "?" not in url:
        return url
    path, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if not _is_secret_parameter(*pair.partition("=")[::2])]
    return f"{path}?{'&'.join(kept)}" if kept else path


def _is_secret_parameter(name: str, value: str) -> bool:
    # A stranger may spell a name with escapes. Nothing that is decoded here is passed on.
    return unquote(name).lower() in _PARAMETERS or _is_credential(unquote(name), value)


def _is_credential(name: str, value: str) -> bool:
    return _NAME.search(name) is not None or _VALUE.search(value) is not None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
