"""Issuers that aren't Auth0: the folder `issuers` has each one's documents and tokens, by their documented shape."""

import json
import logging
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from joserfc import jwt

from bearward import ApiClient, ApiClientOptions, ConfigurationError, MissingRequiredArgumentError
from bearward.errors import IssuerUnavailableError, VerifyAccessTokenError
from bearward.fastapi import Auth0FastAPI, Guard
from support import AUDIENCE, KEY

FOLDER = Path(__file__).parent / "issuers"
REALM = "https://kc.example.com/realms/acme"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "issuers.md"


class Issuer:
    """An issuer of the folder: its documents as a `custom_fetch`, and its tokens."""

    def __init__(self, name):
        folder = FOLDER / name
        files = ("about", "discovery", "token", "others")
        self.about, self.discovery, good, self.others = (
            json.loads((folder / f"{file}.json").read_text(encoding="utf-8")) for file in files
        )
        self.configure = dict(self.about["configure"])
        self.header, self.claims = good["header"], good["claims"]
        self.fetched = []
        place = self.configure.get("issuer") or f"https://{self.configure.get('domain')}"
        self.documents = {f"{place.rstrip('/')}/.well-known/openid-configuration": self.discovery}
        self.documents[self.configure.get("jwks_uri") or self.discovery["jwks_uri"]] = {
            "keys": [KEY.as_dict(private=False)]
        }

    async def fetch(self, url):
        self.fetched.append(url)
        return self.documents[url]

    def token(self, **changes):
        now = int(time.time())
        claims = {**self.claims, "iat": now, "exp": now + 300, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({**self.header, "kid": "key-1"}, claims, KEY)

    def guard(self):
        configure = dict(self.configure)
        if "domain" in configure:
            return Auth0FastAPI(**configure, custom_fetch=self.fetch)
        return Guard(**configure, custom_fetch=self.fetch)


NAMES = sorted(path.name for path in FOLDER.iterdir())
# What the page has besides: the options that its code sets.
OTHER_TOKENS = {
    "Tokens that are bound to a certificate": ["mtls", "client_certificate_header"],
    "Encrypted tokens": ["decryption_keys"],
    "Opaque tokens": ["introspection"],
}


@pytest.fixture(params=NAMES)
def shape(request):
    return Issuer(request.param)


def client_of(guard, **required):
    app = FastAPI()

    @app.get("/")
    async def route(claims: dict = Depends(guard.require_auth(**required))):
        return claims

    return TestClient(app)


def get(client, token):
    return client.get("/", headers={"Authorization": f"Bearer {token}"})


def has_scopes(issuer):
    return any(name in issuer.claims for name in ("scope", "scp", issuer.configure.get("scope_claim")))


def test_a_good_token_gets_in(shape):
    response = get(client_of(shape.guard()), shape.token())
    assert response.status_code == 200, response.text
    assert response.json()["iss"] == shape.claims["iss"]


def test_scopes_are_found(shape):
    if not has_scopes(shape):
        response = get(client_of(shape.guard(), scopes="read"), shape.token())
        assert response.status_code == 403, "tokens of this shape have no scopes"
        return
    assert get(client_of(shape.guard(), scopes="read"), shape.token()).status_code == 200
    assert get(client_of(shape.guard(), scopes="admin"), shape.token()).status_code == 403


def test_tokens_for_others_stay_out(shape):
    assert len(shape.others) >= 3
    client = client_of(shape.guard())
    for what, changes in shape.others.items():
        shape.fetched.clear()
        response = get(client, shape.token(**changes))
        assert response.status_code == 401, (what, response.text)
        if "iss" in changes:
            assert shape.fetched == [], f"{what}: nothing is fetched for an issuer that isn't ours"


async def test_tokens_for_others_stay_out_of_the_engine(shape):
    api_client = ApiClient(ApiClientOptions(**shape.configure, custom_fetch=shape.fetch))
    assert (await api_client.verify_access_token(shape.token()))["iss"] == shape.claims["iss"]
    for changes in shape.others.values():
        with pytest.raises(VerifyAccessTokenError) as refused:
            await api_client.verify_access_token(shape.token(**changes))
        assert refused.value.get_status_code() == 401


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"issuer": REALM, "audience": None}, "client_ids"),
        ({"issuer": REALM, "audience": AUDIENCE, "client_ids": ["a"]}, "audience=None"),
        ({"issuer": REALM, "audience": None, "client_ids": []}, "non-empty"),
        ({"issuer": REALM, "audience": None, "client_ids": "app"}, "list"),
        ({"issuer": REALM, "audience": None, "client_ids": [5]}, "strings"),
        ({"issuer": REALM, "audience": None, "client_ids": ["'app'"]}, "quotes"),
        ({"issuer": REALM, "audience": None, "client_ids": ["a\u200bpp"]}, "invisible"),
        ({"issuer": f"{REALM}?a=b"}, "query"),
        ({"issuer": f"{REALM}#a"}, "fragment"),
        ({"issuer": "http://kc.example.com/realms/acme"}, "write https"),
        ({"issuer": "kc.example.com/realms/acme"}, "https"),
        ({"issuer": "https://u:p@kc.example.com/"}, "credentials"),
        ({"issuer": "https://kc.example.com/a/../b"}, "path"),
        ({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "path"),
        ({"issuer": f"'{REALM}'"}, "quotes"),
        ({"issuer": f"{REALM}\u200b"}, "invisible"),
        ({"issuer": ""}, "URL"),
        ({"issuer": 5}, "URL"),
        ({"issuer": []}, "empty"),
        ({"issuer": [REALM, ""]}, "URL"),
        ({"issuer": REALM, "domain": "tenant.example"}, "'issuer' or 'domain'"),
        ({"issuer": REALM, "domains": ["tenant.example"]}, "'issuer' or 'domains'"),
        ({"issuer": REALM, "client_id": "id"}, "domain"),
        ({"issuer": REALM, "scope_claim": ""}, "scope_claim"),
        ({"issuer": REALM, "scope_claim": 5}, "scope_claim"),
        ({"issuer": REALM, "allow_private_jwks": "no"}, "True or False"),
        ({"issuer": REALM, "jwks_uri": "http://kc.example.com/keys"}, "https"),
        ({"issuer": REALM, "jwks_uri": "https://169.254.169.254/keys"}, "link-local"),
        ({"issuer": REALM, "jwks_uri": 5}, "string"),
        ({"issuer": REALM, "jwks": {"keys": []}}, "no usable key"),
        ({"issuer": REALM, "jwks": "keys"}, "key set"),
        ({"issuer": REALM, "jwks": {"keys": {1, 2}}}, "key set"),
        ({"issuer": REALM, "jwks": {"keys": []}, "jwks_uri": f"{REALM}/keys"}, "not both"),
        ({"issuer": [REALM, f"{REALM}2"], "jwks_uri": f"{REALM}/keys"}, "one issuer"),
        ({"domains": lambda context: [REALM], "jwks_uri": f"{REALM}/keys"}, "one issuer"),
    ],
)
def test_bad_configuration_says_what_to_write(options, says):
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        ApiClient(ApiClientOptions(**{"audience": AUDIENCE, **options}))


