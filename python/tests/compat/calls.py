"""What constructors and methods do, and what they are called: run in both environments, prints JSON.

Imports nothing of ours but the package: in the other environment there is none of it.
"""

import asyncio
import inspect
import json
import sys

import httpx
from flows import flows
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.datastructures import Headers

import fastapi_plugin
from fastapi_plugin import Auth0FastAPI, InMemoryCache, fast_api_client, utils

try:
    import auth0_api_python as sdk
    from auth0_api_python import errors
except ImportError:
    import bearward as sdk
    from bearward import errors

AUDIENCE = "https://api.example.com"
DOMAIN = "tenant.example"
ISSUER = f"https://{DOMAIN}/"
KEY = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})
CLAIMS = {"iss": ISSUER, "sub": "auth0|1234", "aud": AUDIENCE, "iat": 1700000000, "exp": 4102444800, "scope": "a b"}
TOKEN = jwt.encode({"alg": "RS256", "kid": "key-1"}, CLAIMS, KEY)
# A header that can be read, for the checks that come before the signature's.
PROOF = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.e30.AA"


def main():
    outcomes = {f"argument/{name}": outcome(make, arguments) for name, make, arguments in constructions()}
    for name, call in {**calls(), **errors_made()}.items():
        outcomes[f"call/{name}"] = outcome(call)
    outcomes.update({name: outcome(call) for name, call in flows(sdk).items()})
    outcomes.update({f"signature/{name}": {"value": parameters(found)} for name, found in callables().items()})
    outcomes.update({f"name/{name}": {"value": found} for name, found in names().items()})
    json.dump(outcomes, sys.stdout)


def outcome(call, *arguments):
    try:
        value = call(*arguments)
        if inspect.isawaitable(value):
            value = asyncio.run(finished(value))
    except Exception as error:  # noqa: BLE001 - whatever it is, is what is compared
        return raised(error)
    return {"value": value}


async def finished(awaitable):
    return await awaitable


def raised(error):
    told = {"raises": type(error).__name__}
    if isinstance(error, (errors.BaseAuthError, ValueError)):
        told["text"] = str(error)
    if isinstance(error, errors.BaseAuthError):
        told.update(answer_of(error))
    return told


def answer_of(error):
    """What the error says of itself; not what only repeats its type and its text."""
    repeats = {"name": type(error).__name__, "message": str(error), "description": str(error)}
    told = {"name": error.name, "message": error.message, "description": error.get_error_description()}
    return {
        "status": error.get_status_code(),
        "error": error.get_error_code(),
        "headers": error.get_headers(),
        "is": [kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__)],
        **{name: text for name, text in told.items() if text != repeats[name]},
    }


def guard(arguments):
    auth0 = Auth0FastAPI(**arguments)
    return attributes(auth0.api_client)


def guard_of_positional(arguments):
    return attributes(Auth0FastAPI(*arguments).api_client)


def client(arguments):
    return attributes(sdk.ApiClient(sdk.ApiClientOptions(**arguments)))


def client_of_positional(arguments):
    return attributes(sdk.ApiClient(sdk.ApiClientOptions(*arguments)))


OPTIONS = (
    *("domain", "audience", "cache_ttl_seconds", "cache_max_entries", "dpop_enabled", "dpop_required"),
    *("dpop_iat_leeway", "dpop_iat_offset", "client_id", "client_secret", "timeout"),
)


def attributes(api_client):
    """What users' tests read back."""
    options = api_client.options
    return {**{name: readable(getattr(options, name)) for name in OPTIONS}, "required": api_client.is_dpop_required()}


def readable(value):
    return value if isinstance(value, (str, int, float, bool, type(None))) and value == value else repr(value)


def constructions():
    for name, changes in ARGUMENTS.items():
        given = {"domain": DOMAIN, "audience": AUDIENCE, **changes}
        given = {key: value for key, value in given.items() if value is not LEFT_OUT}
        yield f"guard/{name}", guard, given
        yield f"client/{name}", client, given
    yield "guard/positional", guard_of_positional, (DOMAIN, AUDIENCE)
    yield (
        "guard/all-positional",
        guard_of_positional,
        (*(DOMAIN, AUDIENCE, [DOMAIN], None, None, fetch, True, True, 10, 60, InMemoryCache(), 300, 50),),
    )
    yield "client/positional", client_of_positional, (DOMAIN, AUDIENCE)
    yield (
        "client/all-positional",
        client_of_positional,
        (*(DOMAIN, AUDIENCE, [DOMAIN], fetch, InMemoryCache(), 300, 50, True, True, 10, 60),),
    )


