"""Settings of guards that the environment has where the arguments are left out."""

import os
from typing import Any, Optional

from bearward.errors import ConfigurationError

LEFT_OUT: Any = object()
"""The default of such arguments: differs from one that is empty by mistake."""


def auth0_domain(domain: Optional[str], domains: object, issuer: object) -> Optional[str]:
    """What is given, or else AUTH0_DOMAIN; `None` if something else says whose tokens are accepted."""
    if domain is not LEFT_OUT:
        return domain
    if domains is not None or issuer is not None:
        return None
    given = os.environ.get("AUTH0_DOMAIN")
    if not given:
        raise ConfigurationError("No domain: give 'domain' (or 'domains'), or set AUTH0_DOMAIN in the environment.")
    return given


def auth0_audience(audience: Any, client_ids: object) -> Any:
    """What is given, or else AUTH0_AUDIENCE; `None` if the clients say it."""
    if client_ids is not None:
        return None if audience is LEFT_OUT else audience
    if audience is LEFT_OUT:
        audience = os.environ.get("AUTH0_AUDIENCE", "")
        if not audience:
            raise ValueError("audience is required. Give 'audience', or set AUTH0_AUDIENCE in the environment.")
    if not audience or not str(audience).strip():
        raise ValueError("audience is required.")
    return audience


def bearward_setting(argument: str, given: Any) -> Any:
    """What is given, or else the variable BEARWARD_ISSUER or BEARWARD_AUDIENCE."""
    if given is not LEFT_OUT:
        if given is None and argument == "issuer":
            raise ConfigurationError("issuer must be a URL, or a list of URLs: 'https://kc.example.com/realms/acme'.")
        return given
    variable = f"BEARWARD_{argument.upper()}"
    value = os.environ.get(variable, "").strip()
    if not value:
        raise ConfigurationError(f"No {argument}: give '{argument}', or set {variable} in the environment.")
    return value
