"""The options of an `ApiClient`.

A new option is declared in two places, both here: in `ApiClientOptions`, and in `KeywordOptions`.
"""

import json
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Literal, Optional, TypedDict, Union, cast

from bearward import _native
from bearward._driver import checks
from bearward._driver.bounded_store import BoundedStore, OnError, OnLoss
from bearward._driver.client_auth import authentication_for
from bearward._driver.declared import check_options, declares_options, option
from bearward._driver.introspect import Introspector
from bearward._driver.loops import PerLoop
from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.errors import ConfigurationError, MissingRequiredArgumentError
from bearward.introspection import Introspection
from bearward.replay import ReplayStore
from bearward.resource import ProtectedResource
from bearward.types import DomainsResolver, HttpClient

_logger = logging.getLogger("bearward")

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

    dpop_enabled: bool = option(default=True)
    """Accept DPoP besides Bearer. If this is off, a token that is bound to a key is accepted as Bearer, too."""

    dpop_required: bool = option(default=False, needs="dpop_enabled")
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

    resource: Optional[ProtectedResource] = option(default=None, kw_only=True)
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

    rfc_status_codes: bool = option(default=False, kw_only=True)
    """Answer missing credentials and bad proofs with 401, as RFC 6750 section 3 and RFC 9449 section 7.1 say, instead
    of 400."""

    fetch_timeout: float = option(default=5.0, check=checks.positive_duration, kw_only=True)
    """How long it may take to fetch one discovery document or key set, and how long one request waits altogether: for
    documents, and for a resolver. Where older documents can be used, it waits a second at most."""

    ca_file: Optional[Union[str, os.PathLike[str]]] = option(default=None, check=checks.ca_file, kw_only=True)
    """A file with certificate authorities (PEM) that are trusted besides those of the system. `BEARWARD_CA_FILE` in the
    environment adds some as well."""

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

    dpop_nonce: bool = option(default=False, needs="dpop_enabled", kw_only=True)
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

    verified_token_cache: int = option(default=10_000, check=checks.at_least(0), kw_only=True)
    """How many verified access tokens are remembered, so that their signatures need not be checked at each request.
    Each takes some 4 KB. One that nobody has used for a minute makes room for another. A remembered token is good only
    with the key set that it was verified with. Its times, its binding and what the route requires are checked each
    time. 0: none."""

    token_cache: bool = option(default=False, kw_only=True)
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


# How many issuers' documents the engine keeps beside a cache adapter, which has a limit of its own.
_ISSUERS_KEPT = 100


def engine_for(options: ApiClientOptions) -> _native.Engine:
    """The engine that does what `options` say.

    Raises:
        MissingRequiredArgumentError: `audience` is empty.
        ConfigurationError: anything else can't be used.
    """
    audience = audiences_of(options)
    issuers = configured_issuers(options)
    check_options(options)
    _check_keys(options, issuers)
    _check_introspection(options, issuers)
    introspection = options.introspection
    if options.http_client is not None and options.ca_file is not None:
        raise ConfigurationError("ca_file is for Bearward's own connections: give these authorities to http_client.")
    engine = _native.Engine(
        audience=audience,
        client_ids=None if options.client_ids is None else list(options.client_ids),
        issuers=issuers,
        single_issuer=isinstance(options.issuer, str) if options.issuer is not None else options.domains is None,
        exact_issuers=options.issuer is not None,
        scope_claim=scope_claims(options),
        implies=_implied(options),
        allow_private_jwks=options.allow_private_jwks,
        jwks_uri=options.jwks_uri,
        jwks=None if options.jwks is None else json.dumps(options.jwks),
        algorithms=list(options.algorithms),
        leeway=float(options.leeway),
        cache_ttl=float(options.cache_ttl_seconds),
        rfc_status_codes=options.rfc_status_codes,
        dpop=_dpop_mode(options),
        dpop_algorithms=list(options.dpop_algorithms),
        dpop_iat_offset=float(options.dpop_iat_offset),
        dpop_iat_leeway=float(options.dpop_iat_leeway),
        dpop_replay=_replay_protection(options),
        dpop_nonce_keys=_nonce_keys(options),
        dpop_nonce_lifetime=float(options.dpop_nonce_lifetime),
        issuers_kept=options.cache_max_entries if options.cache_adapter is None else _ISSUERS_KEPT,
        tokens_remembered=options.verified_token_cache,
        mtls=(options.client_certificate_header or "connection") if options.mtls else None,
        decryption_keys=_decryption_keys(options),
        introspection_seconds=None if introspection is None else float(introspection.remember_seconds),
        introspection_endpoint=None if introspection is None else introspection.endpoint,
    )
    for issuer in issuers or ():
        if _native.is_plain_http(issuer):
            _logger.warning("requests to the issuer %s go without TLS: it is on this machine", issuer)
    return engine