async def fetch(url, **kwargs):
    if url.endswith("openid-configuration"):
        return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}.well-known/jwks.json"}
    return {"keys": [KEY.as_dict(private=False)]}


LEFT_OUT = object()
NAN = float("nan")
# Changes of good arguments.
ARGUMENTS = {
    "good": {},
    "no-audience": {"audience": LEFT_OUT},
    "audience-none": {"audience": None},
    "audience-empty": {"audience": ""},
    "audience-number": {"audience": 5},
    "audience-list": {"audience": [AUDIENCE]},
    "no-domain": {"domain": LEFT_OUT},
    "nothing": {"domain": LEFT_OUT, "audience": LEFT_OUT},
    "domain-none": {"domain": None},
    "domain-empty": {"domain": ""},
    "domain-blank": {"domain": "  "},
    "domain-number": {"domain": 5},
    "domain-list": {"domain": [DOMAIN]},
    "domain-upper-case": {"domain": "TENANT.Example"},
    "domain-port": {"domain": "tenant.example:8443"},
    "domain-https": {"domain": ISSUER},
    "domain-http": {"domain": "http://tenant.example"},
    "domain-path": {"domain": "tenant.example/path"},
    "domain-query": {"domain": "tenant.example?x=y"},
    "domain-user": {"domain": "user@tenant.example"},
    "domain-space": {"domain": "tenant example"},
    "domain-not-ascii": {"domain": "t\u00e9nant.example"},
    "domain-underscore": {"domain": "my_tenant.example"},
    "domain-single-label": {"domain": "localhost"},
    "domains": {"domain": LEFT_OUT, "domains": [DOMAIN, "other.example"]},
    "domains-and-domain": {"domains": ["other.example"]},
    "domains-none": {"domain": LEFT_OUT, "domains": None},
    "domains-empty": {"domain": LEFT_OUT, "domains": []},
    "domains-empty-and-domain": {"domains": []},
    "domains-blank": {"domains": [" "]},
    "domains-empty-text": {"domains": [DOMAIN, ""]},
    "domains-number": {"domains": [5]},
    "domains-none-in-list": {"domains": [None]},
    "domains-nested": {"domains": [[DOMAIN]]},
    "domains-text": {"domains": DOMAIN},
    "domains-tuple": {"domains": (DOMAIN,)},
    "domains-set": {"domains": {DOMAIN}},
    "domains-dict": {"domains": {DOMAIN: 1}},
    "domains-five": {"domains": 5},
    "domains-true": {"domains": True},
    "domains-false": {"domains": False},
    "domains-http": {"domains": ["http://tenant.example"]},
    "domains-path": {"domains": ["tenant.example/path"]},
    "domains-user": {"domains": ["user@tenant.example"]},
    "domains-https": {"domains": [ISSUER]},
    "domains-twice": {"domains": [DOMAIN, DOMAIN]},
    "domains-resolver": {"domain": LEFT_OUT, "domains": lambda context: [DOMAIN]},
    "client": {"client_id": "id", "client_secret": "secret"},
    "client-id": {"client_id": "id"},
    "client-secret": {"client_secret": "secret"},
    "client-and-domains": {"client_id": "id", "client_secret": "secret", "domains": [DOMAIN]},
    "client-id-without-domain": {"domain": LEFT_OUT, "domains": [DOMAIN], "client_id": "a"},
    "ttl-0": {"cache_ttl_seconds": 0},
    "ttl-float": {"cache_ttl_seconds": 1.5},
    "ttl-negative": {"cache_ttl_seconds": -1},
    "ttl-text": {"cache_ttl_seconds": "600"},
    "ttl-none": {"cache_ttl_seconds": None},
    "ttl-true": {"cache_ttl_seconds": True},
    "ttl-nan": {"cache_ttl_seconds": NAN},
    "ttl-infinite": {"cache_ttl_seconds": float("inf")},
    "entries-2": {"cache_max_entries": 2},
    "entries-1": {"cache_max_entries": 1},
    "entries-0": {"cache_max_entries": 0},
    "entries-negative": {"cache_max_entries": -5},
    "entries-float": {"cache_max_entries": 2.5},
    "entries-text": {"cache_max_entries": "5"},
    "entries-none": {"cache_max_entries": None},
    "entries-true": {"cache_max_entries": True},
    "dpop-off": {"dpop_enabled": False},
    "dpop-required": {"dpop_required": True},
    "dpop-off-and-required": {"dpop_enabled": False, "dpop_required": True},
    "leeway-0": {"dpop_iat_leeway": 0},
    "leeway-float": {"dpop_iat_leeway": 1.5},
    "leeway-negative": {"dpop_iat_leeway": -1},
    "leeway-text": {"dpop_iat_leeway": "30"},
    "leeway-none": {"dpop_iat_leeway": None},
    "leeway-nan": {"dpop_iat_leeway": NAN},
    "offset-0": {"dpop_iat_offset": 0},
    "offset-negative": {"dpop_iat_offset": -1},
    "offset-text": {"dpop_iat_offset": "300"},
    "offset-none": {"dpop_iat_offset": None},
    "adapter": {"cache_adapter": InMemoryCache()},
    "adapter-object": {"cache_adapter": object()},
    "adapter-dict": {"cache_adapter": {"a": 1}},
    "fetch": {"custom_fetch": fetch},
    "unknown-argument": {"unknown": 1},
}


