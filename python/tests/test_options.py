import copy
import inspect
import math
import pickle
import time
from typing import get_type_hints

import pytest

from bearward import (
    ApiClient,
    ApiClientOptions,
    ConfigurationError,
    MissingRequiredArgumentError,
    UseDpopNonceError,
)
from bearward.options import KeywordOptions
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE

GOOD = {"domain": "tenant.example", "audience": AUDIENCE}


@pytest.mark.parametrize(
    "wrong",
    [
        {"domain": None},
        {"domain": ""},
        {"domain": " "},
        {"domain": 5},
        {"domain": "http://tenant.example"},
        {"domain": "https://user:secret@tenant.example/"},
        {"domain": "https://tenant.example/path"},
        {"domain": "tenant.example?query"},
        {"domain": "tenant.example#fragment"},
        {"domains": []},
        {"domains": [""]},
        {"domains": ["tenant.example", 5]},
        {"domains": ("tenant.example",)},
        {"domains": "tenant.example"},
        {"domain": None, "domains": ["tenant.example"], "client_id": "id"},
        {"cache_ttl_seconds": -1},
        {"cache_ttl_seconds": "600"},
        {"cache_ttl_seconds": math.nan},
        {"cache_ttl_seconds": math.inf},
        {"cache_ttl_seconds": None},
        {"cache_max_entries": 1},
        {"cache_max_entries": 2.5},
        {"cache_max_entries": True},
        {"dpop_required": True, "dpop_enabled": False},
        {"dpop_iat_leeway": -1},
        {"dpop_iat_leeway": "30"},
        {"dpop_iat_offset": -1},
        {"dpop_iat_offset": math.nan},
        {"dpop_iat_leeway": math.inf},
        {"dpop_iat_offset": True},
        {"dpop_iat_offset": None},
        {"dpop_algorithms": "ES256"},
        {"dpop_algorithms": []},
        {"dpop_algorithms": None},
        {"dpop_algorithms": [5]},
        {"dpop_algorithms": ["HS256"]},
        {"dpop_algorithms": ["none"]},
        {"dpop_replay": None},
        {"dpop_replay": "redis://localhost"},
        {"dpop_replay": 1},
        {"on_store_error": "ignore"},
        {"on_store_error": True},
        {"store_timeout": 0},
        {"store_timeout": None},
        {"dpop_nonce": True, "dpop_enabled": False},
        {"dpop_nonce_key": b"k" * 32},
        {"dpop_nonce": True, "dpop_nonce_key": b"short"},
        {"dpop_nonce": True, "dpop_nonce_key": "k" * 32},
        {"dpop_nonce": True, "dpop_nonce_lifetime": 0},
        {"dpop_nonce_lifetime": "300"},
        {"cache_adapter": "redis://localhost"},
        {"cache_adapter": object()},
        {"domain": None, "domains": lambda context: ["tenant.example"], "client_id": "id"},
        {"resolver_ttl_seconds": -1},
        {"resolver_ttl_seconds": None},
        {"resolver_timeout": 0},
        {"fetch_timeout": math.inf},
        {"leeway": -1},
        {"leeway": math.nan},
        {"algorithms": "RS256"},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"algorithms": None},
    ],
    ids=str,
)
def test_refused_at_construction(wrong):
    options = {**GOOD, **wrong}
    with pytest.raises(ConfigurationError):
        ApiClient(ApiClientOptions(**options))
    with pytest.raises(ConfigurationError):
        Auth0FastAPI(**options)


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_origin": ""},
        {"public_origin": "api.example.com"},
        {"public_origin": "https://api.example.com/path"},
        {"public_origin": "https://api.example.com?"},
        {"public_origin": "https://user@api.example.com"},
        {"public_origin": "ftp://api.example.com"},
        {"public_origin": b"https://api.example.com"},
        {"trusted_hops": 0},
        {"trusted_hops": -1},
        {"trusted_hops": 1.0},
        {"trusted_hops": True},
        {"trusted_hops": None},
    ],
    ids=str,
)
def test_refused_by_the_guard(wrong):
    with pytest.raises(ConfigurationError):
        Auth0FastAPI(**GOOD, **wrong)


@pytest.mark.parametrize(
    "domain", ["tenant.example", "https://tenant.example", "https://tenant.example/", "TENANT.example"]
)
def test_spellings_of_a_domain(domain):
    ApiClient(ApiClientOptions(domain=domain, audience=AUDIENCE))


def test_the_order_of_the_arguments_is_the_old_one():
    ApiClient(ApiClientOptions("t.example", "aud", None, None, None, 600, 100, True, False, 30, 300, None, None, 10.0))
    Auth0FastAPI("t.example", "aud", None, None, None, None, True, False, 30, 300, None, 600, 100)