def audiences_of(options: ApiClientOptions) -> Optional[list[str]]:
    """The audiences without white space around them, as the command line reads them. `None`: `client_ids` count.

    Raises:
        MissingRequiredArgumentError: there is none.
        ConfigurationError: one is in quotes, or has control characters: no token would ever be for it. Or the clients
            can't be used.
    """
    audience: object = options.audience
    if options.client_ids is not None:
        _check_clients(options)
        return None
    if audience is None and options.issuer is not None:
        raise ConfigurationError(
            "audience=None needs client_ids=[...], the clients whose tokens are accepted: without either, a token of "
            "any client would be."
        )
    if not audience:
        raise MissingRequiredArgumentError("audience")
    return [_audience(item) for item in (audience if isinstance(audience, (list, tuple)) else [audience])]


def _audience(audience: object) -> str:
    checks.text("audience", audience)
    bare = str(audience).strip()
    if not bare:
        raise MissingRequiredArgumentError("audience")
    _check_bare("audience", bare)
    return bare


def _check_clients(options: ApiClientOptions) -> None:
    if options.audience is not None:
        raise ConfigurationError("client_ids is for tokens without `aud`: give audience=None with it, or leave it out.")
    ids: object = options.client_ids
    if not isinstance(ids, (list, tuple)) or not ids or not all(isinstance(it, str) and it.strip() for it in ids):
        raise ConfigurationError("client_ids must be a list of non-empty strings, such as ['my-app'].")


def scope_claims(options: ApiClientOptions) -> Optional[Union[str, list[str]]]:
    """The claim with the scopes, or the claims that count together.

    Raises:
        ConfigurationError: there is something that is not the name of a claim.
    """
    given: object = options.scope_claim
    if given is None or (isinstance(given, str) and given):
        return given
    if not isinstance(given, (list, tuple)) or not given or not all(isinstance(it, str) and it for it in given):
        raise ConfigurationError("scope_claim must be the name of a claim, such as 'scp', or a list of names.")
    return list(given)


def _implied(options: ApiClientOptions) -> Optional[dict[str, list[str]]]:
    given: object = options.implies
    if given is None:
        return None
    wrong = ConfigurationError("implies must be a dict of scopes, each with a list of scopes: {'admin': ['read']}.")
    if not isinstance(given, Mapping):
        raise wrong
    for scope, implied in given.items():
        if isinstance(implied, str) or not isinstance(implied, (list, tuple, set, frozenset)):
            raise wrong
        if not all(isinstance(name, str) and name and not any(map(str.isspace, name)) for name in (scope, *implied)):
            raise wrong
    return {scope: list(implied) for scope, implied in given.items()}


def _check_keys(options: ApiClientOptions, issuers: Optional[list[str]]) -> None:
    """Check the options that say where keys are."""
    if not isinstance(options.allow_private_jwks, bool):
        raise ConfigurationError("allow_private_jwks must be True or False.")
    if options.jwks_uri is None and options.jwks is None:
        return
    if options.jwks_uri is not None and options.jwks is not None:
        raise ConfigurationError("Give jwks_uri or jwks, not both.")
    if issuers is None or len(issuers) != 1:
        raise ConfigurationError("jwks_uri and jwks are the keys of one issuer: give one issuer.")
    if options.jwks_uri is not None:
        checks.text("jwks_uri", options.jwks_uri)
        return
    try:
        json.dumps(options.jwks)
    except (TypeError, ValueError):
        raise ConfigurationError("jwks must be a key set as a dict of JSON values: {'keys': [...]}.") from None


def _check_introspection(options: ApiClientOptions, issuers: Optional[list[str]]) -> None:
    given: object = options.introspection
    if given is None:
        return
    if not isinstance(given, Introspection):
        raise ConfigurationError(
            "introspection must be an Introspection: Introspection(client_id='...', client_secret='...')."
        )
    if issuers is None or len(issuers) != 1:
        raise ConfigurationError(
            "introspection needs one issuer, `domain` or `issuer` with one URL: an opaque token doesn't say whose it is"
        )
    if given.endpoint is None and (options.jwks_uri is not None or options.jwks is not None):
        raise ConfigurationError(
            "introspection needs endpoint='https://...' here: with jwks_uri or jwks, no discovery document names it."
        )


