"""What an import of the package loads besides FastAPI."""

import os
import subprocess
import sys

import pytest

# Needed once something is fetched, or configured. They take longer to import than all of the package; ours cost memory.
LATER = {
    "bearward._driver.bounded_store",
    "bearward._driver.exchange",
    "bearward._driver.introspect",
    "bearward._driver.resolver",
    "bearward._driver.shared_cache",
    "bearward.fastapi.responses",
    "bearward.redis_cache",
    "bearward.redis_replay",
    "certifi",
    "concurrent.futures.thread",
    "cryptography",
    "http.cookiejar",
    "httpcore",
    "httpx",
    "opentelemetry",
    "redis",
    "urllib.request",
}

GUARD = """
from bearward.fastapi import Auth0FastAPI
auth0 = Auth0FastAPI(domain="tenant.example.com", audience="https://api.example.com", client_id="a", client_secret="b")
auth0.require_auth("read:messages")
"""


@pytest.mark.parametrize("code", ["import bearward.fastapi", "import fastapi_plugin", GUARD])
def test_what_is_needed_later_is_not_imported(code):
    script = f"import sys, fastapi\nbefore = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603
    loaded = set(run.stdout.split())
    assert "bearward._native" in loaded
    assert not loaded & LATER


def test_it_is_imported_when_a_document_is_fetched():
    script = f"import asyncio, sys\n{GUARD}\nprint(asyncio.run(auth0.warm()), 'httpx' in sys.modules)"
    # Nobody listens there.
    environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9"}
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment)  # noqa: S603
    assert run.stdout.split() == ["False", "True"]
