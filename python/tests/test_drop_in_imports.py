"""Code written for the SDK that this replaces: what it imports, constructs, and takes apart."""

import importlib
import inspect
from unittest.mock import AsyncMock, patch

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

import bearward
from fastapi_plugin import (
    ApiError,
    Auth0FastAPI,
    BaseAuthError,
    ConfigurationError,
    DomainsResolverError,
    GetTokenByExchangeProfileError,
    InMemoryCache,
    MissingRequiredArgumentError,
    VerifyAccessTokenError,
)
from support import AUDIENCE

DOMAIN = "tenant.example"


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "fastapi_plugin",
            "ApiError Auth0FastAPI BaseAuthError CacheAdapter ConfigurationError DomainsResolver "
            "DomainsResolverContext DomainsResolverError GetTokenByExchangeProfileError InMemoryCache "
            "MissingRequiredArgumentError OnBehalfOfTokenResult VerifyAccessTokenError get_current_actor "
            "get_delegation_chain",
        ),
        (
            "fastapi_plugin.fast_api_client",
            "ApiClient ApiClientOptions Auth0FastAPI BaseAuthError CacheAdapter get_canonical_url http_exception "
            "validate_scopes",
        ),
        ("fastapi_plugin.utils", "get_canonical_url http_exception validate_scopes"),
    ],
)
def test_every_name_of_the_old_modules_is_there(module, names):
    module = importlib.import_module(module)
    assert set(names.split()) <= set(module.__all__)
    assert all(hasattr(module, name) for name in names.split())


def test_the_facade_and_the_package_have_the_same_classes():
    from fastapi_plugin import fast_api_client

    assert fast_api_client.ApiClient is bearward.ApiClient
    assert fast_api_client.BaseAuthError is BaseAuthError is bearward.BaseAuthError


def test_the_order_of_arguments():
    names = list(inspect.signature(Auth0FastAPI).parameters)
    assert names[:13] == [
        *("domain", "audience", "domains", "client_id", "client_secret", "custom_fetch", "dpop_enabled"),
        *("dpop_required", "dpop_iat_leeway", "dpop_iat_offset", "cache_adapter", "cache_ttl_seconds"),
        "cache_max_entries",
    ]


def test_constructed_by_position_by_keyword_and_with_everything(tenant):
    cache = InMemoryCache(max_entries=5)
    variants = [
        Auth0FastAPI(DOMAIN, AUDIENCE),
        Auth0FastAPI(domain=DOMAIN, audience=AUDIENCE),
        Auth0FastAPI(DOMAIN, audience=AUDIENCE, dpop_enabled=True, dpop_required=False),
        Auth0FastAPI(None, AUDIENCE, [DOMAIN]),
        Auth0FastAPI(domains=[DOMAIN, "brand.example"], audience=AUDIENCE),
        Auth0FastAPI(domain=DOMAIN, domains=[DOMAIN], audience=AUDIENCE),
        Auth0FastAPI(DOMAIN, AUDIENCE, None, None, None, tenant.fetch, True, True, 60, 600, cache, 900, 50),
    ]
    for auth0 in variants:
        assert auth0.api_client.options.audience == AUDIENCE
    options = variants[-1].api_client.options
    assert (options.dpop_required, options.dpop_iat_leeway, options.dpop_iat_offset) == (True, 60, 600)
    assert (options.cache_ttl_seconds, options.cache_max_entries, options.cache_adapter) == (900, 50, cache)
    assert variants[-1].api_client.is_dpop_required()


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"domain": DOMAIN, "audience": ""}, ValueError, "audience is required."),
        ({"domain": DOMAIN}, ValueError, "audience is required."),
        ({"audience": ""}, ValueError, "audience is required."),
        ({}, ValueError, "audience is required."),
        ({"audience": AUDIENCE, "domain": None}, ConfigurationError, "domain"),
        ({"audience": AUDIENCE, "domain": ""}, ConfigurationError, "domain"),
        ({"audience": AUDIENCE, "domains": []}, ConfigurationError, "domains"),
        ({"audience": AUDIENCE, "domains": [""]}, ConfigurationError, "non-empty string"),
        ({"audience": AUDIENCE, "domains": [DOMAIN, 5]}, ConfigurationError, "non-empty string"),
        ({"audience": AUDIENCE, "domains": DOMAIN}, ConfigurationError, "resolver function"),
        ({"audience": AUDIENCE, "domains": [DOMAIN], "client_id": "id"}, ConfigurationError, "client_id"),
        ({"audience": AUDIENCE, "domain": DOMAIN, "cache_ttl_seconds": -1}, ConfigurationError, "cache_ttl_seconds"),
        ({"audience": AUDIENCE, "domain": DOMAIN, "cache_ttl_seconds": "x"}, ConfigurationError, "non-negative number"),
        ({"audience": AUDIENCE, "domain": DOMAIN, "cache_max_entries": 1}, ConfigurationError, "must be an integer"),
        ({"audience": AUDIENCE, "domain": DOMAIN, "cache_max_entries": 2.5}, ConfigurationError, "cache_max_entries"),
    ],
)
def test_bad_arguments_raise_what_they_did(monkeypatch, arguments, kind, text):
    monkeypatch.delenv("AUTH0_DOMAIN", raising=False)
    monkeypatch.delenv("AUTH0_AUDIENCE", raising=False)
    with pytest.raises(kind, match=text):
        Auth0FastAPI(**arguments)


def test_errors_are_caught_by_class_and_say_what_they_said():
    for error, status, code in (
        (VerifyAccessTokenError("text"), 401, "invalid_token"),
        (ConfigurationError("text"), 500, "invalid_configuration"),
        (DomainsResolverError("text"), 500, "domains_resolver_error"),
        (GetTokenByExchangeProfileError("text"), 400, "get_token_by_exchange_profile_error"),
        (ApiError("invalid_grant", "text", 403), 403, "invalid_grant"),
        (MissingRequiredArgumentError("token", "text"), 400, "invalid_request"),
    ):
        with pytest.raises(BaseAuthError) as caught:
            raise error
        assert (caught.value.get_status_code(), caught.value.get_error_code()) == (status, code)
        assert str(error) == error.message == error.get_error_description() == "text"
        assert error.name == type(error).__name__
        assert error.get_headers() == {}


def test_an_error_of_the_users_own_is_answered_as_it_says(tenant):
    class BlockedError(BaseAuthError):
        def get_status_code(self):
            return 418

        def get_error_code(self):
            return "blocked"

    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.get("/")(lambda: {})
    with patch.object(auth0.api_client, "verify_request", AsyncMock(side_effect=BlockedError("not you"))):
        answer = TestClient(app).get("/")
    assert answer.status_code == 418
    assert answer.json() == {"detail": {"error": "blocked", "error_description": "not you"}}