def test_an_empty_audience_stays_an_error_of_its_own():
    for audience in ("", [], [""], None):
        with pytest.raises(MissingRequiredArgumentError):
            ApiClient(ApiClientOptions(domain="tenant.example", audience=audience))


def test_the_environment(monkeypatch):
    for name in ("BEARWARD_ISSUER", "BEARWARD_AUDIENCE", "AUTH0_DOMAIN", "AUTH0_AUDIENCE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="BEARWARD_ISSUER"):
        Guard()
    monkeypatch.setenv("BEARWARD_ISSUER", REALM)
    with pytest.raises(ConfigurationError, match="BEARWARD_AUDIENCE"):
        Guard()
    monkeypatch.setenv("BEARWARD_AUDIENCE", AUDIENCE)
    options = Guard().api_client.options
    assert (options.issuer, options.audience, options.rfc_status_codes) == (REALM, AUDIENCE, True)
    assert Guard(issuer=f"{REALM}2").api_client.options.issuer == f"{REALM}2"
    with pytest.raises(ConfigurationError, match="AUTH0_DOMAIN"):
        Auth0FastAPI(audience=AUDIENCE)
    assert Auth0FastAPI(issuer=REALM, audience=AUDIENCE).api_client.options.domain is None
    assert isinstance(Auth0FastAPI("tenant.example", AUDIENCE), Guard)


def test_a_guard_answers_as_the_rfcs_say():
    issuer = Issuer("keycloak")
    client = client_of(issuer.guard())
    assert client.get("/").status_code == 401
    assert client.get("/").headers["WWW-Authenticate"].startswith("Bearer")


def test_openapi_names_the_place_of_the_login():
    document = client_of(Issuer("authentik").guard(), scopes="read").get("/openapi.json").json()
    name = "OpenID-auth.example.com-application-o-app"
    assert document["components"]["securitySchemes"][name] == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://auth.example.com/application/o/app/.well-known/openid-configuration",
    }
    assert {name: ["read"]} in document["paths"]["/"]["get"]["security"]


