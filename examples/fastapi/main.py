"""A FastAPI app with public, private and scoped routes."""

import os

import httpx
from dotenv import load_dotenv
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi_plugin import ApiError, Auth0FastAPI, get_current_actor

load_dotenv()  # reads .env; variables that are set already keep their values

app = FastAPI(title="Bearward example")
auth0 = Auth0FastAPI(  # reads AUTH0_DOMAIN and AUTH0_AUDIENCE; the client is only for /api/onward
    client_id=os.environ.get("AUTH0_CLIENT_ID"),
    client_secret=os.environ.get("AUTH0_CLIENT_SECRET"),
    token_cache=True,
)

# Behind a proxy that writes X-Forwarded-Proto, -Host and -Prefix: DPoP proofs name the URL that clients use.
app.state.trust_proxy = os.environ.get("TRUST_PROXY") == "1"

# A single-page app on another origin may send tokens and DPoP proofs. It may read why one was refused, and which nonce
# the next proof needs.
app.add_middleware(
    CORSMiddleware,
    allow_origins=os.environ.get("ALLOWED_ORIGINS", "http://localhost:3000,http://localhost:5173").split(","),
    allow_methods=["GET"],
    allow_headers=["Authorization", "DPoP"],
    expose_headers=["WWW-Authenticate", "DPoP-Nonce"],
)


@app.get("/api/public")
async def public() -> dict:
    return {"message": "Anyone can read this."}


@app.get("/api/private")
async def private(claims: dict = Depends(auth0.require_auth())) -> dict:
    return {"sub": claims["sub"]}


@app.get("/api/messages")
async def messages(claims: dict = Depends(auth0.require_auth(scopes="read:messages"))) -> dict:
    return {"messages": [f"Hello, {claims['sub']}."]}


@app.get("/api/profile")
async def profile(claims: dict = Depends(auth0.require_auth())) -> dict:
    return {"sub": claims["sub"], "scope": claims.get("scope"), "actor": get_current_actor(claims)}


@app.get("/api/onward")
async def onward(request: Request, _claims: dict = Depends(auth0.require_auth())) -> JSONResponse:
    """The response of OTHER_API for the same user, with a token for OTHER_AUDIENCE that this API gets for them."""
    users_token = request.headers["authorization"].split()[1]
    try:
        granted = await auth0.api_client.get_token_on_behalf_of(users_token, audience=os.environ["OTHER_AUDIENCE"])
    except ApiError as error:  # the tenant refused, or did not answer
        raise HTTPException(502, {"error": error.code, "error_description": error.message}) from None
    async with httpx.AsyncClient(base_url=os.environ["OTHER_API"]) as other:
        answer = await other.get("/api/profile", headers={"Authorization": f"Bearer {granted['access_token']}"})
    return JSONResponse(answer.json(), answer.status_code)
