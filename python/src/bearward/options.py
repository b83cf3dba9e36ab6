"""What an `ApiClient` is built from, and the checks of it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Union

from bearward import _native
from bearward._driver.bounded_store import BoundedStore
from bearward.errors import ConfigurationError, MissingRequiredArgumentError
from bearward.replay import ReplayStore

if TYPE_CHECKING:
    from bearward.cache import AsyncCacheAdapter, CacheAdapter
    from bearward.types import DomainsResolver


class ApiClientOptions:
    """Options of an `ApiClient`; checked by its constructor.

    Args:
        domain: The tenant's domain, `tenant.auth0.com`; `https://tenant.auth0.com/` is accepted too.
        audience: The API's identifier. A token's `aud` must be it, or hold it, exactly.
        domains: Several domains of one tenant; or a function that is told about a request and gives the domains whose
            tokens are accepted for it, see `DomainsResolver`.
        custom_fetch: `async def (url) -> response or dict`, used instead of httpx for discovery and keys.
        cache_adapter: Where documents are kept besides, for several processes or hosts together: a `CacheAdapter`, or
            an `AsyncCacheAdapter` such as `RedisCache`.
        cache_ttl_seconds: How long documents are used as fresh, at most; seconds.
        cache_max_entries: Of so many issuers documents are kept, at least 2. Ignored with `cache_adapter`.
        dpop_enabled: Accept DPoP besides Bearer. Without, a token that is bound to a key is taken as Bearer, too.
        dpop_required: Refuse Bearer.
        dpop_iat_leeway: How far in the future a proof's `iat` may lie; seconds.
        dpop_iat_offset: How far in the past a proof's `iat` may lie; seconds.
        client_id: Who asks for tokens in the client flows: the id of an application of the tenant. Needs `domain`.
        client_secret: Its secret.
        timeout: How long a call of the client flows may take altogether; seconds.
        algorithms: Signature algorithms that are accepted: RS256/384/512, PS256/384/512, ES256/384, EdDSA.
        leeway: How far `exp` and `nbf` may be missed, for clocks that disagree; seconds.
        rfc_status_codes: Answer missing credentials and bad proofs 401, as RFC 6750 section 3 and RFC 9449
            section 7.1 say, instead of 400.
        fetch_timeout: Total time that fetching one document may take; seconds.
        dpop_algorithms: Signature algorithms that are accepted for proofs: ES256, ES384, RS256, PS256, EdDSA.
        dpop_replay: Who remembers used proofs, so that each is good once: `True`, this process for itself; a
            `ReplayStore`, all workers and hosts that share it; `False`, nobody.
        on_store_error: What becomes of proofs while the `ReplayStore` fails: `"refuse"`, a 503; `"allow"`, they are
            taken, replayed or not.
        store_timeout: How long the `ReplayStore` may take to answer before that counts as a failure; seconds.
        dpop_nonce: Want a nonce of ours in each proof (RFC 9449 section 9), so that none can be made in advance.
        dpop_nonce_key: 32 secret bytes that nonces are made with. All workers that a client may meet need the same:
            without one it is random, for this object and for processes forked after it was made (`gunicorn
            --preload`). Workers that each make their own would refuse each other's nonces.
        dpop_nonce_lifetime: How long a nonce is taken; seconds. From half of it on, good requests are answered with a
            fresh one.
        resolver_timeout: How long a resolver may take to answer; seconds.
        resolver_ttl_seconds: How long a resolver's answer is remembered for requests whose token names the same issuer
            and that are for the same scheme and host; 0: it is asked for each request. Only for a resolver that looks
            at nothing else: an answer that depends on a path, or on another header, would serve other requests too.
        client_assertion_key: Instead of `client_secret`: the application's RSA private key, PEM, with which it proves
            who it is (`private_key_jwt`, RFC 7523). Needs `bearward[private-key-jwt]`.
        client_assertion_algorithm: What that key signs with: RS256, RS384 or PS256.
        token_cache: Remember what the client flows were granted, each until shortly before it ends, and have equal
            calls that come at once on an event loop share one request. Equal are calls of one method with the same
            subject token and arguments, so nobody is given the token of somebody else; and refresh tokens are given to
            one caller only. A token that was revoked meanwhile is given all the same.
    """

    def __init__(
        self,
        domain: Optional[str] = None,
        audience: str = "",
        domains: Optional[Union[list[str], DomainsResolver]] = None,
        custom_fetch: Optional[Callable[..., Any]] = None,
        cache_adapter: Optional[Union[CacheAdapter, AsyncCacheAdapter]] = None,
        cache_ttl_seconds: Union[int, float] = 600,
        cache_max_entries: int = 100,
        dpop_enabled: bool = True,
        dpop_required: bool = False,
        dpop_iat_leeway: Union[int, float] = 30,
        dpop_iat_offset: Union[int, float] = 300,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        timeout: float = 10.0,
        *,
        algorithms: Sequence[str] = ("RS256",),
        leeway: Union[int, float] = 0,
        rfc_status_codes: bool = False,
        fetch_timeout: float = 5.0,
        dpop_algorithms: Sequence[str] = ("ES256",),
        dpop_replay: Union[bool, ReplayStore] = True,
        on_store_error: Literal["refuse", "allow"] = "refuse",
        store_timeout: float = 1.0,
        dpop_nonce: bool = False,
        dpop_nonce_key: Optional[bytes] = None,
        dpop_nonce_lifetime: Union[int, float] = 300,
        resolver_timeout: float = 5.0,
        resolver_ttl_seconds: Union[int, float] = 0,
        client_assertion_key: Optional[Union[str, bytes]] = None,
        client_assertion_algorithm: Literal["RS256", "RS384", "PS256"] = "RS256",
        token_cache: bool = False,
    ) -> None:
        self.domain = domain
        self.audience = audience
        self.domains = domains
        self.custom_fetch = custom_fetch
        self.cache_adapter = cache_adapter
        self.cache_ttl_seconds = cache_ttl_seconds
        self.cache_max_entries = cache_max_entries
        self.dpop_enabled = dpop_enabled
        self.dpop_required = dpop_required
        self.dpop_iat_leeway = dpop_iat_leeway
        self.dpop_iat_offset = dpop_iat_offset
        self.client_id = client_id
        self.client_secret = client_secret
        self.timeout = timeout
        self.algorithms = algorithms
        self.leeway = leeway
        self.rfc_status_codes = rfc_status_codes
        self.fetch_timeout = fetch_timeout
        self.dpop_algorithms = dpop_algorithms
        self.dpop_replay = dpop_replay
        self.on_store_error: Literal["refuse", "allow"] = on_store_error
        self.store_timeout = store_timeout
        self.dpop_nonce = dpop_nonce
        self.dpop_nonce_key = dpop_nonce_key
        self.dpop_nonce_lifetime = dpop_nonce_lifetime
        self.resolver_timeout = resolver_timeout
        self.resolver_ttl_seconds = resolver_ttl_seconds
        self.client_assertion_key = client_assertion_key
        self.client_assertion_algorithm: Literal["RS256", "RS384", "PS256"] = client_assertion_algorithm
        self.token_cache = token_cache


def engine_for(options: ApiClientOptions) -> _native.Engine:
    """The engine that does what `options` say.

    Raises:
        MissingRequiredArgumentError: `audience` is empty.
        ConfigurationError: anything else can't be used.
    """
    if not options.audience:
        raise MissingRequiredArgumentError("audience")
    if not isinstance(options.audience, str):
        raise ConfigurationError("audience must be a string")
    issuers = _issuers(options)
    _check_numbers(options)
    _check_dpop(options)
    _check_cache_adapter(options.cache_adapter)
    return _native.Engine(
        audience=options.audience,
        issuers=issuers,
        single_issuer=options.domains is None,
        algorithms=_algorithms("algorithms", options.algorithms),
        leeway=float(options.leeway),
        cache_ttl=float(options.cache_ttl_seconds),
        rfc_status_codes=options.rfc_status_codes,
        dpop=_dpop_mode(options),
        dpop_algorithms=_algorithms("dpop_algorithms", options.dpop_algorithms),
        dpop_iat_offset=float(options.dpop_iat_offset),
        dpop_iat_leeway=float(options.dpop_iat_leeway),
        dpop_replay=_replay_protection(options),
        dpop_nonce_key=_nonce_key(options),
        dpop_nonce_lifetime=float(options.dpop_nonce_lifetime),
        issuers_kept=options.cache_max_entries if options.cache_adapter is None else _ISSUERS_KEPT,
    )


# With a cache adapter, whose entries are not ours to count.
_ISSUERS_KEPT = 100


def replay_store_for(options: ApiClientOptions) -> Optional[BoundedStore]:
    """The store to ask whether a proof was used before; `None` if there is none. For options `engine_for` has seen."""
    if isinstance(options.dpop_replay, bool):
        return None
    return BoundedStore(options.dpop_replay, float(options.store_timeout), options.on_store_error)


def _issuers(options: ApiClientOptions) -> Optional[list[str]]:
    """Normal form of the issuers whose tokens are accepted: `domains` if given, or else `domain`; `None`: ask."""
    domain, domains = options.domain, options.domains
    if domains is None and not domain:
        raise ConfigurationError("Either 'domain' or 'domains' is required.")
    own = [_issuer("domain", domain)] if domain else []
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
    return [_issuer("domains", item) for item in domains]


def _issuer(argument: str, domain: object) -> str:
    if not isinstance(domain, str) or not domain.strip():
        raise ConfigurationError(f"{argument}: a domain must be a non-empty string.")
    try:
        return _native.normalize_issuer(domain.strip())
    except ValueError as error:
        raise ConfigurationError(f"{argument}: {error}") from None


def _algorithms(argument: str, algorithms: object) -> list[str]:
    # A bare string is a sequence too: "RS256" would be read as five algorithms of one letter.
    if isinstance(algorithms, str) or not isinstance(algorithms, Sequence):
        raise ConfigurationError(f"{argument} must be a sequence of names, such as ['RS256'].")
    if not all(isinstance(name, str) for name in algorithms):
        raise ConfigurationError(f"{argument} must be names, such as 'RS256'.")
    return list(algorithms)


def _check_dpop(options: ApiClientOptions) -> None:
    for needs in ("dpop_required", "dpop_nonce"):
        if getattr(options, needs) and not options.dpop_enabled:
            raise ConfigurationError(f"{needs} needs dpop_enabled.")
    if not isinstance(options.dpop_replay, (bool, ReplayStore)):
        raise ConfigurationError("dpop_replay must be True, False, or a ReplayStore.")
    if options.on_store_error not in ("refuse", "allow"):
        raise ConfigurationError("on_store_error must be 'refuse' or 'allow'.")
    if options.dpop_nonce_key is not None and not options.dpop_nonce:
        raise ConfigurationError("dpop_nonce_key needs dpop_nonce.")


def _dpop_mode(options: ApiClientOptions) -> Literal["off", "accepted", "required"]:
    if not options.dpop_enabled:
        return "off"
    return "required" if options.dpop_required else "accepted"


def _replay_protection(options: ApiClientOptions) -> Literal["in_process", "shared", "off"]:
    if isinstance(options.dpop_replay, bool):
        return "in_process" if options.dpop_replay else "off"
    return "shared"


def _nonce_key(options: ApiClientOptions) -> Optional[bytes]:
    if not options.dpop_nonce:
        return None
    key: object = options.dpop_nonce_key
    if key is None:
        return secrets.token_bytes(32)
    if not isinstance(key, bytes) or len(key) != 32:
        raise ConfigurationError("dpop_nonce_key must be 32 bytes.")
    return key


def _check_numbers(options: ApiClientOptions) -> None:
    for name in ("cache_ttl_seconds", "dpop_iat_leeway", "dpop_iat_offset", "leeway", "resolver_ttl_seconds"):
        if not _is_duration(getattr(options, name)):
            raise ConfigurationError(f"{name} must be a non-negative number of seconds.")
    for name in ("dpop_nonce_lifetime", "fetch_timeout", "resolver_timeout", "store_timeout", "timeout"):
        value = getattr(options, name)
        if not _is_duration(value) or value == 0:
            raise ConfigurationError(f"{name} must be a positive number of seconds.")
    entries: object = options.cache_max_entries
    if not isinstance(entries, int) or isinstance(entries, bool) or entries < 2:
        raise ConfigurationError("cache_max_entries must be an integer, at least 2.")


def _check_cache_adapter(adapter: object) -> None:
    # By what it can do: tests' stand-ins and the old SDK's users have classes of their own.
    if adapter is not None and not all(callable(getattr(adapter, name, None)) for name in ("get", "set")):
        raise ConfigurationError("cache_adapter must be a CacheAdapter or an AsyncCacheAdapter.")


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
