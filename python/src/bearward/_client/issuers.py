"""Whose tokens an `ApiClient` accepts, and for whom: the issuers and the audiences that its options name."""

from typing import Optional, cast

from bearward import _native
from bearward._driver import checks
from bearward.errors import ConfigurationError, MissingRequiredArgumentError
from bearward.options import ApiClientOptions


def audiences_of(options: ApiClientOptions) -> Optional[list[str]]:
    """The audiences without white space around them, as the command line reads them. `None`: `client_ids` count.

    Raises:
        MissingRequiredArgumentError: there is none.
        ConfigurationError: one is in quotes, or has control characters: no token would ever be for it. Or the clients
            can't be used.
    """
    audience: object = options.audience
    if clients_of(options) is not None:
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


def clients_of(options: ApiClientOptions) -> Optional[list[str]]:
    """The clients whose tokens are accepted, without white space around them. `None`: audiences count.

    Raises:
        ConfigurationError: they can't be used.
    """
    if options.client_ids is None:
        return None
    if options.audience is not None:
        raise ConfigurationError("client_ids is for tokens without `aud`: give audience=None with it, or leave it out.")
    ids: object = options.client_ids
    if not isinstance(ids, (list, tuple)) or not ids or not all(isinstance(it, str) and it.strip() for it in ids):
        raise ConfigurationError("client_ids must be a list of non-empty strings, such as ['my-app'].")
    bare = [it.strip() for it in ids]
    for client in bare:
        _check_bare("client_ids", client)
    return bare


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
