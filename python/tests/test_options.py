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


# Of one option: values that can't be used.
WRONG = {
    "domain": [
        *(None, "", " ", 5, "http://tenant.example", "https://user:secret@tenant.example/"),
        *("https://tenant.example/path", "tenant.example?query", "tenant.example#fragment"),
    ],
    "domains": [[], [""], ["tenant.example", 5], ("tenant.example",), "tenant.example"],
    "cache_ttl_seconds": [-1, "600", math.nan, math.inf, None],
    "cache_max_entries": [1, 2.5, True],
    "cache_adapter": ["redis://localhost", object()],
    "dpop_iat_leeway": [-1, "30", math.inf],
    "dpop_iat_offset": [-1, math.nan, True, None],
    "dpop_algorithms": ["ES256", [], None, [5], ["HS256"], ["none"]],
    "dpop_replay": [None, "redis://localhost", 1],
    "on_store_error": ["ignore", True],
    "store_timeout": [0, None],
    "dpop_nonce_lifetime": [0, "300"],
    "resolver_ttl_seconds": [-1, None],
    "resolver_timeout": [0],
    "fetch_timeout": [math.inf],
    "leeway": [-1, math.nan, 10**400],
    "verified_token_cache": [-1, 2**40, 10**30],
    "dpop_enabled": ["false", None, 1],
    "dpop_required": ["false", 0],
    "dpop_nonce": ["false"],
    "rfc_status_codes": ["false"],
    "token_cache": [None],
    "resource": ["https://api.example.com"],
    "algorithms": ["RS256", ["HS256"], ["none"], [], None],
}
# Options that don't go together.
CONTRADICTIONS = [
    {"domain": None, "domains": ["tenant.example"], "client_id": "id"},
    {"domain": None, "domains": lambda context: ["tenant.example"], "client_id": "id"},
    {"dpop_required": True, "dpop_enabled": False},
    {"dpop_nonce": True, "dpop_enabled": False},
    {"dpop_nonce_key": b"k" * 32},
    {"dpop_nonce": True, "dpop_nonce_key": b"short"},
    {"dpop_nonce": True, "dpop_nonce_key": "k" * 32},
    {"dpop_nonce": True, "dpop_nonce_key": []},
    {"dpop_nonce": True, "dpop_nonce_key": [b"k" * 32, b"short"]},
    {"dpop_nonce": True, "dpop_nonce_key": ["k" * 32]},
]
WRONG_FOR_THE_GUARD = {
    "public_origin": [
        *("", "api.example.com", "https://api.example.com/path", "https://api.example.com?"),
        *("https://user@api.example.com", "ftp://api.example.com", b"https://api.example.com"),
    ],
    "trusted_hops": [0, -1, 1.0, True, None],
}


def each(values):
    return [{name: value} for name, wrong in values.items() for value in wrong]


@pytest.mark.parametrize("wrong", [*each(WRONG), *CONTRADICTIONS], ids=str)
def test_refused_at_construction(wrong):
    options = {**GOOD, **wrong}
    with pytest.raises(ConfigurationError) as client:
        ApiClient(ApiClientOptions(**options))
    with pytest.raises(ConfigurationError) as guard:
        Auth0FastAPI(**options)
    assert client.value.message == guard.value.message


@pytest.mark.parametrize("wrong", each(WRONG_FOR_THE_GUARD), ids=str)
def test_refused_by_the_guard(wrong):
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        Auth0FastAPI(**GOOD, **wrong)
    with pytest.raises(ConfigurationError, match=name):
        Auth0FastAPI.from_client(ApiClient(ApiClientOptions(**GOOD)), **wrong)


@pytest.mark.parametrize(
    "domain", ["tenant.example", "https://tenant.example", "https://tenant.example/", "TENANT.example"]
)
def test_spellings_of_a_domain(domain):
    ApiClient(ApiClientOptions(domain=domain, audience=AUDIENCE))


def test_the_order_of_the_arguments_is_the_old_one():
    ApiClient(ApiClientOptions("t.example", "aud", None, None, None, 600, 100, True, False, 30, 300, None, None, 10.0))
    Auth0FastAPI("t.example", "aud", None, None, None, None, True, False, 30, 300, None, 600, 100)


OF_THE_GUARD = {"public_origin", "trusted_hops", "websocket_subprotocol", "on_decision", "scope_descriptions"}


def test_the_guard_takes_all_options_of_a_client():
    client = dict(inspect.signature(ApiClientOptions).parameters)
    guard = dict(inspect.signature(Auth0FastAPI).parameters)
    assert set(guard) - set(client) == OF_THE_GUARD
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


SPACE = ["{}\n", " {}", "{}\r\n", "\t{} "]
QUOTED = ['"{}"', "'{}'", "{}'", "\u201c{}\u201d"]
INVISIBLE = ["{}\u200b", "a\n{}", "{}\x00"]


@pytest.mark.parametrize("written", SPACE)
@pytest.mark.parametrize("by_environment", [True, False])
async def test_white_space_around_domain_and_audience_is_ignored(tenant, monkeypatch, written, by_environment):
    domain, audience = written.format(tenant.domain), written.format(AUDIENCE)
    given = {"domain": domain, "audience": audience}
    if by_environment:
        monkeypatch.setenv("AUTH0_DOMAIN", domain)
        monkeypatch.setenv("AUTH0_AUDIENCE", audience)
        given = {}
    auth0 = Auth0FastAPI(custom_fetch=tenant.fetch, **given)
    assert (await auth0.api_client.verify_request(tenant.authorization()))["sub"] == "auth0|1234"
    client = ApiClient(ApiClientOptions(domain=domain, audience=audience, custom_fetch=tenant.fetch))
    assert (await client.verify_request(tenant.authorization()))["sub"] == "auth0|1234"


@pytest.mark.parametrize("written", [*QUOTED, *INVISIBLE])
@pytest.mark.parametrize("argument", ["domain", "audience", "domains"])
def test_quotes_and_invisible_characters_are_said_at_start(monkeypatch, written, argument):
    good = {"domain": "tenant.example", "audience": AUDIENCE}
    value = written.format("tenant.example")
    given = {**good, "domains": [value]} if argument == "domains" else {**good, argument: value}
    for make in (lambda: Auth0FastAPI(**given), lambda: ApiClient(ApiClientOptions(**given))):
        with pytest.raises(ConfigurationError, match=argument):
            make()
    if argument in ("domain", "audience") and "\x00" not in value:
        monkeypatch.setenv("AUTH0_DOMAIN", given["domain"])
        monkeypatch.setenv("AUTH0_AUDIENCE", given["audience"])
        with pytest.raises(ConfigurationError, match=argument):
            Auth0FastAPI()


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_audience_of_white_space_is_none(empty):
    with pytest.raises(ValueError, match="audience is required"):
        Auth0FastAPI(domain="tenant.example", audience=empty)
    with pytest.raises(MissingRequiredArgumentError):
        ApiClient(ApiClientOptions(domain="tenant.example", audience=empty))