def test_the_guard_takes_all_options_of_a_client():
    client = dict(inspect.signature(ApiClientOptions).parameters)
    guard = dict(inspect.signature(Auth0FastAPI).parameters)
    assert set(guard) - set(client) == {"public_origin", "trusted_hops"}
    # These two may come from the environment.
    shared = set(client) - {"domain", "audience"}
    for part in ("default", "annotation"):
        assert {name: getattr(guard[name], part) for name in shared} == {
            name: getattr(client[name], part) for name in shared
        }
    spelled_in_the_guard = Auth0FastAPI.__init__.__annotations__
    assert get_type_hints(KeywordOptions) == {
        name: client[name].annotation for name in client if name not in spelled_in_the_guard
    }


@pytest.mark.parametrize("construct", [ApiClientOptions, Auth0FastAPI])
def test_our_options_are_keyword_only_and_typing_mistakes_are_found(construct):
    with pytest.raises(TypeError, match="positional"):
        construct(*[None] * 15)
    with pytest.raises(TypeError, match="'audiense'"):
        construct(audiense=AUDIENCE)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda options: pickle.loads(pickle.dumps(options))])  # noqa: S301 - our own bytes
def test_options_can_be_copied(copied):
    options = ApiClientOptions(**GOOD, leeway=5, domains=["a.example"])
    twin = copied(options)
    assert vars(twin) == vars(options)
    twin.leeway = 6
    assert (options.leeway, ApiClient(twin).options.leeway) == (5, 6)


@pytest.mark.parametrize("audience", ["", None])
def test_an_audience_is_required(audience):
    with pytest.raises(MissingRequiredArgumentError, match="'audience'"):
        ApiClient(ApiClientOptions(domain="tenant.example", audience=audience))
    with pytest.raises(ValueError, match=r"^audience is required\.$"):
        Auth0FastAPI(domain="tenant.example", audience=audience)


def test_the_environment_gives_what_is_left_out(monkeypatch):
    monkeypatch.setenv("AUTH0_DOMAIN", "env.example")
    monkeypatch.setenv("AUTH0_AUDIENCE", "env-audience")
    options = Auth0FastAPI().api_client.options
    assert (options.domain, options.audience) == ("env.example", "env-audience")
    options = Auth0FastAPI(domain="own.example", audience="own").api_client.options
    assert (options.domain, options.audience) == ("own.example", "own")
    assert Auth0FastAPI(domains=["a.example", "b.example"]).api_client.options.domain is None


def test_the_environment_gives_nothing_for_an_empty_argument(monkeypatch):
    monkeypatch.setenv("AUTH0_DOMAIN", "env.example")
    monkeypatch.setenv("AUTH0_AUDIENCE", "env-audience")
    with pytest.raises(ValueError, match="audience is required"):
        Auth0FastAPI(audience="")
    with pytest.raises(ConfigurationError):
        Auth0FastAPI(domain=None)


def test_what_is_missing_in_the_environment_is_named(monkeypatch):
    monkeypatch.delenv("AUTH0_DOMAIN", raising=False)
    monkeypatch.delenv("AUTH0_AUDIENCE", raising=False)
    with pytest.raises(ConfigurationError, match="AUTH0_DOMAIN"):
        Auth0FastAPI(audience="aud")
    with pytest.raises(ValueError, match=r"audience is required.*AUTH0_AUDIENCE"):
        Auth0FastAPI(domain="tenant.example")


def test_bearer_is_accepted_by_default():
    assert ApiClient(ApiClientOptions(**GOOD)).is_dpop_required() is False


def test_keys_of_nonces_are_secret_and_random(prover):
    def nonce(**options):
        api_client = ApiClient(ApiClientOptions(**GOOD, dpop_nonce=True, **options))
        with pytest.raises(UseDpopNonceError) as refusal:
            api_client._engine.verify_dpop_proof("t", proof, "GET", "https://api.example/", now)
        return refusal.value.get_headers()["DPoP-Nonce"]

    now = time.time()
    proof = prover.proof("t", "https://api.example/")

    assert nonce() != nonce()
    assert nonce(dpop_nonce_key=b"k" * 32) == nonce(dpop_nonce_key=b"k" * 32) != nonce(dpop_nonce_key=b"K" * 32)


def test_the_defaults_are_the_safe_ones():
    options = ApiClientOptions(**GOOD)
    assert (options.dpop_enabled, options.dpop_replay, options.on_store_error) == (True, True, "refuse")
    assert tuple(options.dpop_algorithms) == ("ES256",)
