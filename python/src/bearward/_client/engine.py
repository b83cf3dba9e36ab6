"""Makes what the options of an `ApiClient` describe: the engine, and what it asks.

What few APIs have is imported where it is made.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Optional, Union

from bearward import _native
from bearward._client.issuers import audiences_of, clients_of, configured_issuers
from bearward._driver import checks
from bearward._driver.client_auth import authentication_for
from bearward._driver.declared import check_options
from bearward.errors import ConfigurationError
from bearward.introspection import Introspection
from bearward.options import ApiClientOptions

if TYPE_CHECKING:
    from bearward._driver.bounded_store import BoundedStore
    from bearward._driver.introspect import Introspector
    from bearward._driver.loops import PerLoop
    from bearward._driver.resolver import IssuerResolver
    from bearward._driver.shared_cache import SharedCache

_logger = logging.getLogger("bearward")

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
        client_ids=clients_of(options),
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


def _encodable(text: Union[str, bytes]) -> str:
    # An error about what can't be encoded would hold the text, which is a secret.
    return (text if isinstance(text, bytes) else text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _replay_protection(options: ApiClientOptions) -> Literal["in_process", "shared", "off"]:
    if isinstance(options.dpop_replay, bool):
        return "in_process" if options.dpop_replay else "off"
    return "shared"


def introspector_for(options: ApiClientOptions, engine: _native.Engine, loops: PerLoop) -> Optional[Introspector]:
    """Asks about opaque tokens, if that is configured. For options that `engine_for` has checked.

    Raises:
        ConfigurationError: the credentials can't be used.
    """
    client = None if options.introspection is None else authentication_for(options.introspection)
    if client is None:
        return None
    from bearward._driver.introspect import Introspector

    return Introspector(engine, loops, client, float(options.fetch_timeout))


def resolver_for(options: ApiClientOptions, loops: PerLoop) -> Optional[IssuerResolver]:
    """Calls the function that names the accepted issuers, if there is one."""
    if not callable(options.domains):
        return None
    from bearward._driver.resolver import IssuerResolver

    return IssuerResolver(options.domains, loops, options.resolver_timeout, options.resolver_ttl_seconds)


def shared_cache_for(options: ApiClientOptions) -> Optional[SharedCache]:
    """The deployer's cache of documents, if there is one."""
    if options.cache_adapter is None:
        return None
    from bearward._driver.shared_cache import SharedCache

    return SharedCache(options.cache_adapter)


def replay_store_for(options: ApiClientOptions) -> Optional[BoundedStore]:
    """The store that remembers used proofs, if there is one. For options that `engine_for` has checked."""
    if isinstance(options.dpop_replay, bool):
        return None
    from bearward._driver.bounded_store import BoundedStore

    return BoundedStore(
        options.dpop_replay, float(options.store_timeout), options.on_store_error, options.on_store_loss
    )
