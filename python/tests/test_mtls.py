"""Tokens that are bound to a client's certificate, over real TLS. `vectors/mutual_tls.json` has the rules."""

import base64
import datetime
import hashlib
import logging
import ssl
import urllib.parse

import httpx
import local
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from uvicorn.protocols.http.h11_impl import H11Protocol

from bearward import ApiClient, ApiClientOptions, ConfigurationError, VerifyAccessTokenError
from bearward.fastapi import AuthHTTPException, Guard
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, b64, running

NGINX = """
daemon off; master_process off; error_log stderr warn; pid {folder}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $ssl_client_escaped_cert $element {{ "" ""; default 'By=nginx;Cert="$ssl_client_escaped_cert"'; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {chain}; ssl_certificate_key {chain};
    ssl_verify_client optional_no_ca;
    # Not nginx's default, and what the API must not depend on.
    underscores_in_headers on;
    location /ssl/ {{
      proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
      proxy_pass http://127.0.0.1:{ssl}/;
    }}
    location /xfcc/ {{
      proxy_set_header X-Forwarded-Client-Cert $element;
      proxy_pass http://127.0.0.1:{xfcc}/;
    }}
    # Wrong: what the client sent stays, and the proxy adds its own.
    location /appending/ {{
      proxy_set_header X-Forwarded-Client-Cert "$http_x_forwarded_client_cert,$element";
      proxy_pass http://127.0.0.1:{xfcc}/;
    }}
  }}
}}
"""
FIELDS = {"/ssl/": "X-SSL-Client-Cert", "/xfcc/": "X-Forwarded-Client-Cert"}


class Client:
    """A client with a certificate that it has signed itself. RFC 8705 section 2.2."""

    def __init__(self, folder, name):
        key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={name}")
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1)).serial_number(x509.random_serial_number())
        self.certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.x5t = b64(hashlib.sha256(self.der).digest())
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *private) + self.pem.encode())

    @property
    def escaped(self):
        return urllib.parse.quote(self.pem, safe="")

    def context(self, authority):
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(self.file)
        return context

    def bound(self, tenant, **confirmation):
        return tenant.token(cnf={"x5t#S256": self.x5t, **confirmation})


@pytest.fixture
def own(tmp_path):
    return Client(tmp_path, "own")


@pytest.fixture
def other(tmp_path):
    return Client(tmp_path, "other")


def guarded(guard, trusts_proxy=True):
    app = FastAPI()
    app.state.trust_proxy = trusts_proxy

    @app.get("/private", dependencies=[Depends(guard.require_auth())])
    async def private(claims: dict = Depends(guard.require_auth(claims={"aud": AUDIENCE}))):
        return claims

    return app


def guard_of(tenant, **options):
    return Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, mtls=True, **options)


def code_of(caplog):
    return next(record.bearward["code"] for record in reversed(caplog.records) if hasattr(record, "bearward"))


@pytest.mark.parametrize("place", FIELDS)
def test_behind_nginx(tenant, own, other, nginx, https_issuer, place, caplog):
    caplog.set_level(logging.INFO, logger="bearward")
    apps = [guarded(guard_of(tenant, client_certificate_header=name)) for name in FIELDS.values()]
    chain, authority = https_issuer.ca_file.parent / "server.pem", str(https_issuer.ca_file)
    with running(apps[0]) as ssl_port, running(apps[1]) as xfcc_port:
        port = nginx(NGINX, chain=chain, ssl=ssl_port, xfcc=xfcc_port)

        def ask(token, client=None, place=place, **headers):
            context = ssl.create_default_context(cafile=authority) if client is None else client.context(authority)
            headers = {name.replace("__", "-"): value for name, value in headers.items()}
            headers["Authorization"] = f"Bearer {token}"
            with httpx.Client(verify=context, trust_env=False) as https:
                status = https.get(f"https://localhost:{port}{place}private", headers=headers).status_code
            return "accepted" if status == 200 else (status, code_of(caplog))

        bound, name = own.bound(tenant), FIELDS[place].replace("-", "__")
        written = f'Cert="{own.escaped}"' if place == "/xfcc/" else own.escaped
        assert ask(bound, own) == "accepted"
        assert ask(tenant.token()) == "accepted"
        assert ask(bound, other) == (401, "client_certificate_mismatch")
        assert ask(bound) == (401, "client_certificate_missing")
        # A thief writes the header that the proxy should write.
        assert ask(bound, **{name: written}) == (401, "client_certificate_missing")
        assert ask(bound, other, **{name: written}) == (401, "client_certificate_mismatch")
        respelled = {name.replace("__", "_"): written}
        assert ask(bound, **respelled) == (401, "client_certificate_unreadable")
        assert ask(bound, other, **respelled) == (401, "client_certificate_unreadable")
        for client in (None, other, own):
            thief = ask(bound, client, "/appending/", X__Forwarded__Client__Cert=f'Cert="{own.escaped}"')
            assert thief == (401, "client_certificate_unreadable")