def introspector_for(options: ApiClientOptions, engine: _native.Engine, loops: PerLoop) -> Optional[Introspector]:
    """Asks about opaque tokens, if that is configured. For options that `engine_for` has checked.

    Raises:
        ConfigurationError: the credentials can't be used.
    """
    client = None if options.introspection is None else authentication_for(options.introspection)
    return None if client is None else Introspector(engine, loops, client, float(options.fetch_timeout))


def replay_store_for(options: ApiClientOptions) -> Optional[BoundedStore]:
    """The store that remembers used proofs, if there is one. For options that `engine_for` has checked."""
    if isinstance(options.dpop_replay, bool):
        return None
    return BoundedStore(
        options.dpop_replay, float(options.store_timeout), options.on_store_error, options.on_store_loss
    )


def configured_issuers(options: ApiClientOptions) -> Optional[list[str]]:
    """The accepted issuers: `issuer`, or the normal form of `domains` or `domain`. `None`: a resolver knows them."""
    domain, domains = options.domain, options.domains
    if options.issuer is not None:
        return _exact_issuers(options)
    if domains is None and not domain:
        raise ConfigurationError("Either 'domain' or 'domains' is required.")
    own = [issuer_of("domain", domain)] if domain else []
    if options.client_id and not own:
        raise ConfigurationError("client_id needs 'domain'.")
    if domains is None:
        return own
    if callable(domains):
        return None
    if not isinstance(domains, list):
        raise ConfigurationError("domains must be a list of domains or a resolver function.")
    if not domains:
        raise ConfigurationError("domains must not be empty.")
    return [issuer_of("domains", item) for item in domains]


def _exact_issuers(options: ApiClientOptions) -> list[str]:
    for other in ("domain", "domains", "client_id"):
        if getattr(options, other) is not None:
            needs = " client_id needs 'domain'." if other == "client_id" else ""
            raise ConfigurationError(f"Give 'issuer' or '{other}', not both.{needs}")
    given: object = options.issuer
    issuers: list[str] = list(given) if isinstance(given, (list, tuple)) else [cast("str", given)]
    if not issuers:
        raise ConfigurationError("issuer must not be empty.")
    for issuer in issuers:
        if not isinstance(cast("object", issuer), str) or not issuer:
            raise ConfigurationError("issuer must be a URL, or a list of URLs: 'https://kc.example.com/realms/acme'.")
        _check_bare("issuer", issuer)
        try:
            _native.check_issuer(issuer)
        except ValueError as error:
            problem = str(error).replace("domain URL", "issuer URL")
            raise ConfigurationError(
                f"issuer: {problem}. Write it exactly as the tokens spell it in 'iss'. The value is {issuer!a}."
            ) from None
    return issuers


def issuer_of(argument: str, domain: object) -> str:
    """The issuer of a domain, in normal form.

    Raises:
        ConfigurationError: there is none of this domain.
    """
    if not isinstance(domain, str) or not domain.strip():
        raise ConfigurationError(f"{argument}: a domain must be a non-empty string.")
    bare = domain.strip()
    _check_bare(argument, bare)
    try:
        return _native.normalize_issuer(bare)
    except ValueError as error:
        raise ConfigurationError(f"{argument}: {error}") from None


def _check_bare(argument: str, value: str) -> None:
    if value[0] in _QUOTES or value[-1] in _QUOTES:
        raise ConfigurationError(f"{argument} is in quotes: remove them. The value is {value!a}.")
    if not value.isprintable():
        raise ConfigurationError(
            f"{argument} has control characters or invisible characters: remove them. The value is {value!a}."
        )


# Quotes that shells, files and word processors put around a value.
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"


def _dpop_mode(options: ApiClientOptions) -> Literal["off", "accepted", "required"]:
    if not options.dpop_enabled:
        return "off"
    return "required" if options.dpop_required else "accepted"


def _nonce_keys(options: ApiClientOptions) -> Optional[list[bytes]]:
    if not options.dpop_nonce:
        return None
    given = options.dpop_nonce_key or secrets.token_bytes(32)
    return [given] if isinstance(given, bytes) else list(given)


def _decryption_keys(options: ApiClientOptions) -> Optional[list[tuple[Optional[str], str]]]:
    keys = options.decryption_keys
    if keys is None:
        return None
    named = keys.items() if isinstance(keys, Mapping) else ((None, pem) for pem in keys)
    return [(None if kid is None else _encodable(kid), _encodable(pem)) for kid, pem in named]


def _encodable(text: _Pem) -> str:
    # An error about what can't be encoded would hold the text, which is a secret.
    return (text if isinstance(text, bytes) else text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _replay_protection(options: ApiClientOptions) -> Literal["in_process", "shared", "off"]:
    if isinstance(options.dpop_replay, bool):
        return "in_process" if options.dpop_replay else "off"
    return "shared"
