"""The options of an `ApiClient`.

A new option is declared in two places, both here: in `ApiClientOptions`, and in `KeywordOptions`. What the options make
is in `_client/engine.py`.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Literal, Optional, TypedDict, Union

from bearward._driver import checks
from bearward._driver.declared import declares_options, option
from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.introspection import Introspection
from bearward.replay import OnError, OnLoss, ReplayStore
from bearward.resource import ProtectedResource
from bearward.types import DomainsResolver, HttpClient

_Pem = Union[str, bytes]


@declares_options
class ApiClientOptions:
    """Options of an `ApiClient`, which checks them. Times are in seconds."""

    # In this order since the SDK that Bearward replaces: it must not change. New options are keyword-only.

    domain: Optional[str] = option(default=None)
    """The tenant's domain, `tenant.auth0.com`; `https://tenant.auth0.com/` is accepted too."""

    audience: Optional[Union[str, Sequence[str]]] = option(default="")
    """The API's identifier, or several. A token's `aud` must be exactly one of them, or a list that holds one. `None`:
    the issuer's access tokens have no `aud`; this needs `client_ids`."""

    domains: Optional[Union[list[str], DomainsResolver]] = option(default=None)
    """Several domains of one tenant; or a function that is given facts about a request and returns the domains whose
    tokens are accepted for it, see `DomainsResolver`."""

    custom_fetch: Optional[Callable[..., Any]] = option(default=None)
    """`async def (url) -> response or dict`, used instead of httpx for discovery documents and key sets."""

    cache_adapter: Optional[Union[CacheAdapter, AsyncCacheAdapter]] = option(default=None, check=checks.cache_adapter)
    """A second place for discovery documents and key sets, which several processes or hosts share: a `CacheAdapter`,
    or an `AsyncCacheAdapter` such as `RedisCache`."""

    cache_ttl_seconds: Union[int, float] = option(default=600, check=checks.duration)
    """How long these documents are used before they are fetched again, at most."""

    cache_max_entries: int = option(default=100, check=checks.at_least(2))
    """How many issuers' documents are kept, at least 2. Ignored with `cache_adapter`."""

    dpop_enabled: bool = option(default=True, check=checks.flag)
    """Accept DPoP besides Bearer. If this is off, a token that is bound to a key is accepted as Bearer, too."""

    dpop_required: bool = option(default=False, check=checks.flag, needs="dpop_enabled")
    """Refuse Bearer."""

    dpop_iat_leeway: Union[int, float] = option(default=30, check=checks.duration)
    """How far in the future a DPoP proof's `iat` may lie."""

    dpop_iat_offset: Union[int, float] = option(default=300, check=checks.duration)
    """How far in the past a DPoP proof's `iat` may lie."""

    client_id: Optional[str] = option(default=None, check=checks.sendable_text)
    """The application of the tenant that asks for tokens for other services. Needs `domain`."""

    client_secret: Optional[str] = option(default=None, check=checks.sendable_text)
    """The secret of that application."""

    timeout: float = option(default=10.0, check=checks.positive_duration)
    """How long a call for a token for another service may take altogether."""

    # Keyword-only from here on.

    issuer: Optional[Union[str, Sequence[str]]] = option(default=None, kw_only=True)
    """Instead of `domain`, for any OpenID issuer: its URL exactly as its tokens spell it in `iss`, with path and final
    slash: `https://kc.example.com/realms/acme`. Or several. http is accepted for loopback hosts only."""

    client_ids: Optional[Sequence[str]] = option(default=None, kw_only=True)
    """With `audience=None`: the clients whose tokens are accepted. A token's `client_id`, or else `azp`, or else `cid`
    must be one of them, and the token must say that it is an access token: `token_use` is `access`, `typ` is `at+jwt`,
    or it has a claim of scopes. A token with `aud`, `nonce`, `at_hash` or `c_hash` is refused."""

    scope_claim: Optional[Union[str, Sequence[str]]] = option(default=None, kw_only=True)
    """The claim with a token's scopes: a string with spaces between them, or a list. By default it is `scope`, and for
    an `issuer`, where that is missing, `scp`. For a `domain` the claim `scope` must be a string. Or several claims,
    whose scopes count together: `("scope", "permissions")`."""

    implies: Optional[Mapping[str, Sequence[str]]] = option(default=None, kw_only=True)
    """Which scopes a scope implies: with `{"admin": ["write"], "write": ["read"]}`, a token with `admin` has all
    three."""

    resource: Optional[ProtectedResource] = option(default=None, check=checks.resource, kw_only=True)
    """What the API publishes about itself (RFC 9728). Every challenge then names the URL of its metadata document."""

    jwks_uri: Optional[str] = option(default=None, kw_only=True)
    """Where the issuer's keys are, for an issuer without a discovery document."""

    jwks: Optional[Mapping[str, Any]] = option(default=None, kw_only=True)
    """The issuer's keys themselves, as a key set: `{"keys": [...]}`. Nothing is fetched then."""

    allow_private_jwks: bool = option(default=False, kw_only=True)
    """Let discovery documents name key sets at private and loopback addresses, for an issuer in the same cluster or
    network. Link-local addresses stay refused."""

    mtls: bool = option(default=False, check=checks.flag, kw_only=True)
    """Accept tokens that are bound to a client's certificate (`cnf.x5t#S256`, RFC 8705), from clients that show this
    certificate. The certificate comes from the server, by ASGI's TLS extension, or from `client_certificate_header`.
    Its hash is compared, and nothing else: no dates, names, or authorities. Without this option, such tokens are
    refused."""

    client_certificate_header: Optional[str] = option(
        default=None, check=checks.certificate_header, needs="mtls", kw_only=True
    )
    """The header in which a proxy passes on the client's certificate: `"X-Forwarded-Client-Cert"` (Envoy),
    `"X-SSL-Client-Cert"` (nginx, `$ssl_client_escaped_cert`), or `"Client-Cert"` (RFC 9440). The proxy must write it
    for each request, in place of what the client sent, with one certificate, and no client may reach the API without
    this proxy. In an app of FastAPI it counts only with `app.state.trust_proxy = True`, and at other guards only with
    `trusted_hops`: without that, all requests get a 500."""

    decryption_keys: Optional[Union[Sequence[_Pem], Mapping[str, _Pem]]] = option(
        default=None, check=checks.decryption_keys, kw_only=True
    )
    """RSA private keys in PEM (PKCS #8), at most 4, that open encrypted tokens (JWE): RSA-OAEP-256 with A256GCM, as
    Auth0 encrypts, or A128GCM. Inside must be a signed token, which is verified as any other. Or a dict of such keys by
    the `kid` that tokens have in their header. While a key is exchanged, give the old and the new one. Without keys,
    encrypted tokens are refused; signed ones are accepted all the same. These options hold the keys as they were given:
    so does a pickled client or guard. No repr, log or error shows them."""

    introspection: Optional[Introspection] = option(default=None, kw_only=True)
    """How the issuer is asked about opaque tokens (RFC 7662), see `Introspection`. Nobody is asked about JWTs. Without
    this option, opaque tokens are refused."""

    algorithms: Sequence[str] = option(default=("RS256",), check=checks.algorithms, kw_only=True)
    """Signature algorithms that are accepted: RS256/384/512, PS256/384/512, ES256/384/512, EdDSA (or Ed25519)."""

    leeway: Union[int, float] = option(default=0, check=checks.duration, kw_only=True)
    """How much the issuer's clock and ours may differ when `exp` and `nbf` are checked."""

    rfc_status_codes: bool = option(default=False, check=checks.flag, kw_only=True)
    """Answer missing credentials and bad proofs with 401, as RFC 6750 section 3 and RFC 9449 section 7.1 say, instead
    of 400."""

    fetch_timeout: float = option(default=5.0, check=checks.positive_duration, kw_only=True)
    """How long it may take to fetch one discovery document or key set, and how long one request waits altogether: for
    documents, and for a resolver. Where older documents can be used, it waits a second at most."""

    ca_file: Optional[Union[str, os.PathLike[str]]] = option(default=None, check=checks.ca_file, kw_only=True)
    """A file with certificate authorities (PEM) that are trusted besides those of the system. `BEARWARD_CA_FILE` in the
    environment adds some as well. From Python 3.13 on, certificates need the extensions that RFC 5280 section 4.2 asks
    for, such as the authority key identifier."""

    http_client: Union[HttpClient, Callable[[], HttpClient], None] = option(
        default=None, check=checks.http_client, kw_only=True
    )
    """An `httpx.AsyncClient` or `httpx2.AsyncClient` for all requests to issuers, with proxies, certificate authorities
    and headers of your own. It is good for one event loop, and you close it. Or a function that makes such a client: it
    is called once for each event loop, or more often, and its clients are closed with the loop. No redirect is
    followed, whatever the client says."""

    dpop_algorithms: Sequence[str] = option(default=("ES256",), check=checks.algorithms, kw_only=True)
    """Signature algorithms that are accepted for DPoP proofs: ES256, ES384, RS256, PS256, EdDSA."""

    dpop_replay: Union[bool, ReplayStore] = option(default=True, check=checks.replay, kw_only=True)
    """Where used proofs are remembered, so that each is accepted only once. `True`: in this process. A `ReplayStore`,
    such as `RedisReplayStore`: there, for all workers and hosts that share it. `False`: nowhere, so a proof can be
    used again."""

    on_store_error: OnError = option(default="refuse", check=checks.store_error, kw_only=True)
    """What happens to requests with a proof while the `ReplayStore` fails. `"refuse"`: they get a 503. `"allow"`: they
    are accepted, even if the proof was used before. `"local"`: each process remembers the proofs that it has seen, so
    a proof can be used once in each process."""

    on_store_loss: OnLoss = option(default="allow", check=checks.store_loss, kw_only=True)
    """What happens to proofs that could have been used before the `ReplayStore` lost its memory, or a part of it.
    `"allow"`: they are accepted; the loss is logged. `"refuse"`: they get a 503. That lasts some 35 seconds after each
    loss, and after the first start with a new store: `dpop_iat_leeway`, and 5 seconds for the clocks."""

    store_timeout: float = option(default=1.0, check=checks.positive_duration, kw_only=True)
    """How long the `ReplayStore` may take to answer before that counts as a failure."""

    dpop_nonce: bool = option(default=False, check=checks.flag, needs="dpop_enabled", kw_only=True)
    """Demand a nonce from this server in each proof, so that no proof can be made in advance. RFC 9449 section 9."""

    dpop_nonce_key: Optional[Union[bytes, Sequence[bytes]]] = option(
        default=None, check=checks.secret_keys, needs="dpop_nonce", kw_only=True
    )
    """32 secret bytes that nonces are made with. All workers of an API need the same key, or else they refuse each
    other's nonces. If it is left out, a random one is made: it is shared only with processes that are forked
    afterwards (`gunicorn --preload`). Or a list of such keys: nonces are made with the first, and those of all are
    accepted. So a key can be exchanged while workers with the old list still run: first `[old, new]` everywhere, then
    `[new, old]`, and after `dpop_nonce_lifetime` `[new]`."""

    dpop_nonce_lifetime: Union[int, float] = option(default=300, check=checks.positive_duration, kw_only=True)
    """How long a nonce is accepted. After half of that time, answers to good requests carry a new one."""

    resolver_timeout: float = option(default=5.0, check=checks.positive_duration, kw_only=True)
    """How long a domains resolver may take to answer."""

    resolver_ttl_seconds: Union[int, float] = option(default=0, check=checks.duration, kw_only=True)
    """How long a resolver's answer is used again for requests whose token names the same issuer and that have the same
    scheme and host. 0: the resolver is called for each request. Set it only if the resolver looks at nothing else: an
    answer that depends on the path, or on another header, would be used for other requests too."""

    client_assertion_key: Optional[Union[str, bytes]] = option(default=None, kw_only=True)
    """Instead of `client_secret`: the application's RSA private key in PEM, with which it authenticates
    (`private_key_jwt`, RFC 7523). Needs `bearward[private-key-jwt]`."""

    client_assertion_algorithm: Literal["RS256", "RS384", "PS256"] = option(default="RS256", kw_only=True)
    """The algorithm that `client_assertion_key` signs with."""

    verified_token_cache: int = option(default=10_000, check=checks.between(0, 10_000_000), kw_only=True)
    """How many verified access tokens are remembered, so that their signatures need not be checked at each request.
    Each takes some 4 KB. One that nobody has used for a minute makes room for another. A remembered token is good only
    with the key set that it was verified with. Its times, its binding and what the route requires are checked each
    time. 0: none."""

    token_cache: bool = option(default=False, check=checks.flag, kw_only=True)
    """Remember tokens for other services until shortly before they expire, and send one request for equal calls that
    come at once on an event loop. Calls are equal if the method, the subject token and all arguments are: so nobody
    gets another user's token. A refresh token is given to one caller only. A token that was revoked meanwhile may
    still be given."""


