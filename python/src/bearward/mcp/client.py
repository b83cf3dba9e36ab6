"""DPoP for the clients of the MCP SDK, which send with httpx2. RFC 9449."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, Generator
from typing import Any, Optional, Union
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from mcp.client.auth import OAuthClientProvider

from bearward.errors import ConfigurationError

# Nonces of servers are remembered for so many origins: those that a client talks to at a time.
_ORIGINS = 100


class DpopKey:
    """A client's key pair, P-256. Proofs are signed with ES256.

    Args:
        pem: The private key in PEM.

    Raises:
        ConfigurationError: it is no private key on P-256.
    """

    def __init__(self, pem: Union[str, bytes]) -> None:
        try:
            key = serialization.load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, None)
        except (TypeError, ValueError):
            raise ConfigurationError("A DpopKey needs a private key in PEM, without a password.") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ConfigurationError("A DpopKey needs a key on the curve P-256.")
        self._key = key
        numbers = key.public_key().public_numbers()
        x, y = (_b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        self._jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    @classmethod
    def generate(cls) -> DpopKey:
        """A new key."""
        return cls(_pem(ec.generate_private_key(ec.SECP256R1())))

    @property
    def pem(self) -> bytes:
        """The private key in PEM, to be kept where tokens are kept."""
        return _pem(self._key)

    @property
    def jkt(self) -> str:
        """The thumbprint, as tokens name the key (`cnf.jkt`). RFC 7638."""
        members = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True)
        return _b64(hashlib.sha256(members.encode()).digest())

    def proof(self, method: str, url: str, access_token: Optional[str] = None, nonce: Optional[str] = None) -> str:
        """A proof for one request. RFC 9449 section 4.2.

        Args:
            method: The request's method.
            url: The request's URL. Its query doesn't count.
            access_token: The token that is sent with it.
            nonce: What the server has asked for.
        """
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": urlunsplit(urlsplit(url)._replace(query="", fragment="")),
            "iat": int(time.time()),
        }
        if access_token is not None:
            claims["ath"] = _b64(hashlib.sha256(access_token.encode()).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._jwk}
        signed = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def __repr__(self) -> str:
        return f"DpopKey(jkt={self.jkt!r})"


class _Proofs:
    """Makes proofs, with the nonces that servers have asked for."""

    def __init__(self, key: DpopKey) -> None:
        self.key = key
        self._nonces: dict[str, str] = {}

    def add(self, request: httpx2.Request, access_token: Optional[str]) -> None:
        """Put a new proof into a request."""
        nonce = self._nonces.get(_origin(request))
        request.headers["DPoP"] = self.key.proof(request.method, str(request.url), access_token, nonce)

    def learn(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        """Keep the nonce of a response. Returns whether there is a new one. RFC 9449 section 8.2."""
        nonce, origin = response.headers.get("DPoP-Nonce"), _origin(request)
        if not nonce or self._nonces.get(origin) == nonce:
            return False
        if len(self._nonces) >= _ORIGINS:
            self._nonces.clear()
        self._nonces[origin] = nonce
        return True


class DpopAuth(httpx2.Auth):
    """Sends an access token with a proof for each request: `httpx2.AsyncClient(auth=DpopAuth(token, key))`.

    If a server asks for a nonce, the request is sent once more with it.

    Args:
        token: The access token, which is bound to the key.
        key: The client's key.
    """

    def __init__(self, token: str, key: DpopKey) -> None:
        self._token = token
        self._proofs = _Proofs(key)

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the request, and once more if the server asks for a nonce."""
        request.headers["Authorization"] = f"DPoP {self._token}"
        self._proofs.add(request, self._token)
        response = yield request
        if self._proofs.learn(request, response) and response.status_code == 401:
            self._proofs.add(request, self._token)
            yield request