class WithTlsExtension(H11Protocol):
    """uvicorn with ASGI's TLS extension, which no server of today has: https://asgi.readthedocs.io/en/latest/specs/tls.html"""

    def connection_made(self, transport):
        super().connection_made(transport)
        der, app = transport.get_extra_info("ssl_object").getpeercert(True), self.app
        chain = [] if der is None else [ssl.DER_cert_to_PEM_cert(der)]

        async def extended(scope, receive, send):
            scope["extensions"] = {"tls": {"client_cert_chain": chain, "client_cert_name": None}}
            await app(scope, receive, send)

        self.app = extended


def test_the_servers_own_tls(tenant, own, other, https_issuer, tmp_path, prover, caplog):
    caplog.set_level(logging.INFO, logger="bearward")
    chain, authority = https_issuer.ca_file.parent / "server.pem", str(https_issuer.ca_file)
    # Python's TLS takes no certificate that it doesn't trust.
    clients = tmp_path / "clients.pem"
    clients.write_text(own.pem + other.pem)
    tls = {"ssl_certfile": str(chain), "ssl_ca_certs": str(clients), "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    guard = guard_of(tenant)
    with running(guarded(guard), http=WithTlsExtension, **tls) as port:
        url = f"https://localhost:{port}/private"

        def ask(headers, client=None):
            context = ssl.create_default_context(cafile=authority) if client is None else client.context(authority)
            with httpx.Client(verify=context, trust_env=False) as https:
                status = https.get(url, headers=headers).status_code
            return "accepted" if status == 200 else (status, code_of(caplog))

        def bearer(token):
            return {"Authorization": f"Bearer {token}"}

        bound = own.bound(tenant)
        assert ask(bearer(bound), own) == "accepted"
        assert ask(bearer(tenant.token())) == "accepted"
        assert ask(bearer(bound), other) == (401, "client_certificate_mismatch")
        assert ask(bearer(bound)) == (401, "client_certificate_missing")
        forged = {"X-SSL-Client-Cert": own.escaped, "Client-Cert": ":Zm9v:"}
        assert ask({**bearer(bound), **forged}) == (401, "client_certificate_missing")
        # Bound to a key as well: it needs both, and two guards of one request use the proof up once.
        both = own.bound(tenant, jkt=prover.jkt)
        assert ask(prover.headers(url, both), own) == "accepted"
        assert ask(prover.headers(url, both)) == (401, "client_certificate_missing")
        assert ask(bearer(both), own) == (401, "bound_token_as_bearer")


def test_the_local_tenant_binds_its_tokens(own, other, tmp_path, monkeypatch):
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    with (tmp_path / "log").open("w") as log, local.tenant(log, "--mtls") as tenant:
        monkeypatch.setenv("SSL_CERT_FILE", tenant.ca_file)
        grant = {"grant_type": "client_credentials", "audience": AUDIENCE}
        grant.update(client_id=tenant.client_id, client_secret=tenant.client_secret)
        with httpx.Client(verify=own.context(tenant.ca_file), trust_env=False) as https:
            token = https.post(f"{tenant.issuer}oauth/token", json=grant).json()["access_token"]
        guard = Guard(issuer=tenant.issuer, audience=AUDIENCE, mtls=True, client_certificate_header="client-cert")
        client = TestClient(guarded(guard))
        for sender, status in ((own, 200), (other, 401)):
            field = f":{base64.b64encode(sender.der).decode()}:"
            headers = {"Authorization": f"Bearer {token}", "Client-Cert": field}
            assert client.get("/private", headers=headers).status_code == status


def test_no_header_counts_where_the_app_trusts_no_proxy(tenant, own, caplog):
    guard = guard_of(tenant, client_certificate_header="X-SSL-Client-Cert")
    headers = {"Authorization": f"Bearer {own.bound(tenant)}", "X-SSL-Client-Cert": own.escaped}
    answer = TestClient(guarded(guard, trusts_proxy=False)).get("/private", headers=headers)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (500, "internal_server_error")
    assert "app.state.trust_proxy = True" in caplog.text
    assert own.escaped not in caplog.text
    assert TestClient(guarded(guard)).get("/private", headers=headers).status_code == 200


async def test_another_certificate_in_the_same_request_is_compared_again(tenant, own, other):
    guard, token = guard_of(tenant, client_certificate_header="X-SSL-Client-Cert"), own.bound(tenant)

    def fields(shown):
        return [(b"authorization", f"Bearer {token}".encode()), (b"x-ssl-client-cert", shown.escaped.encode())]

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "scheme": "http",
        "headers": fields(own),
    }
    scope["app"] = guarded(guard)
    assert await guard.verify(Request(scope))
    scope["headers"] = fields(other)
    with pytest.raises(HTTPException) as refused:
        await guard.verify(Request(scope))
    assert refused.value.status_code == 401


