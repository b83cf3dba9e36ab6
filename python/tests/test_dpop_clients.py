"""Proofs made by clients that we did not write: npm's `dpop` and `jose`, Python's joserfc and Authlib."""

import hashlib
import json
import subprocess
import time
import uuid
import warnings
from contextlib import ExitStack

import httpx
import joserfc.jwk
import joserfc.jwt
import pytest

from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, JS, Tenant, b64, running


class Joserfc:
    """As its manual says to make a JWT."""

    def __init__(self, alg):
        self.alg = alg
        self.key = joserfc.jwk.ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[alg])
        self.jkt = self.key.thumbprint()

    def proof(self, token, htu, htm, nonce=None):
        header = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.key.as_dict(private=False)}
        return joserfc.jwt.encode(header, _claims(token, htu, htm, nonce), self.key, algorithms=[self.alg])

    def send(self, url, method, token, proof):
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        answer = httpx.request(method, url, headers=headers, timeout=60)
        return {"status": answer.status_code, "nonce": answer.headers.get("dpop-nonce"), "body": answer.text}

    def close(self):
        pass


class Authlib(Joserfc):
    def __init__(self, alg):
        # At its first import, this sets a filter.
        import authlib.deprecate

        with warnings.catch_warnings():
            # Authlib points to joserfc. It is another implementation all the same.
            warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
            from authlib import jose
        self.alg = alg
        self.jwt = jose.JsonWebToken([alg])
        self.key = self._generate(jose.ECKey)
        self.jkt = self.key.thumbprint()

    def _generate(self, kind):
        # Authlib drops leading zero octets of a coordinate, which happens to one key in 128.
        # RFC 7518 section 6.2.1.2 forbids that, and Bearward refuses such a key.
        crv, length = {"ES256": ("P-256", 43), "ES384": ("P-384", 64)}[self.alg]
        while True:
            key = kind.generate_key(crv, is_private=True)
            jwk = key.as_dict(is_private=False)
            if len(jwk["x"]) == len(jwk["y"]) == length:
                return key

    def proof(self, token, htu, htm, nonce=None):
        header = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.key.as_dict(is_private=False)}
        return self.jwt.encode(header, _claims(token, htu, htm, nonce), self.key).decode()


def _claims(token, htu, htm, nonce):
    hashed = b64(hashlib.sha256(token.encode()).digest())
    claims = {"jti": str(uuid.uuid4()), "htm": htm, "htu": htu, "iat": int(time.time()), "ath": hashed}
    return claims if nonce is None else {**claims, "nonce": nonce}


class Node:
    """A node process that makes proofs and sends requests."""

    def __init__(self, maker, alg):
        self.node = subprocess.Popen(
            ["node", "client.mjs"],  # noqa: S607 - the one on the path
            cwd=JS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.jkt = self._ask("key", maker=maker, alg=alg)["jkt"]

    def proof(self, token, htu, htm, nonce=None):
        wanted = {"token": token, "htu": htu, "htm": htm}
        return self._ask("proof", **(wanted if nonce is None else {**wanted, "nonce": nonce}))["proof"]

    def send(self, url, method, token, proof):
        return self._ask("send", url=url, method=method, token=token, proof=proof)

    def _ask(self, command, **wanted):
        self.node.stdin.write(json.dumps({"command": command, **wanted}) + "\n")
        self.node.stdin.flush()
        answer = self.node.stdout.readline()
        assert answer, f"node ended with {self.node.wait(10)}"
        return json.loads(answer)

    def close(self):
        self.node.stdin.close()
        self.node.wait(10)
        self.node.stdout.close()


CLIENTS = {
    "npm_dpop": lambda alg: Node("dpop", alg),
    "npm_jose": lambda alg: Node("jose", alg),
    "joserfc": Joserfc,
    "authlib": Authlib,
}


@pytest.fixture(params=CLIENTS)
def make(request):
    """Makes clients of one kind."""
    if request.param.startswith("npm"):
        request.getfixturevalue("npm_packages")
    made = []

    def make(alg="ES256"):
        made.append(CLIENTS[request.param](alg))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def server():
    """Apps under uvicorn; gives the URL of the app with these options."""
    tenant, started = Tenant(), {}
    with ExitStack() as stack:

        def server(**options):
            key = repr(sorted(options.items()))
            if key not in started:
                auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
                started[key] = stack.enter_context(running(guarded_app(auth0)))
            return f"http://127.0.0.1:{started[key]}/private"

        server.tenant = tenant
        yield server


def test_pass_and_fail_as_they_should(make, server):
    url, client = server(), make()
    token = server.tenant.token(cnf={"jkt": client.jkt})
    good = client.proof(token, url, "GET")
    assert client.send(url, "GET", token, good)["status"] == 200

    def refused(status, text, proof, method="GET", path="/private", token=token):
        answer = client.send(url.replace("/private", path), method, token, proof)
        assert answer["status"] == status, answer
        assert text in answer["body"]

    other = server.tenant.token(cnf={"jkt": client.jkt}, sub="other")
    refused(400, "already used", good)
    refused(400, "htu mismatch", client.proof(token, url, "GET"), path="/sync")
    refused(400, "htm mismatch", client.proof(token, url, "POST"))
    refused(400, "ath mismatch", client.proof(other, url, "GET"))
    refused(401, "confirmation mismatch", make().proof(token, url, "GET"))
    unbound = server.tenant.token()
    refused(401, "no jkt confirmation", client.proof(unbound, url, "GET"), token=unbound)
    head, payload, signature = client.proof(token, url, "GET").split(".")
    refused(400, "signature verification failed", f"{head}.{payload}.{signature[::-1]}")
    # A query is no part of it.
    assert client.send(url + "?a=b", "GET", token, client.proof(token, url, "GET"))["status"] == 200


def test_a_client_learns_the_nonce(make, server):
    url, client = server(dpop_nonce=True), make()
    token = server.tenant.token(cnf={"jkt": client.jkt})
    asked = client.send(url, "GET", token, client.proof(token, url, "GET"))
    assert asked["status"] == 401
    again = client.send(url, "GET", token, client.proof(token, url, "GET", asked["nonce"]))
    assert again["status"] == 200


@pytest.mark.parametrize(
    ("make", "alg"),
    [
        ("npm_dpop", "RS256"),
        ("npm_dpop", "PS256"),
        ("npm_jose", "ES384"),
        ("npm_jose", "RS256"),
        ("npm_jose", "PS256"),
        ("npm_jose", "EdDSA"),
        ("joserfc", "ES384"),
        ("authlib", "ES384"),
    ],
    indirect=["make"],
)
def test_other_algorithms(make, server, alg):
    client = make(alg)
    token = server.tenant.token(cnf={"jkt": client.jkt})
    for options, status in (({}, 400), ({"dpop_algorithms": ("ES256", alg)}, 200)):
        url = server(**options)
        answer = client.send(url, "GET", token, client.proof(token, url, "GET"))
        assert answer["status"] == status, answer
