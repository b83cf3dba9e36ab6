"""The example, as a newcomer runs it: configured by the environment."""

import runpy
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from support import AUDIENCE, Prover

MAIN = Path(__file__).resolve().parents[2] / "examples" / "fastapi" / "main.py"


@pytest.fixture
def example(https_issuer, monkeypatch):
    monkeypatch.setenv("AUTH0_DOMAIN", https_issuer.tenant.domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    return TestClient(runpy.run_path(str(MAIN))["app"])


def test_routes(example, https_issuer):
    tenant = https_issuer.tenant
    sub = "auth0|1234"
    assert example.get("/api/public").status_code == 200
    assert example.get("/api/private").status_code == 400
    assert example.get("/api/private", headers=tenant.authorization()).json() == {"sub": sub}
    assert example.get("/api/messages", headers=tenant.authorization()).status_code == 200
    assert example.get("/api/messages", headers=tenant.authorization(scope="openid")).status_code == 403
    dpop = Prover(tenant).headers("http://testserver/api/private")
    assert [example.get("/api/private", headers=dpop).status_code for _ in range(2)] == [200, 400]
    profile = example.get("/api/profile", headers=tenant.authorization(scope="openid")).json()
    assert profile == {"sub": sub, "scope": "openid", "actor": None}


def test_a_single_page_app_may_call(example):
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,dpop",
    }
    answer = example.options("/api/private", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    refused = example.get("/api/private", headers={"Origin": "http://localhost:5173"})
    assert refused.headers["access-control-expose-headers"] == "WWW-Authenticate, DPoP-Nonce"
    other = example.options("/api/private", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