async def test_a_client_without_a_framework(tenant, own, other):
    token = {"Authorization": f"Bearer {own.bound(tenant)}"}
    given = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch, "mtls": True}
    api_client = ApiClient(ApiClientOptions(**given))
    for shown in (own.pem, own.der):
        assert await api_client.verify_request(token, client_certificate=shown)
    for wrong in (other.pem, other.der, own.pem + other.pem, own.pem[:-40], b"", "", None):
        with pytest.raises(VerifyAccessTokenError):
            await api_client.verify_request(token, client_certificate=wrong)
    proxied = ApiClient(ApiClientOptions(**given, client_certificate_header="X-SSL-Client-Cert"))
    headers = {**token, "X-SSL-Client-Cert": own.escaped}
    assert await proxied.verify_request(headers, behind_proxy=True)
    with pytest.raises(ConfigurationError, match="behind_proxy=True"):
        await proxied.verify_request(headers)


@pytest.mark.parametrize("header", [None, "X-SSL-Client-Cert"])
async def test_what_is_remembered_is_for_one_certificate(tenant, own, other, header):
    guard, token = guard_of(tenant, client_certificate_header=header), own.bound(tenant)
    app = FastAPI()
    app.state.trust_proxy = True

    def shown_by(client, scope):
        fields = [(b"authorization", f"Bearer {token}".encode())]
        if header is None:
            return Request({**scope, "headers": fields, "extensions": {"tls": {"client_cert_chain": [client.pem]}}})
        return Request({**scope, "headers": [*fields, (header.lower().encode(), client.escaped.encode())]})

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b"", "app": app}
    # The engine remembers a token from its second sight on, and a request what was let in.
    for _ in range(4):
        request = shown_by(own, scope)
        for _ in range(2):
            assert await guard.verify(request)
        for copied in (scope, request.scope):
            with pytest.raises(AuthHTTPException):
                await guard.verify(shown_by(other, copied))
    assert await guard.verify(shown_by(own, request.scope))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mtls": "yes"}, "mtls must be True or False"),
        ({"client_certificate_header": "Client-Cert"}, "client_certificate_header needs mtls"),
        ({"mtls": True, "client_certificate_header": "X-Client-Cert"}, "must be one of 'X-Forwarded-Client-Cert'"),
        ({"mtls": True, "client_certificate_header": "connection"}, "must be one of"),
        ({"mtls": True, "client_certificate_header": True}, "must be one of"),
    ],
)
def test_mistakes(options, text):
    with pytest.raises(ConfigurationError, match=text):
        ApiClient(ApiClientOptions(domain="tenant.example", audience=AUDIENCE, **options))
