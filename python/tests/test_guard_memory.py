"""What guards of one request know of each other, and that nobody else profits from it."""

import asyncio
import copy

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from bearward.fastapi import Auth0FastAPI, claims_of
from support import AUDIENCE

BATCH = "http://testserver/batch"


def batching_app(auth0, change, verify_first=True):
    """`POST /batch` calls the app again with a copy of its scope that `change` has changed; gives that status."""
    app = FastAPI()

    async def call_again(request: Request):
        scope = {**request.scope, **change}
        statuses = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await app(scope, receive, send)
        return statuses

    guards = [Depends(auth0.require_auth())] if verify_first else []

    @app.post("/batch", dependencies=guards)
    async def batch(request: Request):
        return await call_again(request)

    @app.get("/admin", dependencies=[Depends(auth0.require_auth())])
    @app.post("/admin", dependencies=[Depends(auth0.require_auth())])
    @app.get("/batch", dependencies=[Depends(auth0.require_auth())])
    async def admin():
        return {}

    return TestClient(app)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET", "path": "/admin", "raw_path": b"/admin"},
        {"path": "/admin", "raw_path": b"/admin"},
        {"method": "GET"},
    ],
    ids=["method_and_path", "path", "method"],
)
def test_a_proof_is_not_good_for_another_route_by_a_copied_scope(auth0, prover, change):
    client = batching_app(auth0, change)
    answer = client.post("/batch", headers=prover.headers(BATCH, htm="POST"))
    assert (answer.status_code, answer.json()) == (200, [400])


def test_a_proof_is_not_good_for_another_host_by_a_copied_scope(auth0, prover):
    headers = prover.headers(BATCH, htm="POST")
    fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    client = batching_app(auth0, {"method": "GET", "headers": [(b"host", b"other.example"), *fields]})
    assert client.post("/batch", headers=headers).json() == [400]


def test_a_bearer_token_is_good_for_both_routes(auth0, tenant):
    client = batching_app(auth0, {"method": "GET", "path": "/admin", "raw_path": b"/admin"})
    assert client.post("/batch", headers=tenant.authorization()).json() == [200]


def test_what_was_verified_is_there_for_later_code_as_a_copy(auth0, tenant):
    app = FastAPI()
    seen = []

    @app.middleware("http")
    async def log(request, call_next):
        answer = await call_next(request)
        seen.append(claims_of(request))
        return answer

    @app.get("/private")
    async def private(claims: dict = Depends(auth0.require_auth())):
        claims["sub"] = "changed"

    @app.get("/public")
    async def public():
        pass

    client = TestClient(app)
    client.get("/private", headers=tenant.authorization())
    client.get("/public", headers=tenant.authorization())
    client.get("/private", headers=tenant.authorization(exp=1))
    assert [claims and claims["sub"] for claims in seen] == ["auth0|1234", None, None]


def test_what_an_app_does_to_its_claims_is_not_seen_by_another_request(auth0, tenant):
    app = FastAPI()

    def spoil(claims):
        claims.update(sub="changed", more=1)
        claims["permissions"].append("admin")
        claims["https://example.com/org"]["roles"][0]["name"] = "admin"
        claims["https://example.com/org"]["new"] = 1
        del claims["scope"]

    @app.get("/")
    async def route(request: Request, claims: dict = Depends(auth0.require_auth())):
        before = copy.deepcopy(claims)
        spoil(claims)
        spoil(claims_of(request))
        return before

    # The engine remembers a token from its second sight on.
    token = tenant.authorization(
        permissions=["read"],
        **{"https://example.com/org": {"roles": [{"name": "member"}], "n": [1, 1.5, None, True, {}]}},
    )
    answers = [TestClient(app).get("/", headers=token).json() for _ in range(6)]
    assert answers == [answers[0]] * 6
    assert answers[0]["permissions"] == ["read"]
    assert answers[0]["https://example.com/org"] == {"roles": [{"name": "member"}], "n": [1, 1.5, None, True, {}]}


def test_claims_are_not_those_of_other_credentials(auth0, tenant):
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b""}
    field = (b"authorization", tenant.authorization()["Authorization"].encode())
    request = Request({**scope, "headers": [field]})
    asyncio.run(auth0.require_auth()(request))
    assert claims_of(request)["sub"] == "auth0|1234"
    assert claims_of(Request({**request.scope, "headers": []})) is None


def test_two_apis_in_one_request_are_verified_each(auth0, tenant):
    other = Auth0FastAPI(domain=tenant.domain, audience="https://other.example", custom_fetch=tenant.fetch)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])

    @app.get("/", dependencies=[Depends(other.require_auth()), Depends(auth0.require_auth())])
    async def route():
        return {}

    client = TestClient(app)
    assert client.get("/", headers=tenant.authorization()).status_code == 401
    assert client.get("/", headers=tenant.authorization(aud=[AUDIENCE, "https://other.example"])).status_code == 200
