"""The product's own tenant, `bearward issuer`, as the tests start it and what they ask of it."""

import contextlib

import local
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OTHER_AUDIENCE = "https://other.example.com"
PROFILE = "urn:acme:legacy-token"
SCOPE = "read:messages"
CLIENT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class LocalTenant(local.LocalTenant):
    """What the tests ask of a running `bearward issuer`."""

    def token(self, **order):
        return self.order_token(**order)

    def authorization(self, **order):
        return {"Authorization": f"Bearer {self.token(**order)}"}

    def behave(self, document, behaviour):
        self.admin(f"behaviour/{document}", behaviour)

    def asked(self):
        """How often each document was asked for."""
        counts = self.admin("requests", method="GET")
        return {document: counts[document]["total"] for document in ("discovery", "jwks")}

    def exchanges(self):
        """How often it was asked for a token."""
        return self.admin("requests", method="GET")["token"]["total"]


@contextlib.contextmanager
def running_tenant(folder):
    """A local tenant of its own process, with everything that the tests need; what it says goes to `folder`."""
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    public_key = folder / "client.pem"
    public_key.write_bytes(CLIENT_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    flows = ["--exchange-profile", PROFILE, "--connection", "google-oauth2=openid calendar"]
    api = ["--audience", OTHER_AUDIENCE, "--scope", SCOPE, "--client-public-key", str(public_key)]
    with (folder / "log").open("w") as log, local.tenant(log, *flows, *api) as started:
        yield LocalTenant(*started)


def at_its_best(tenant, monkeypatch):
    """The tenant as it was at its start, but for its keys, and httpx takes its certificates."""
    tenant.admin("recover")
    tenant.admin("requests/reset")
    monkeypatch.setenv("SSL_CERT_FILE", tenant.ca_file)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tenant