def calls():
    api_client = sdk.ApiClient(sdk.ApiClientOptions(domain=DOMAIN, audience=AUDIENCE, custom_fetch=fetch))
    required = sdk.ApiClient(sdk.ApiClientOptions(domain=DOMAIN, audience=AUDIENCE, dpop_required=True))
    bearer = {"authorization": f"Bearer {TOKEN}"}
    with_proof = {"authorization": f"DPoP {TOKEN}", "dpop": PROOF}
    verify, token, proof = api_client.verify_request, api_client.verify_access_token, api_client.verify_dpop_proof
    return {
        "request/good": lambda: verify(bearer),
        "request/positional": lambda: verify(bearer, "GET", "https://api.example.com/"),
        "request/capital": lambda: verify({"Authorization": f"Bearer {TOKEN}"}),
        "request/httpx-headers": lambda: verify(httpx.Headers(bearer)),
        "request/starlette-headers": lambda: verify(Headers(bearer)),
        "request/none": lambda: verify({}),
        "request/required-none": lambda: required.verify_request({}),
        "request/required-bearer": lambda: required.verify_request(bearer),
        "request/basic": lambda: verify({"authorization": "Basic abc"}),
        "request/opaque": lambda: verify({"authorization": "Bearer opaque"}),
        "request/dpop-without-method-and-url": lambda: verify(with_proof),
        "request/dpop-without-method": lambda: verify(with_proof, None, "https://api.example.com/"),
        "request/dpop-without-url": lambda: verify(with_proof, "GET"),
        "request/dpop-empty-method": lambda: verify(with_proof, "", "https://api.example.com/"),
        "token/good": lambda: token(TOKEN),
        "token/required-claims": lambda: token(TOKEN, required_claims=["scope", "sub"]),
        "token/required-claims-positional": lambda: token(TOKEN, None, None, ["scope"]),
        "token/required-claim-missing": lambda: token(TOKEN, required_claims=["org_id"]),
        "token/required-claims-missing": lambda: token(TOKEN, required_claims=["org_id", "azp"]),
        "token/required-claims-empty": lambda: token(TOKEN, required_claims=[]),
        "token/empty": lambda: token(""),
        "token/none": lambda: token(None),
        "token/junk": lambda: token("junk"),
        "token/number": lambda: token(5),
        "token/bytes": lambda: token(TOKEN.encode()),
        "token/python-bytes-text": lambda: token(str(TOKEN.encode())),
        "token/with-scheme": lambda: token(f"Bearer {TOKEN}"),
        "proof/no-proof": lambda: proof(TOKEN, "", "GET", "https://api.example.com/"),
        "proof/no-token": lambda: proof("", PROOF, "GET", "https://api.example.com/"),
        "proof/no-method": lambda: proof(TOKEN, PROOF, "", "https://api.example.com/"),
        "proof/no-url": lambda: proof(TOKEN, PROOF, "GET", ""),
        "proof/junk": lambda: proof(TOKEN, "junk", "GET", "https://api.example.com/"),
        "proof/without-jwk": lambda: proof(TOKEN, PROOF, "GET", "https://api.example.com/"),
        "proof/keywords": lambda: proof(access_token=TOKEN, proof=PROOF, http_method="GET", http_url="https://x/"),
        **helpers(),
    }


