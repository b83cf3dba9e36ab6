"""A FastAPI app with public, private and scoped routes."""

import os

from dotenv import load_dotenv
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_plugin import Auth0FastAPI

load_dotenv()  # reads .env; what the environment already has stays

app = FastAPI(title="Bearward example")
auth0 = Auth0FastAPI()  # AUTH0_DOMAIN and AUTH0_AUDIENCE

# Behind a proxy that writes X-Forwarded-Proto, -Host and -Prefix: DPoP proofs name the URL in front of it.
app.state.trust_proxy = os.environ.get("TRUST_PROXY") == "1"

# Lets a single-page app on another origin send tokens and DPoP proofs, and read why one was refused and which nonce
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
    return {"sub": claims["sub"], "scope": claims.get("scope")}