async def test_a_key_set_in_a_private_network_needs_to_be_allowed(caplog):
    issuer = Issuer("kubernetes")
    configure = {**issuer.configure, "custom_fetch": issuer.fetch}
    refused = ApiClient(ApiClientOptions(**{**configure, "allow_private_jwks": False}))
    with pytest.raises(IssuerUnavailableError):
        await refused.verify_access_token(issuer.token())
    assert "jwks_uri leads to a private network" in caplog.text
    assert issuer.fetched == ["https://kubernetes.default.svc.cluster.local/.well-known/openid-configuration"]
    claims = await ApiClient(ApiClientOptions(**configure)).verify_access_token(issuer.token())
    assert claims["sub"] == "system:serviceaccount:default:app"


async def test_keys_that_are_configured_are_never_fetched():
    issuer = Issuer("keycloak")
    jwks = {"keys": [KEY.as_dict(private=False)]}
    api_client = ApiClient(ApiClientOptions(**issuer.configure, jwks=jwks, custom_fetch=issuer.fetch))
    assert (await api_client.verify_access_token(issuer.token()))["iss"] == REALM
    assert issuer.fetched == []


async def test_documents_are_fetched_ahead(shape):
    api_client = ApiClient(ApiClientOptions(**shape.configure, custom_fetch=shape.fetch))
    assert not api_client.ready()
    assert await api_client.warm()
    shape.fetched.clear()
    await api_client.verify_access_token(shape.token())
    assert shape.fetched == []


async def test_a_resolver_gives_issuers():
    issuer, asked = Issuer("entra-v2"), []

    def resolve(context):
        asked.append(context["unverified_iss"])
        return [issuer.claims["iss"], "tenant.example"]

    audience = issuer.configure["audience"]
    api_client = ApiClient(ApiClientOptions(domains=resolve, audience=audience, custom_fetch=issuer.fetch))
    assert (await api_client.verify_access_token(issuer.token()))["ver"] == "2.0"
    assert asked == [issuer.claims["iss"]]
    for changes in issuer.others.values():
        with pytest.raises(VerifyAccessTokenError) as refused:
            await api_client.verify_access_token(issuer.token(**changes))
        assert refused.value.get_status_code() == 401


async def test_several_issuers_each_with_its_own_documents():
    one, other = Issuer("entra-v1"), Issuer("entra-v2")
    documents = {**one.documents, **other.documents}

    async def fetch(url):
        return documents[url]

    issuers = [one.configure["issuer"], other.configure["issuer"]]
    audiences = [one.configure["audience"], other.configure["audience"]]
    api_client = ApiClient(ApiClientOptions(issuer=issuers, audience=audiences, custom_fetch=fetch))
    for issuer in (one, other):
        assert (await api_client.verify_access_token(issuer.token()))["ver"] == issuer.claims["ver"]


def test_an_issuer_without_tls_on_this_machine_is_logged(caplog):
    caplog.set_level(logging.WARNING, logger="bearward")
    ApiClient(ApiClientOptions(issuer="http://localhost:8080/realms/acme", audience=AUDIENCE))
    assert "http://localhost:8080/realms/acme go without TLS" in caplog.text


def test_the_page_has_each_issuer_with_its_configuration():
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    for name in NAMES:
        issuer = Issuer(name)
        assert f"| {issuer.about['title']} |" in page, name
        section = page.split(f"\n## {issuer.about['title']}\n")[1].split("\n## ")[0]
        (block,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        written: dict = {}
        exec(compile(block, str(PAGE), "exec"), written)  # noqa: S102 - our own page
        options = written["guard"].api_client.options
        for option, value in issuer.configure.items():
            assert getattr(options, option) == value, (name, option)
    assert len(blocks) == len(NAMES) + len(OTHER_TOKENS)


@pytest.mark.parametrize("title", OTHER_TOKENS)
def test_the_page_has_each_kind_of_token_with_its_configuration(title, tmp_path, monkeypatch):
    key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "api-key.pem").write_bytes(key)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERS_API_SECRET", "secret")
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    written: dict = {}
    exec(compile(block, str(PAGE), "exec"), written)  # noqa: S102 - our own page
    options = written["guard"].api_client.options
    assert all(getattr(options, name) for name in OTHER_TOKENS[title])


def test_the_page_has_no_type_errors(tmp_path):
    pytest.importorskip("mypy", reason="mypy is only installed for development")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    for place, block in enumerate(blocks):
        (tmp_path / f"block_{place}.py").write_text(block, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stdout + done.stderr