def helpers():
    act = {"act": {"sub": "a", "act": {"sub": "b", "act": {"sub": "c"}}}}
    cases = {
        "act": act,
        "no-act": {},
        "act-null": {"act": None},
        "act-text": {"act": "a"},
        "act-list": {"act": [{"sub": "a"}]},
        "act-empty": {"act": {}},
        "act-blank-sub": {"act": {"sub": " "}},
        "act-number-sub": {"act": {"sub": 5}},
        "act-bad-within": {"act": {"sub": "a", "act": {"sub": 5}}},
        "no-mapping": None,
        "list": [],
    }
    made = {}
    for name, claims in cases.items():
        made[f"current-actor/{name}"] = lambda claims=claims: fastapi_plugin.get_current_actor(claims)
        made[f"delegation-chain/{name}"] = lambda claims=claims: fastapi_plugin.get_delegation_chain(claims)
    for name, (claims, required) in {
        "both": ({"scope": "a b c"}, ["a", "b"]),
        "lacks-one": ({"scope": "a"}, ["a", "b"]),
        "none-required": ({"scope": "a"}, []),
        "no-claim": ({}, ["a"]),
        "no-claim-none-required": ({}, []),
        "empty-claim": ({"scope": ""}, ["a"]),
        "part-of-a-name": ({"scope": "read:all"}, ["read"]),
    }.items():
        made[f"validate-scopes/{name}"] = lambda claims=claims, required=required: utils.validate_scopes(
            claims, required
        )
    for name, arguments in {
        "three": (401, "invalid_token", "text"),
        "headers": (403, "insufficient_scope", "", {"WWW-Authenticate": "Bearer"}),
        "headers-none": (400, "e", "d", None),
    }.items():
        made[f"http-exception/{name}"] = lambda arguments=arguments: shown(utils.http_exception(*arguments))
    made["http-exception/keywords"] = lambda: shown(
        utils.http_exception(status_code=401, error="a", error_desc="b", headers={"c": "d"})
    )
    return {**made, **caches()}


def shown(exception):
    return [type(exception).__name__, exception.status_code, exception.detail, dict(exception.headers or {})]


def caches():
    def kept():
        cache = InMemoryCache(max_entries=2)
        cache.set("a", {"x": 1})
        cache.set("b", 2, ttl_seconds=100)
        cache.get("a")
        cache.set("c", 3, 100)
        return [cache.get("a"), cache.get("b"), cache.get("c"), cache.delete("a"), cache.get("a"), cache.delete("z")]

    def cleared():
        cache = InMemoryCache()
        cache.set("a", 1)
        return [cache.clear(), cache.get("a")]

    def over():
        cache = InMemoryCache()
        cache.set("a", 1, ttl_seconds=-1)
        return cache.get("a")

    return {
        "cache/kept": kept,
        "cache/cleared": cleared,
        "cache/over": over,
        "cache/positional": lambda: type(InMemoryCache(5)).__name__,
        "cache/no-entries": lambda: type(InMemoryCache(0)).__name__,
        "cache/is-adapter": lambda: isinstance(InMemoryCache(), fastapi_plugin.CacheAdapter),
        "cache/abstract": lambda: fastapi_plugin.CacheAdapter(),
    }


def errors_made():
    class CauseError(Exception):
        error = "e"
        error_description = "d"

    texts = (
        *("VerifyAccessTokenError", "InvalidAuthSchemeError", "InvalidDpopProofError", "ConfigurationError"),
        *("DomainsResolverError", "GetAccessTokenForConnectionError", "GetTokenByExchangeProfileError"),
    )
    made = {name: lambda name=name: made_error(getattr(errors, name)("some text")) for name in texts}
    made["MissingAuthorizationError"] = lambda: made_error(errors.MissingAuthorizationError())
    made["MissingRequiredArgumentError"] = lambda: made_error(errors.MissingRequiredArgumentError("a"), "argument")
    made["MissingRequiredArgumentError-text"] = lambda: made_error(
        errors.MissingRequiredArgumentError("a", "text"), "argument"
    )
    api = ("code", "status_code", "error", "error_description")
    made["ApiError"] = lambda: made_error(errors.ApiError("code", "text"), *api)
    made["ApiError-status"] = lambda: made_error(errors.ApiError("code", "text", 418), *api)
    made["ApiError-cause"] = lambda: made_error(errors.ApiError("code", "text", 502, CauseError("x")), *api)
    made["ApiError-keywords"] = lambda: made_error(
        errors.ApiError(code="c", message="m", status_code=400, cause=None), *api
    )
    return {f"error/{name}": call for name, call in made.items()}


