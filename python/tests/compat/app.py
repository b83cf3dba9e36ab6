"""The app that both SDKs guard: the same source, run in two environments. Only `fastapi_plugin` differs.

One process serves all configurations, each as an app of its own; a request names the one it is for. The environment
variable COMPAT_CONFIGURATIONS is the path of a JSON file: configurations by name, see `corpus/configurations.py`.
"""

import functools
import json
import os
import threading
from pathlib import Path

import httpx
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse

from fastapi_plugin import Auth0FastAPI, CacheAdapter, InMemoryCache

CONFIGURATIONS = json.loads(Path(os.environ["COMPAT_CONFIGURATIONS"]).read_text(encoding="utf-8"))
ISSUERS = os.environ["COMPAT_ISSUERS"].split()


class JsonCache(CacheAdapter):
    """As users write one for Redis: all it keeps is text."""

    def __init__(self):
        self.entries = {}

    def get(self, key):
        text = self.entries.get(key)
        return None if text is None else json.loads(text)

    def set(self, key, value, ttl_seconds=None):
        self.entries[key] = json.dumps(value)

    def delete(self, key):
        self.entries.pop(key, None)

    def clear(self):
        self.entries.clear()


class BrokenCache(JsonCache):
    def get(self, key):
        raise ConnectionError("the cache is down")


class JunkCache(JsonCache):
    def get(self, key):
        return "junk"


async def fetch_response(url, **kwargs):
    async with httpx.AsyncClient() as client:
        return await client.get(url)


async def fetch_dict(url, **kwargs):
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).raise_for_status().json()


async def fetch_nothing(url, **kwargs):
    raise ConnectionError(f"no way to {url}")


def resolve_all(context):
    return ISSUERS


async def resolve_all_async(context):
    return ISSUERS


def resolve_by_host(context):
    """A brand for each host, as in the old SDK's guide."""
    host = (context.get("request_headers") or {}).get("host")
    return [ISSUERS[1]] if host == "brand.example" else [ISSUERS[0]]


def resolve_by_issuer(context):
    return ISSUERS[:1] if context["unverified_iss"] == f"https://{ISSUERS[0]}/" else ["other.example"]


def resolve_by_url(context):
    return ISSUERS[:1] if context["request_url"].startswith("http://api.example.com/private") else ["other.example"]


def resolve_in_the_main_thread(context):
    return ISSUERS if threading.current_thread() is threading.main_thread() else ["other.example"]


async def resolve_in_the_main_thread_async(context):
    return resolve_in_the_main_thread(context)


class Resolver:
    async def __call__(self, context):
        return ISSUERS


def resolve_by_credentials(context):
    return ISSUERS if "authorization" in context["request_headers"] else ["other.example"]


def resolve_urls(context):
    return [f"https://{issuer}/" for issuer in ISSUERS]


def resolver_raises(context):
    raise LookupError("no such tenant: secret-database-host")


async def resolver_raises_async(context):
    raise LookupError("no such tenant: secret-database-host")


def gives(value):
    return lambda context: value


# What JSON can't say, by name.
VALUES = {
    "fetch_response": fetch_response,
    "fetch_dict": fetch_dict,
    "fetch_nothing": fetch_nothing,
    "resolve_all": resolve_all,
    "resolve_all_async": resolve_all_async,
    "resolve_by_host": resolve_by_host,
    "resolve_by_issuer": resolve_by_issuer,
    "resolve_by_url": resolve_by_url,
    "resolve_in_the_main_thread": resolve_in_the_main_thread,
    "resolve_in_the_main_thread_async": resolve_in_the_main_thread_async,
    "resolve_by_object": Resolver(),
    "resolve_by_partial": functools.partial(resolve_all_async),
    "resolve_by_lambda": lambda context: resolve_all_async(context),
    "resolve_by_credentials": resolve_by_credentials,
    "resolve_urls": resolve_urls,
    "resolver_raises": resolver_raises,
    "resolver_raises_async": resolver_raises_async,
    "resolve_none": gives(None),
    "resolve_text": gives("tenant.example"),
    "resolve_tuple": gives(("tenant.example",)),
    "resolve_empty": gives([]),
    "resolve_blank": gives([" "]),
    "resolve_number": gives([5]),
    "resolve_http": gives(["http://tenant.example"]),
    "resolve_path": gives(["tenant.example/path"]),
    "resolve_other": gives(["other.example"]),
    "json_cache": JsonCache(),
    "broken_cache": BrokenCache(),
    "junk_cache": JunkCache(),
    "small_cache": InMemoryCache(max_entries=2),
}


def build(configuration):
    """An app with every kind of guarded route. Arguments that begin with "=" are names of `VALUES`."""
    arguments = {
        name: VALUES[value[1:]] if isinstance(value, str) and value.startswith("=") else value
        for name, value in configuration["arguments"].items()
    }
    auth0 = Auth0FastAPI(**arguments)
    app = FastAPI(root_path=configuration.get("root_path", ""))
    if "trust_proxy" in configuration:
        app.state.trust_proxy = configuration["trust_proxy"]
    if configuration.get("handler"):

        @app.exception_handler(HTTPException)
        async def on_refusal(request, refusal):
            return JSONResponse({"mine": refusal.detail}, refusal.status_code, headers=refusal.headers)

    add_routes(app, auth0)
    return mounted(app, configuration["mount"]) if "mount" in configuration else app


def mounted(app, path):
    outer = FastAPI()
    outer.mount(path, app)
    return outer


def add_routes(app, auth0):
    @app.api_route("/private", methods=["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
    async def private(claims: dict = Depends(auth0.require_auth())):
        return claims

    @app.get("/sync")
    def sync(claims: dict = Depends(auth0.require_auth())):
        return claims

    @app.get("/items/{name:path}")
    async def items(name: str, claims: dict = Depends(auth0.require_auth())):
        return {"name": name, "sub": claims["sub"]}

    @app.get("/decorated", dependencies=[Depends(auth0.require_auth())])
    async def decorated():
        return {"ok": True}

    @app.get("/messages")
    async def messages(claims: dict = Depends(auth0.require_auth(scopes="read:messages"))):
        return claims

    @app.get("/both")
    async def both(claims: dict = Depends(auth0.require_auth(scopes=["read:messages", "write:messages"]))):
        return claims

    @app.get("/spaced")
    async def spaced(claims: dict = Depends(auth0.require_auth(scopes="read:messages openid"))):
        return claims

    @app.get("/nested")
    async def nested(
        first: dict = Depends(auth0.require_auth()), second: dict = Depends(auth0.require_auth("read:messages"))
    ):
        return [first["sub"], second["sub"]]

    @app.get("/public")
    async def public():
        return {"ok": True}


built = {}


async def app(scope, receive, send):
    """Hand the request to the app of the configuration that it names; each is built when it is first asked for."""
    name = dict(scope["headers"])[b"compat-configuration"].decode()
    if name not in built:
        # What stands behind "@" makes a case have an app of its own, and so caches of its own.
        built[name] = build(CONFIGURATIONS[name.split("@")[0]])
    await built[name](scope, receive, send)
