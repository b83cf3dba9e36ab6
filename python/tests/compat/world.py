"""The issuers that the corpus needs, and who signs what for it."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
import warnings
from pathlib import Path

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from compat.cases import ORIGIN
from support import AUDIENCE, HttpsIssuer, Prover, Tenant, b64

OTHER_AUDIENCE = "https://other.example.com"


class World:
    """Two issuers behind https on loopback, `a` and `b`; one that nobody configured, `foreign`; and a client."""

    def __init__(self, folder):
        self.issuers = []
        for name in "ab":
            (folder / name).mkdir()
            self.issuers.append(HttpsIssuer(folder / name))
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(b"".join(issuer.ca_file.read_bytes() for issuer in self.issuers))
        self.a, self.b = (issuer.tenant for issuer in self.issuers)
        self.a.key = new_key("key-1")
        self.b.key = new_key("key-1")
        self.foreign = Tenant("foreign.example", self.a.key)
        self.prover = Prover(self.a)

    @property
    def domains(self):
        return [self.a.domain, self.b.domain]

    def good_headers(self, path="/private", *, method="GET", token=None, origin=ORIGIN, **proof):
        """A request in the DPoP scheme with everything right, unless told otherwise."""
        token = token or self.prover.token()
        return [
            ("Authorization", f"DPoP {token}"),
            ("DPoP", self.prover.proof(token, f"{origin}{path}", method, **proof)),
        ]

    def answer_with(self, documents):
        """What issuer `a` answers from now on; of paths that aren't named, what it usually does."""
        self.issuers[0].answers = documents or {}


@contextlib.contextmanager
def world():
    with tempfile.TemporaryDirectory() as folder:
        made = World(Path(folder))
        try:
            yield made
        finally:
            for issuer in made.issuers:
                issuer.close()


def new_key(kid, bits=2048):
    with warnings.catch_warnings():
        # joserfc warns of keys that are too weak; one here is, on purpose.
        warnings.simplefilter("ignore", SecurityWarning)
        return RSAKey.generate_key(bits, {"kid": kid, "use": "sig", "alg": "RS256"})


def sign(header, payload, key, alg="RS256"):
    """A compact JWS over any bytes, right or wrong; texts and objects become bytes."""
    signing_input = f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}"
    signature = JWSRegistry.algorithms[alg].sign(signing_input.encode(), key)
    return f"{signing_input}.{b64(signature)}"


def as_bytes(part):
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else json.dumps(part)).encode()


def claims_of(tenant, **claims):
    now = int(time.time())
    claims = {"iss": tenant.issuer, "sub": "auth0|1234", "aud": AUDIENCE, "iat": now, "exp": now + 3600, **claims}
    return {name: value for name, value in claims.items() if value is not None}


HEADER = {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
HMAC_KEY = OctKey.import_key("a secret that somebody wrote into a test")
EC_KEY = ECKey.generate_key("P-256", {"kid": "key-1", "use": "sig", "alg": "ES256"})
