"""A tenant in memory, and real servers, for the tests."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import json
import socket
import ssl
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

AUDIENCE = "https://api.example.com"
JS = Path(__file__).parent / "js"
KEY = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})


class Tenant:
    """An issuer: makes tokens, and answers as a `custom_fetch`."""

    def __init__(self, domain="tenant.example", key=KEY):
        self.domain = domain
        self.issuer = f"https://{domain}/"
        self.key = key
        self.fetched = []

    @property
    def discovery_url(self):
        return f"{self.issuer}.well-known/openid-configuration"

    @property
    def jwks_url(self):
        return f"{self.issuer}.well-known/jwks.json"

    def documents(self):
        return {
            self.discovery_url: {"issuer": self.issuer, "jwks_uri": self.jwks_url},
            self.jwks_url: {"keys": [self.key.as_dict(private=False)]},
        }

    async def fetch(self, url):
        self.fetched.append(url)
        return self.documents()[url]

    def token(self, *, key=None, header=None, **claims):
        now = int(time.time())
        payload = {
            "iss": self.issuer,
            "sub": "auth0|1234",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 3600,
            "scope": "read:messages openid",
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        header = {"alg": "RS256", "typ": "JWT", "kid": "key-1", **(header or {})}
        return jwt.encode({k: v for k, v in header.items() if v is not None}, payload, key or self.key)

    def authorization(self, **claims):
        return {"Authorization": f"Bearer {self.token(**claims)}"}


class Prover:
    """A client with a key of its own: makes DPoP proofs, good ones unless told otherwise. RFC 9449 section 4.2."""

    def __init__(self, tenant, key=None, alg="ES256"):
        self.tenant = tenant
        self.key = key or ECKey.generate_key("P-256")
        self.alg = alg

    @property
    def jkt(self):
        return self.key.thumbprint()

    def token(self, **claims):
        """An access token that is bound to the key."""
        return self.tenant.token(**{"cnf": {"jkt": self.jkt}, **claims})

    def proof(self, token, htu, htm="GET", *, key=None, header=None, **claims):
        payload = {
            "jti": uuid.uuid4().hex,
            "htm": htm,
            "htu": htu,
            "iat": int(time.time()),
            "ath": ath(token),
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        jwk = self.key.as_dict(private=False)
        header = {"typ": "dpop+jwt", "alg": self.alg, "jwk": jwk, **(header or {})}
        header = {name: value for name, value in header.items() if value is not None}
        return signed(header, payload, key or self.key, self.alg)

    def headers(self, htu, token=None, **proof):
        token = token or self.token()
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(token, htu, **proof)}


def ath(token):
    return b64(hashlib.sha256(token.encode()).digest())


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header, payload, key, alg):
    """A compact JWS over any JSON, right or wrong; joserfc's own encoder refuses to make bad headers."""
    signing_input = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"
    signature = JWSRegistry.algorithms[alg].sign(signing_input.encode(), key)
    return f"{signing_input}.{b64(signature)}"


class Clock:
    """What time it is for bearward: real time and as much more as a test says, or what it is stopped at."""

    def __init__(self):
        self.ahead = 0.0
        self.stopped_at = None

    def time(self):
        return time.time() + self.ahead if self.stopped_at is None else self.stopped_at

    @staticmethod
    def monotonic():
        return time.monotonic()


def in_new_loop(work):
    """`asyncio.run` in a thread: in the main thread it would drop pytest-asyncio's own loop, unclosed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def settled(api_client):
    """Return once no fetch of this loop is under way, and nothing is being put into a shared cache."""
    loop = await api_client._documents._loops.current()
    while loop._tasks:
        await asyncio.wait(set(loop._tasks))


@contextlib.contextmanager
def running(app, **config):
    """`app` under uvicorn on loopback, on a free port unless one is named; gives the port."""
    config = {"log_level": "critical", "ws": "none", "loop": "asyncio", "lifespan": "off", "port": 0, **config}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", **config))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "uvicorn did not start"
            thread.join(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def configure_django():
    """Settings of Django, which a process can be given only once."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="of a test")
        django.setup(set_prefix=False)


def raw_exchange(port, request):
    """Send bytes, read until the server closes; gives status (0 if it just hung up) and everything read."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        answer = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(request)
            while chunk := connection.recv(65536):
                answer += chunk
    return (int(answer.split(b" ", 2)[1]) if answer else 0), answer


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def process(command, port, **options):
    """A server of its own process, that is there once it takes connections on `port`; gives the process."""
    started = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # noqa: S603 - our own arguments
    try:
        deadline = time.monotonic() + 20
        while True:
            assert started.poll() is None, f"{command[0]} ended with {started.returncode}"
            assert time.monotonic() < deadline, f"{command[0]} did not start"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield started
    finally:
        started.kill()
        started.wait()


class HttpsIssuer:
    """A `Tenant` behind real https on loopback, with a certificate authority of its own."""

    def __init__(self, folder):
        server, authority = _certificates()
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(authority)
        chain = folder / "server.pem"
        chain.write_bytes(server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        # By path: status, headers and body; or a function of the handler that does all of it.
        self.answers = {}
        self.latency = 0.0
        self.cache_control = None
        self.ended = threading.Event()
        self.requests = []
        # The bodies of POST requests.
        self.forms = []
        self.connections = set()
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                issuer.forms.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.do_GET()

            def do_GET(self):
                issuer.requests.append(self.path)
                issuer.connections.add(self.client_address)
                time.sleep(issuer.latency)
                answer = issuer.answers.get(self.path) or issuer.document(self.path)
                if callable(answer):
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.tenant = Tenant(f"localhost:{self.server.server_address[1]}")
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def document(self, path):
        found = self.tenant.documents().get(self.tenant.issuer + path.lstrip("/"))
        if found is None:
            return 404, {}, b""
        headers = {} if self.cache_control is None else {"Cache-Control": self.cache_control}
        return 200, headers, json.dumps(found).encode()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _certificates():
    """A key with its certificate, and the authority that has signed it, all PEM."""
    # A name of its own: of several authorities that are trusted together, the issuer's name tells which one signed.
    authority, authority_key = x509.Name([_common_name(f"bearward tests {uuid.uuid4()}")]), _new_key()
    # RFC 5280 sections 4.2.1.1 to 4.2.1.3 and 4.2.1.9. Python 3.13 and later insist on all of it.
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    root = _certificate(authority, authority_key.public_key(), authority).add_extension(identifier, critical=False)
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.add_extension(_usage("key_cert_sign"), critical=True)
    key = _new_key()
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = _certificate(x509.Name([_common_name("localhost")]), key.public_key(), authority)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    leaf = leaf.add_extension(signed_by, critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signed_root, signed_leaf = (made.sign(authority_key, hashes.SHA256()) for made in (root, leaf))
    pem = serialization.Encoding.PEM
    return private + signed_leaf.public_bytes(pem), signed_root.public_bytes(pem)


def _usage(only):
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    names = ("digital_signature", "key_cert_sign", "encipher_only", "decipher_only", *others)
    return x509.KeyUsage(**{name: name == only for name in names})


def _new_key():
    return ec.generate_private_key(ec.SECP256R1())


def _common_name(name):
    return x509.NameAttribute(NameOID.COMMON_NAME, name)


def _certificate(subject, public_key, issuer):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
