"""Sends requests, and brings answers into a form in which two can be compared and written down."""

from __future__ import annotations

import http.client
import json
import re
import socket

# The old SDK goes on after these with the text of an exception of whichever library; that may change any day.
_GOES_ON = (
    "Failed to parse token header",
    "Failed to parse token payload",
    "Invalid token issuer format",
    "Failed to fetch OIDC discovery metadata",
    "Failed to fetch JWKS",
    "Invalid discovery issuer format",
    "Signature verification failed",
    "JWT signature verification failed",
    "Domains resolver function failed",
    "Domains resolver returned invalid domain",
)
_INNER_TEXT = re.compile(rf'({"|".join(_GOES_ON)}): .*?(?=", algs="|", DPoP algs="|"$|$)', re.DOTALL)


def exchange(port, request, guard):
    """The answer to a request for `guard`: status, body, and what else is compared."""
    request += f"Compat-Configuration: {guard}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode())
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, ConnectionError):
            return {"status": 0}
    return told(response, body)


def told(response, body):
    answer = {"status": response.status}
    challenges = response.headers.get_all("WWW-Authenticate")
    if challenges is not None:
        answer["challenge"] = challenges[0] if len(challenges) == 1 else challenges
    if response.headers.get("Retry-After") is not None:
        answer["retry"] = True
    try:
        content = json.loads(body)
    except ValueError:
        return {**answer, "body": body.decode("utf-8", "replace")}
    detail = content.get("detail") if isinstance(content, dict) else None
    if isinstance(detail, dict) and set(detail) == {"error", "error_description"} and len(content) == 1:
        return {**answer, "error": detail["error"], "description": detail["error_description"]}
    return {**answer, "claims" if response.status == 200 else "body": content}


def normal(answer, domains):
    """`answer` without what differs from run to run: the issuers' ports, the texts of libraries."""
    return {name: _normal(value, domains) for name, value in answer.items()}


def _normal(value, domains):
    if isinstance(value, str):
        for letter, domain in zip("ab", domains):
            value = value.replace(domain, f"{letter}.example").replace(domain.upper(), f"{letter.upper()}.EXAMPLE")
        return _INNER_TEXT.sub(r"\1: ...", value)
    if isinstance(value, dict):
        return {name: _normal(item, domains) for name, item in value.items()}
    return [_normal(item, domains) for item in value] if isinstance(value, list) else value


# What is given to whoever is let in: by a route, and by a call.
_GIVEN = ("claims", "value")


def difference(old, new):
    """What is different, as `{"old": ..., "new": ...}`; `None` if nothing is. The status is always told."""
    if old == new:
        return None
    old, new = _brief(old), _brief(new)
    sides = {}
    for side, answer, other in (("old", old, new), ("new", new, old)):
        sides[side] = {
            name: value
            for name, value in answer.items()
            if name == "status" or (value != other.get(name) and not _only_here(name, other))
        }
    for name in _GIVEN:
        _keep_what_differs(name, sides["old"], sides["new"])
    return sides


def _brief(answer):
    """With what the challenge only repeats from the body as `{error}` and `{description}`."""
    challenge = answer.get("challenge")
    if not isinstance(challenge, str) or not answer.get("description"):
        return answer
    for name in ("error", "description"):
        challenge = challenge.replace(f'="{answer[name]}"', f'="{{{name}}}"')
    return {**answer, "challenge": challenge}


def _only_here(name, other):
    # Claims hold the time of day; that there are some is all that counts beside an answer without any.
    return name in _GIVEN and name not in other


def _keep_what_differs(given, old, new):
    """Of claims, those that both sides don't have equally."""
    if not (isinstance(old.get(given), dict) and isinstance(new.get(given), dict)):
        return
    both = (old[given], new[given])
    names = {name for name in {**both[0], **both[1]} if both[0].get(name) != both[1].get(name)}
    for side in (old, new):
        side[given] = {name: value for name, value in side[given].items() if name in names}
