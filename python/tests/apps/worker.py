"""A guarded app for tests with several processes: `WORKER` in the environment is JSON of what it needs."""

import json
import os

import redis.asyncio
from fastapi import Depends, FastAPI

from bearward import RedisReplayStore
from bearward.fastapi import Auth0FastAPI

given = json.loads(os.environ["WORKER"])


async def fetch(url):
    return given["documents"][url]


store = RedisReplayStore(redis.asyncio.Redis(port=given["redis_port"]))
auth0 = Auth0FastAPI(
    domain=given["domain"],
    audience=given["audience"],
    custom_fetch=fetch,
    dpop_replay=store,
    public_origin="https://api.example.com",
)
app = FastAPI()


@app.get("/private")
async def private(claims: dict = Depends(auth0.require_auth())):
    return {"sub": claims["sub"]}