class _CommonOptions(TypedDict, total=False):
    client_ids: Optional[Sequence[str]]
    scope_claim: Optional[Union[str, Sequence[str]]]
    implies: Optional[Mapping[str, Sequence[str]]]
    resource: Optional[ProtectedResource]
    jwks_uri: Optional[str]
    jwks: Optional[Mapping[str, Any]]
    allow_private_jwks: bool
    mtls: bool
    client_certificate_header: Optional[str]
    decryption_keys: Optional[Union[Sequence[_Pem], Mapping[str, _Pem]]]
    introspection: Optional[Introspection]
    timeout: float
    algorithms: Sequence[str]
    leeway: Union[int, float]
    fetch_timeout: float
    ca_file: Optional[Union[str, os.PathLike[str]]]
    http_client: Union[HttpClient, Callable[[], HttpClient], None]
    dpop_algorithms: Sequence[str]
    dpop_replay: Union[bool, ReplayStore]
    on_store_error: OnError
    on_store_loss: OnLoss
    store_timeout: float
    dpop_nonce: bool
    dpop_nonce_key: Optional[Union[bytes, Sequence[bytes]]]
    dpop_nonce_lifetime: Union[int, float]
    resolver_timeout: float
    resolver_ttl_seconds: Union[int, float]
    client_assertion_key: Optional[Union[str, bytes]]
    client_assertion_algorithm: Literal["RS256", "RS384", "PS256"]
    verified_token_cache: int
    token_cache: bool


class KeywordOptions(_CommonOptions, total=False):
    """The options that `Auth0FastAPI` takes by keyword only. `ApiClientOptions` says what each does."""

    issuer: Optional[Union[str, Sequence[str]]]
    rfc_status_codes: bool


class GuardOptions(_CommonOptions, total=False):
    """The options that `Guard` takes besides `issuer` and `audience`. `ApiClientOptions` says what each does."""

    domains: DomainsResolver
    custom_fetch: Optional[Callable[..., Any]]
    cache_adapter: Optional[Union[CacheAdapter, AsyncCacheAdapter]]
    cache_ttl_seconds: Union[int, float]
    cache_max_entries: int
    dpop_enabled: bool
    dpop_required: bool
    dpop_iat_leeway: Union[int, float]
    dpop_iat_offset: Union[int, float]
