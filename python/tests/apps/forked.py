"""A guarded app for servers of several processes. In the environment: DOMAIN, AUDIENCE; TOKEN, if it is to be busy."""

import asyncio
import os
import threading

from fastapi import Depends, FastAPI

from bearward import InMemoryCache
from bearward.fastapi import Auth0FastAPI

domain, token = os.environ["DOMAIN"], os.environ.get("TOKEN")


def resolve(context):
    return [domain]


cache = InMemoryCache()
auth0 = Auth0FastAPI(domains=resolve, audience=os.environ["AUDIENCE"], cache_adapter=cache, resolver_ttl_seconds=0.001)
app = FastAPI()


@app.get("/private")
async def private(claims: dict = Depends(auth0.require_auth())):
    return {"pid": os.getpid(), "sub": claims["sub"], "loaded_by": LOADED_BY}


async def be_busy(ready):
    while True:
        await auth0.api_client.verify_access_token(token)
        ready.set()
        cache.get("x")
        await asyncio.sleep(0)


LOADED_BY = os.getpid()
if token is not None:
    # With `--preload` the server forks its workers while these are at it, in loops of their own.
    flags = [threading.Event() for _ in range(3)]
    for flag in flags:
        threading.Thread(target=asyncio.run, args=(be_busy(flag),), daemon=True).start()
    for flag in flags:
        flag.wait(10)
