"""`TestTenant`: an issuer in the memory of the process that runs the tests."""

from __future__ import annotations

import copy
import hashlib
import time
import uuid
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import urljoin

from bearward._client.issuers import audiences_of, configured_issuers
from bearward.client import _BUILT, ApiClient
from bearward.testing.keys import KINDS, SigningKey, base64url, key_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from bearward.fastapi import Guard
    from bearward.options import ApiClientOptions

__all__ = ["TestTenant"]

_DISCOVERY = "/.well-known/openid-configuration"
_KEY_SET = "/.well-known/jwks.json"


class TestTenant:
    """An issuer for tests: makes tokens and proofs, and gives its documents to the guards that it serves.

    Its keys are made at once: RSA, EC (P-256, P-384, P-521) and Ed25519. Signatures are really made and really checked.
    Tenants of different domains have different keys, so one of them can be the attacker of a test.

    Args:
        domain: As of `Auth0FastAPI`.
        audience: The API that its tokens are for.

    Attributes:
        issuer: The `iss` of its tokens.
        audience: The `aud` of its tokens.
        algorithm: What its tokens are signed with.
        base_url: Where a path begins that `headers` is given as URL: as of Starlette's `TestClient`.
    """

    # Not a class of tests, although pytest would think so by its name.
    __test__ = False

    def __init__(self, domain: str = "tenant.test", audience: str = "https://api.test") -> None:
        self._name = domain
        self.issuer = f"https://{domain}/"
        self.audience: Optional[str] = audience
        self.algorithm = "RS256"
        self.base_url = "http://testserver"
        self._proof_algorithm = "ES256"
        # Claims that a served guard wants, besides the usual ones.
        self._more: dict[str, Any] = {}
        self._generation = 0
        self._published = [0]
        self._is_down = False
        # Each with what it had before.
        self._served: list[tuple[ApiClient, dict[str, Any]]] = []

    def token(self, **claims: Any) -> str:
        """An access token for the user `auth0|test`, valid for an hour.

        Args:
            **claims: Its claims, besides and instead of the usual ones. One that is `None` is left out.
        """
        now = int(time.time())
        usual = {"iss": self.issuer, "sub": "auth0|test", "aud": self.audience, "iat": now, "exp": now + 3600}
        given = {name: value for name, value in {**usual, **self._more, **claims}.items() if value is not None}
        key = key_of(KINDS[self.algorithm], self._name, self._generation)
        return key.sign(self.algorithm, {"typ": "at+jwt", "kid": key.kid}, given)

    def headers(
        self,
        *,
        dpop: bool = False,
        method: str = "GET",
        url: Optional[str] = None,
        dpop_nonce: Optional[str] = None,
        **claims: Any,
    ) -> dict[str, str]:
        """The header fields of a request with a new token: `Authorization`, and `DPoP` with a new proof.

        Args:
            dpop: Whether the token is bound to a key, and sent with a proof of it. RFC 9449.
            method: The method of the request, for the proof.
            url: Its URL, for the proof. A path is taken to be below `base_url`.
            dpop_nonce: The nonce that the API wants in the proof: the value of `DPoP-Nonce` in its last answer.
            **claims: As of `token`.

        Raises:
            ValueError: `dpop` without `url`.
        """
        if not dpop:
            return {"Authorization": f"Bearer {self.token(**claims)}"}
        if url is None:
            raise ValueError("A proof is for one URL: give url, such as url='/messages'.")
        token = self.token(**{"cnf": {"jkt": self._client_key.thumbprint}, **claims})
        proof = self.proof(token, method=method, url=url, dpop_nonce=dpop_nonce)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    def proof(self, token: str, *, method: str = "GET", url: str, dpop_nonce: Optional[str] = None) -> str:
        """A new DPoP proof for a token. RFC 9449 section 4.2.

        Args:
            token: The access token that is sent with it.
            method: As of `headers`.
            url: As of `headers`.
            dpop_nonce: As of `headers`.
        """
        claims = {
            "jti": uuid.uuid4().hex,
            "htm": method.upper(),
            "htu": urljoin(self.base_url, url),
            "iat": int(time.time()),
            "ath": base64url(hashlib.sha256(token.encode()).digest()),
        }
        if dpop_nonce is not None:
            claims["nonce"] = dpop_nonce
        key = self._client_key
        return key.sign(self._proof_algorithm, {"typ": "dpop+jwt", "jwk": key.public}, claims)

    @property
    def _client_key(self) -> SigningKey:
        return key_of(KINDS[self._proof_algorithm], f"client of {self._name}", 0)

    def serve(self, *guards: Union[Guard, ApiClient]) -> None:
        """Have guards take their documents from here, each for its own issuers, until `close`.

        Tokens are then of the first guard's issuer, audience and algorithm. Nothing is fetched by network: used proofs
        and documents are kept in memory, also where the guard has a shared store or cache for them.

        Args:
            *guards: Such as the `Auth0FastAPI` of your app.
        """
        for guard in guards:
            client = guard if isinstance(guard, ApiClient) else guard.api_client
            if not self._served:
                self._become_issuer_of(client.options)
                self.base_url = getattr(guard, "_public_origin", None) or self.base_url
            self._served.append((client, {name: client.__dict__[name] for name in ("options", *_BUILT)}))
            client.options = self._serving(client.options)
            client._build()

    def _become_issuer_of(self, options: ApiClientOptions) -> None:
        self.issuer = (configured_issuers(options) or [self.issuer])[0]
        audiences = audiences_of(options)
        self.audience = None if audiences is None else audiences[0]
        if options.client_ids is not None:
            self._more = {"client_id": options.client_ids[0], "token_use": "access"}
        self.algorithm = options.algorithms[0]
        self._proof_algorithm = options.dpop_algorithms[0]

    def _serving(self, options: ApiClientOptions) -> ApiClientOptions:
        serving = copy.copy(options)
        serving.custom_fetch = self._fetch_for(
            {issuer.rstrip("/"): issuer for issuer in configured_issuers(options) or ()}
        )
        serving.cache_adapter = serving.jwks = serving.jwks_uri = None
        serving.dpop_replay = options.dpop_replay is not False
        return serving

    def _fetch_for(self, issuers: dict[str, str]) -> Any:
        async def fetch(url: str) -> dict[str, Any]:
            if self._is_down:
                raise OSError("the tenant is down")
            if url.endswith(_KEY_SET):
                return {"keys": self._key_set()}
            base = url.replace(_DISCOVERY, "")
            # Those of a resolver are domains.
            return {"issuer": issuers.get(base, f"{base}/"), "jwks_uri": f"{base}{_KEY_SET}"}

        return fetch

    def _key_set(self) -> list[dict[str, str]]:
        keys = (key_of(kind, self._name, it) for it in self._published for kind in dict.fromkeys(KINDS.values()))
        return [{**key.public, "kid": key.kid, "use": "sig"} for key in keys]

    def rotate(self) -> None:
        """Sign with new keys. The old ones stay published, so tokens that were made before stay good.

        The apps that are served fetch the documents again, and forget which proofs were used.
        """
        self._generation += 1
        self._published.append(self._generation)
        self._start_over()

    def withdraw(self) -> None:
        """Sign with new keys, and publish no others: no token that was made before is good any longer.

        As `rotate` for the apps that are served.
        """
        self._generation += 1
        self._published = [self._generation]
        self._start_over()

    def down(self) -> None:
        """Give no documents any more. An app goes on with those that it has."""
        self._is_down = True

    def up(self) -> None:
        """Give documents again. The apps that are served ask for them at once, as after `rotate`."""
        self._is_down = False
        self._start_over()

    def _start_over(self) -> None:
        for client, _ in self._served:
            client._build()

    def close(self) -> None:
        """Leave the guards that were served as they were before."""
        while self._served:
            client, before = self._served.pop()
            client.__dict__.update(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