class DpopOAuthClientProvider(OAuthClientProvider):
    """The SDK's `OAuthClientProvider`, with tokens that are bound to a key.

    It takes the place of `OAuthClientProvider`: it asks for a token with a proof, and sends it with a proof. If the
    authorization server gives a Bearer token all the same, that is sent as one.

    Args:
        *args: As of `OAuthClientProvider`.
        key: The client's key. Keep it together with the tokens: they are worth nothing without it. By default it is a
            new one.
        **kwargs: As of `OAuthClientProvider`.
    """

    def __init__(self, *args: Any, key: Optional[DpopKey] = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._proofs = _Proofs(key or DpopKey.generate())
        # The last token that was given, and whether it is bound to the key.
        self._last: tuple[Optional[str], bool] = (None, False)
        self._redirect = self.context.redirect_handler
        if self._redirect is not None:
            self.context.redirect_handler = self._redirect_with_key

    @property
    def key(self) -> DpopKey:
        """The client's key."""
        return self._proofs.key

    async def _redirect_with_key(self, url: str) -> None:
        """The code is bound to the key, too. RFC 9449 section 10."""
        assert self._redirect is not None  # noqa: S101 - checked by the constructor
        separator = "&" if "?" in url else "?"
        await self._redirect(f"{url}{separator}dpop_jkt={self.key.jkt}")

    async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        flow = super()._auth_flow(request)
        try:
            outgoing = await flow.__anext__()
            while True:
                self._prove(outgoing, request)
                response = yield outgoing
                if self._proofs.learn(outgoing, response) and await _wants_nonce(response):
                    self._prove(outgoing, request)
                    response = yield outgoing
                    self._proofs.learn(outgoing, response)
                outgoing = await flow.asend(await self._as_bearer(outgoing, response))
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    def _prove(self, outgoing: httpx2.Request, request: httpx2.Request) -> None:
        """Put a proof into a request for a token, and into the request that is authenticated."""
        if outgoing is request:
            token = self.context.current_tokens.access_token if self.context.current_tokens else None
            if token is not None and "Authorization" in request.headers and self._is_bound(token):
                request.headers["Authorization"] = f"DPoP {token}"
                self._proofs.add(request, token)
            else:
                request.headers.pop("DPoP", None)
        elif _grant_of(outgoing) is not None:
            self._proofs.add(outgoing, None)

    def _is_bound(self, token: str) -> bool:
        last, bound = self._last
        if token == last:
            return bound
        # Out of the storage, which knows no type: a JWT says it itself, and another token was asked for with this key.
        claims = _claims_of(token)
        return claims is None or isinstance(claims.get("cnf"), dict)

    async def _as_bearer(self, outgoing: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """The SDK reads no other type of token than Bearer."""
        if _grant_of(outgoing) is None or response.status_code not in (200, 201):
            return response
        try:
            answer = json.loads(await response.aread())
            token, kind = answer["access_token"], str(answer.get("token_type", "Bearer")).lower()
        except (KeyError, TypeError, ValueError):
            return response
        self._last = (token, kind == "dpop")
        if kind != "dpop":
            return response
        content = json.dumps({**answer, "token_type": "Bearer"}).encode()
        return httpx2.Response(response.status_code, content=content, request=outgoing)


async def _wants_nonce(response: httpx2.Response) -> bool:
    """RFC 9449 sections 8 and 9: of a token endpoint it is in the body, of a resource in the challenge."""
    if response.status_code not in (400, 401):
        return False
    challenge = response.headers.get("WWW-Authenticate", "")
    if 'error="use_dpop_nonce"' in challenge:
        return True
    try:
        answer = json.loads(await response.aread())
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("error") == "use_dpop_nonce"


def _grant_of(request: httpx2.Request) -> Optional[str]:
    """The grant, if it is a request for a token."""
    if request.method != "POST" or not request.headers.get("Content-Type", "").startswith(_FORM):
        return None
    return dict(parse_qsl(request.content.decode("ascii", "replace"))).get("grant_type")


_FORM = "application/x-www-form-urlencoded"


def _claims_of(token: str) -> Optional[dict[str, Any]]:
    """What a JWT says, unverified: a client need not understand its token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def _origin(request: httpx2.Request) -> str:
    return f"{request.url.scheme}://{request.url.host}:{request.url.port}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
