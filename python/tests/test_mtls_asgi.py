"""Tokens that are bound to a client's certificate, at the guards of ASGI apps and of MCP servers. RFC 8705."""

import logging
import ssl

import httpx
import pytest

import bearward.mcp
from asgi_apps import plain
from bearward import ApiClient, ApiClientOptions
from bearward.asgi import AuthMiddleware
from bearward.fastmcp import BearwardProvider
from mcp_servers import HEADERS, HELLO, fast_app, sdk_app
from support import free_port, running
from test_mtls import WithTlsExtension, code_of, other, own  # noqa: F401 - two are fixtures

FIELD = "X-SSL-Client-Cert"


class Front:
    """A guard that takes tokens bound to a certificate, in front of an app, before it runs."""

    def __init__(self, kind, tenant, scheme, trusted_hops, **options):
        self.port = free_port()
        base = f"{scheme}://localhost:{self.port}"
        self.url = f"{base}/mcp"
        given = {"issuer": tenant.issuer, "custom_fetch": tenant.fetch, "audience": self.url, "mtls": True, **options}
        if kind == "asgi":
            client = ApiClient(ApiClientOptions(rfc_status_codes=True, **given))
            self.app = AuthMiddleware(plain, client, public_origin=base, trusted_hops=trusted_hops)
        elif kind == "mcp":
            self.app = bearward.mcp.guard(sdk_app(), resource=self.url, trusted_hops=trusted_hops, **given)
        else:
            self.app = fast_app(BearwardProvider(base_url=base, trusted_hops=trusted_hops, **given))

    def running(self, **config):
        return running(self.app, port=self.port, lifespan="on", **config)


@pytest.fixture(params=["asgi", "mcp", "fastmcp"])
def kind(request):
    return request.param


@pytest.fixture
def code(caplog):
    caplog.set_level(logging.INFO, logger="bearward")
    return lambda: code_of(caplog)


def asks(front, code, headers, context=True):
    """What a client is answered with: "accepted", or the status and the reason in the log."""
    with httpx.Client(verify=context, trust_env=False, timeout=10) as client:
        answer = client.post(front.url, json=HELLO, headers={**HEADERS, **headers})
    return "accepted" if answer.status_code == 200 else (answer.status_code, code())


def bound_to(client, tenant, front, **confirmation):
    return tenant.token(aud=front.url, cnf={"x5t#S256": client.x5t, **confirmation})


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_certificate_in_the_header_of_a_proxy(kind, tenant, prover, own, other, code):  # noqa: F811
    front = Front(kind, tenant, "http", 1, client_certificate_header=FIELD)
    bound = bound_to(own, tenant, front)

    def ask(headers, client=None):
        shown = {} if client is None else {FIELD: client.escaped}
        return asks(front, code, {**headers, **shown})

    with front.running():
        assert ask(bearer(bound), own) == "accepted"
        assert ask(bearer(tenant.token(aud=front.url))) == "accepted"
        assert ask(bearer(bound), other) == (401, "client_certificate_mismatch")
        assert ask(bearer(bound)) == (401, "client_certificate_missing")
        both = bound_to(own, tenant, front, jkt=prover.jkt)
        assert ask(prover.headers(front.url, both, htm="POST"), own) == "accepted"
        assert ask(prover.headers(front.url, both, htm="POST"), other) == (401, "client_certificate_mismatch")
        assert ask(bearer(both), own) == (401, "bound_token_as_bearer")


def test_no_header_counts_without_a_trusted_proxy(kind, tenant, own, caplog):  # noqa: F811
    front = Front(kind, tenant, "http", 0, client_certificate_header=FIELD)
    headers = {**bearer(bound_to(own, tenant, front)), FIELD: own.escaped}
    with front.running(), httpx.Client(trust_env=False) as client:
        answer = client.post(front.url, json=HELLO, headers={**HEADERS, **headers})
    assert (answer.status_code, answer.json()["detail"]["error"]) == (500, "internal_server_error")
    assert "trusted_hops" in caplog.text
    assert own.escaped not in caplog.text


def test_the_servers_own_tls(kind, tenant, prover, own, other, https_issuer, tmp_path, code):  # noqa: F811
    authority, chain = str(https_issuer.ca_file), str(https_issuer.ca_file.parent / "server.pem")
    clients = tmp_path / "clients.pem"
    clients.write_text(own.pem + other.pem)
    tls = {"ssl_certfile": chain, "ssl_ca_certs": str(clients), "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    front = Front(kind, tenant, "https", 0)
    bound = bound_to(own, tenant, front)
    nobody = ssl.create_default_context(cafile=authority)
    with front.running(http=WithTlsExtension, **tls):
        assert asks(front, code, bearer(bound), own.context(authority)) == "accepted"
        assert asks(front, code, bearer(bound), other.context(authority)) == (401, "client_certificate_mismatch")
        assert asks(front, code, bearer(bound), nobody) == (401, "client_certificate_missing")
        # A thief writes what a proxy would write.
        forged = {**bearer(bound), FIELD: own.escaped}
        assert asks(front, code, forged, nobody) == (401, "client_certificate_missing")
        both = bound_to(own, tenant, front, jkt=prover.jkt)
        proven = prover.headers(front.url, both, htm="POST")
        assert asks(front, code, proven, own.context(authority)) == "accepted"
