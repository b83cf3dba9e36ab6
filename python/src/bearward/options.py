"""The options of an `ApiClient`.

A new option is declared in two places, both here: in `ApiClientOptions`, and in `KeywordOptions`.
"""

import os
import secrets
from collections.abc import Sequence
from typing import Any, Callable, Literal, Optional, TypedDict, Union

from bearward import _native
from bearward._driver import checks
from bearward._driver.bounded_store import BoundedStore, OnError, OnLoss
from bearward._driver.declared import check_options, declares_options, option
from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.errors import ConfigurationError, MissingRequiredArgumentError
from bearward.replay import ReplayStore
from bearward.types import DomainsResolver


@declares_options
class ApiClientOptions:
    """Options of an `ApiClient`, which checks them. Times are in seconds."""

    # In this order since the SDK that Bearward replaces: it must not change. New options are keyword-only.

    domain: Optional[str] = option(default=None)
    """The tenant's domain, `tenant.auth0.com`; `https://tenant.auth0.com/` is accepted too."""

    audience: str = option(default="", check=checks.text)
    """The API's identifier. A token's `aud` must be exactly this, or a list that holds it."""

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

    algorithms: Sequence[str] = option(default=("RS256",), check=checks.algorithms, kw_only=True)
    """Signature algorithms that are accepted: RS256/384/512, PS256/384/512, ES256/384, EdDSA."""

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
    Each takes up to 1.5 KB. A remembered token is good only with the key set that it was verified with. Its times, its
    binding and what the route requires are checked each time. 0: none."""

    token_cache: bool = option(default=False, kw_only=True)
    """Remember tokens for other services until shortly before they expire, and send one request for equal calls that
    come at once on an event loop. Calls are equal if the method, the subject token and all arguments are: so nobody
    gets another user's token. A refresh token is given to one caller only. A token that was revoked meanwhile may
    still be given."""


class KeywordOptions(TypedDict, total=False):
    """The options that `Auth0FastAPI` takes by keyword only. `ApiClientOptions` says what each does."""

    timeout: float
    algorithms: Sequence[str]
    leeway: Union[int, float]
    rfc_status_codes: bool
    fetch_timeout: float
    ca_file: Optional[Union[str, os.PathLike[str]]]
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


# How many issuers' documents the engine keeps beside a cache adapter, which has a limit of its own.
_ISSUERS_KEPT = 100


def engine_for(options: ApiClientOptions) -> _native.Engine:
    """The engine that does what `options` say.

    Raises:
        MissingRequiredArgumentError: `audience` is empty.
        ConfigurationError: anything else can't be used.
    """
    audience = audience_of(options)
    issuers = configured_issuers(options)
    check_options(options)
    return _native.Engine(
        audience=audience,
        issuers=issuers,
        single_issuer=options.domains is None,
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
    )


def audience_of(options: ApiClientOptions) -> str:
    """The audience without white space around it, as the command line reads it.

    Raises:
        MissingRequiredArgumentError: it is empty.
        ConfigurationError: it is in quotes, or has control characters: no token would ever be for it.
    """
    audience: object = options.audience
    if not audience:
        raise MissingRequiredArgumentError("audience")
    checks.text("audience", audience)
    bare = str(audience).strip()
    if not bare:
        raise MissingRequiredArgumentError("audience")
    _check_bare("audience", bare)
    return bare


def replay_store_for(options: ApiClientOptions) -> Optional[BoundedStore]:
    """The store that remembers used proofs, if there is one. For options that `engine_for` has checked."""
    if isinstance(options.dpop_replay, bool):
        return None
    return BoundedStore(
        options.dpop_replay, float(options.store_timeout), options.on_store_error, options.on_store_loss
    )


def configured_issuers(options: ApiClientOptions) -> Optional[list[str]]:
    """Normal form of the issuers whose tokens are accepted: `domains`, or else `domain`. `None`: a resolver knows."""
    domain, domains = options.domain, options.domains
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


def _replay_protection(options: ApiClientOptions) -> Literal["in_process", "shared", "off"]:
    if isinstance(options.dpop_replay, bool):
        return "in_process" if options.dpop_replay else "off"
    return "shared"