def made_error(error, *more):
    return {**raised(error), **{f".{name}": getattr(error, name) for name in more}}


def callables():
    found = {
        "Auth0FastAPI": Auth0FastAPI,
        "Auth0FastAPI.require_auth": Auth0FastAPI.require_auth,
        "ApiClient": sdk.ApiClient,
        "ApiClientOptions": sdk.ApiClientOptions,
        "InMemoryCache": InMemoryCache,
        "get_current_actor": fastapi_plugin.get_current_actor,
        "get_delegation_chain": fastapi_plugin.get_delegation_chain,
        "get_canonical_url": utils.get_canonical_url,
        "http_exception": utils.http_exception,
        "validate_scopes": utils.validate_scopes,
    }
    for method in (
        *("get_access_token_for_connection", "get_token_by_exchange_profile", "get_token_on_behalf_of"),
        *("is_dpop_required", "verify_access_token", "verify_dpop_proof", "verify_request"),
    ):
        found[f"ApiClient.{method}"] = getattr(sdk.ApiClient, method)
    for kind in (fastapi_plugin.CacheAdapter, InMemoryCache):
        for method in ("get", "set", "delete", "clear"):
            found[f"{kind.__name__}.{method}"] = getattr(kind, method)
    for name in ERRORS:
        found[name] = getattr(errors, name)
    for method in ("get_status_code", "get_error_code", "get_error_description", "get_headers"):
        found[f"BaseAuthError.{method}"] = getattr(errors.BaseAuthError, method)
    return found


ERRORS = (
    *("ApiError", "BaseAuthError", "ConfigurationError", "DomainsResolverError", "GetAccessTokenForConnectionError"),
    *("GetTokenByExchangeProfileError", "InvalidAuthSchemeError", "InvalidDpopProofError"),
    *("MissingAuthorizationError", "MissingRequiredArgumentError", "VerifyAccessTokenError"),
)


def parameters(found):
    """What can be given by position, in order, with defaults. More is fine if it goes by keyword alone."""
    told = []
    for parameter in inspect.signature(found).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            told.append(parameter.name + ("" if parameter.default is parameter.empty else f"={default(parameter)}"))
    kind = "async " if inspect.iscoroutinefunction(found) else ""
    return f"{kind}({', '.join(told)})"


def default(parameter):
    return repr(parameter.default) if isinstance(parameter.default, (str, int, float, type(None))) else "something"


def names():
    """Whether what users import is there."""
    modules = {
        "fastapi_plugin": (fastapi_plugin, FACADE),
        "fastapi_plugin.fast_api_client": (fast_api_client, CLIENT),
        "fastapi_plugin.utils": (utils, ("get_canonical_url", "http_exception", "validate_scopes")),
        "sdk": (sdk, SDK),
        "errors": (errors, ERRORS),
    }
    return {f"{module}.{name}": hasattr(found, name) for module, (found, listed) in modules.items() for name in listed}


FACADE = (
    *("ApiError", "Auth0FastAPI", "BaseAuthError", "CacheAdapter", "ConfigurationError", "DomainsResolver"),
    *("DomainsResolverContext", "DomainsResolverError", "GetTokenByExchangeProfileError", "InMemoryCache"),
    *("MissingRequiredArgumentError", "OnBehalfOfTokenResult", "VerifyAccessTokenError", "get_current_actor"),
    "get_delegation_chain",
)
# What the module has, and so what users' tests patch or import.
CLIENT = (
    *("ApiClient", "ApiClientOptions", "Auth0FastAPI", "BaseAuthError", "CacheAdapter"),
    *("get_canonical_url", "http_exception", "validate_scopes"),
)
SDK = (
    *("ApiClient", "ApiClientOptions", "ApiError", "CacheAdapter", "ConfigurationError", "DomainsResolver"),
    *("DomainsResolverContext", "DomainsResolverError", "GetTokenByExchangeProfileError", "InMemoryCache"),
    *("OnBehalfOfTokenResult", "get_current_actor", "get_delegation_chain"),
)


if __name__ == "__main__":
    main()
