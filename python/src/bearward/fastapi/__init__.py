"""The FastAPI guard.

auth0 = Auth0FastAPI(domain="tenant.auth0.com", audience="https://api.example.com")

@app.get("/messages")
async def messages(claims: dict = Depends(auth0.require_auth(scopes="read:messages"))): ...
"""

from bearward._asgi.decisions import Decision
from bearward._asgi.memory import claims_of
from bearward._asgi.url import get_canonical_url
from bearward.fastapi.answer import AuthHTTPException, http_exception
from bearward.fastapi.guard import Auth0FastAPI, Guard
from bearward.fastapi.require_auth import RequireAuth
from bearward.scopes import validate_scopes

__all__ = [
    "Auth0FastAPI",
    "AuthHTTPException",
    "Decision",
    "Guard",
    "RequireAuth",
    "claims_of",
    "get_canonical_url",
    "http_exception",
    "validate_scopes",
]
