"""Mistakes that the type checkers must see: `warn_unused_ignores` fails this file when one is no longer seen."""

from bearward import ApiClientOptions
from fastapi_plugin import Auth0FastAPI, InMemoryCache

auth0 = Auth0FastAPI(domain="tenant.example", audience=5)  # type: ignore[arg-type]
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", domain_list=[])  # type: ignore[call-arg]
auth0.require_auth(scopes=5)  # type: ignore[call-overload]
auth0.require_auth(roles="admin")  # type: ignore[call-overload]
InMemoryCache("many")  # type: ignore[arg-type]
Auth0FastAPI(dpop_replay="redis://localhost")  # type: ignore[arg-type]
Auth0FastAPI(on_store_error="ignore")  # type: ignore[arg-type]
Auth0FastAPI(dpop_nonce_key="text")  # type: ignore[arg-type]
Auth0FastAPI(leeway="5")  # type: ignore[arg-type]
ApiClientOptions(domain="tenant.example", leeway="5")  # type: ignore[arg-type]
ApiClientOptions(domain_list=[])  # type: ignore[call-arg]
ApiClientOptions(None, "api", None, None, None, 1, 2, True, True, 1, 2, None, None, 1.0, ["RS256"])  # type: ignore[call-arg]
