"""The network around a deployment: proxies, certificate authorities, connections that are dropped."""

import os
import ssl
import time

import certifi
import httpx
import pytest

from bearward import ApiClient, ApiClientOptions, ConfigurationError, IssuerUnavailableError
from bearward._driver import trust
from bearward._driver.loops import PerLoop
from bearward._driver.proxies import Proxies
from support import AUDIENCE

PROXIES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in [*PROXIES, "BEARWARD_CA_FILE", "SSL_CERT_DIR"]:
        monkeypatch.delenv(name, raising=False)


def client_of(tenant, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, **options))


# A client closes its connections when its event loop ends. One that is collected before leaves that to the collector.
_clients = []


async def is_let_in(issuer, **options):
    _clients.append(client_of(issuer.tenant, **options))
    return bool(await _clients[-1].verify_access_token(issuer.tenant.token()))


@pytest.mark.parametrize("excluded", ["10.0.0.0/8,fd00::/8", "::1", "[::1],a b,http://", "*.example.com:443,%,/", ",,"])
async def test_an_entry_of_no_proxy_that_cannot_be_read_excludes_nothing(https_issuer, monkeypatch, excluded):
    monkeypatch.setenv("NO_PROXY", excluded)
    assert await is_let_in(https_issuer)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_loopback_never_goes_through_a_proxy(https_issuer, monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await is_let_in(https_issuer)


def proxy_for(host, monkeypatch, **environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Proxies().proxy_for(host)


@pytest.mark.parametrize(
    ("host", "excluded", "is_proxied"),
    [
        ("tenant.example", "", True),
        ("tenant.example", "10.0.0.0/8,fd00::/8", True),
        ("10.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", False),
        ("11.1.2.3", "10.0.0.0/8", True),
        ("fd00::1", "fd00::/8", False),
        ("fe00::1", "fd00::/8", True),
        ("tenant.example", "tenant.example", False),
        ("a.tenant.example", "tenant.example", False),
        ("a.tenant.example", ".Tenant.Example", False),
        ("tenant.example", ".tenant.example", False),
        ("eviltenant.example", "tenant.example", True),
        ("tenant.example", "a, *", False),
        ("tenant.example", "*.example", True),
        ("tenant.example", "tenant.example:443", True),
        ("localhost", "", False),
        ("LOCALHOST", "", False),
        ("127.8.9.10", "", False),
        ("::1", "", False),
        ("localhost.example", "", True),
    ],
)
def test_which_hosts_are_excluded(host, excluded, is_proxied, monkeypatch):
    found = proxy_for(host, monkeypatch, HTTPS_PROXY="http://proxy.example:3128", NO_PROXY=excluded)
    assert (found is not None) == is_proxied


def test_which_proxy_counts(monkeypatch):
    assert proxy_for("a.example", monkeypatch, all_proxy="http://d") == "http://d"
    assert proxy_for("a.example", monkeypatch, ALL_PROXY="http://c") == "http://c"
    assert proxy_for("a.example", monkeypatch, https_proxy="b:3128") == "http://b:3128"
    assert proxy_for("a.example", monkeypatch, HTTPS_PROXY="http://a") == "http://a", "upper case, as in `bearward`"
    assert proxy_for("a.example", monkeypatch, HTTPS_PROXY="") == "http://b:3128", "an empty one says nothing"


async def test_a_request_really_goes_through_the_proxy(https_issuer, monkeypatch, caplog):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    api_client = ApiClient(ApiClientOptions(domain="tenant.example", audience=AUDIENCE))
    https_issuer.tenant.issuer = "https://tenant.example/"
    with pytest.raises(IssuerUnavailableError):
        await api_client.verify_access_token(https_issuer.tenant.token())
    assert "ConnectError" in caplog.text


@pytest.mark.parametrize("proxy", ["socks9://u:hunter2@proxy", "http://u:hunter2@[::", "ftp://u:hunter2@proxy"])
async def test_a_proxy_that_cannot_be_used_is_said_without_its_password(https_issuer, monkeypatch, caplog, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    https_issuer.tenant.issuer = "https://tenant.example/"
    with pytest.raises(IssuerUnavailableError):
        await ApiClient(ApiClientOptions(domain="tenant.example", audience=AUDIENCE)).verify_access_token(
            https_issuer.tenant.token()
        )
    assert "the proxy of the environment can't be used" in caplog.text
    assert "hunter2" not in caplog.text


async def test_the_first_fetch_has_all_its_time_however_long_its_imports_take(https_issuer, monkeypatch):
    clock, new_client, elapsed = time.monotonic, PerLoop.new_client, [0.0]

    def new_client_on_a_busy_machine(self):
        elapsed[0] += 60
        return new_client(self)

    monkeypatch.setattr(time, "monotonic", lambda: clock() + elapsed[0])
    monkeypatch.setattr(PerLoop, "new_client", new_client_on_a_busy_machine)
    assert await is_let_in(https_issuer, fetch_timeout=5)
    assert elapsed == [60]


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_kept_alive_connection_that_is_dropped_is_no_outage(https_issuer, how):
    seen = set()

    def drop(handler):
        if handler.client_address in https_issuer.connections and handler.client_address not in seen:
            seen.add(handler.client_address)
            https_issuer.answers.pop("/.well-known/jwks.json")
            if how == "reset":
                handler.connection.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            handler.connection.close()

    https_issuer.answers["/.well-known/jwks.json"] = drop
    assert await is_let_in(https_issuer)
    assert https_issuer.requests.count("/.well-known/jwks.json") == 2
    assert len(https_issuer.connections) == 2


async def test_a_connection_that_is_dropped_each_time_is_tried_twice(https_issuer):
    https_issuer.answers["/.well-known/jwks.json"] = lambda handler: handler.connection.close()
    with pytest.raises(IssuerUnavailableError):
        await is_let_in(https_issuer)
    assert https_issuer.requests.count("/.well-known/jwks.json") == 2


async def test_a_new_connection_that_is_dropped_is_not_tried_again(https_issuer):
    https_issuer.answers["/.well-known/openid-configuration"] = lambda handler: handler.connection.close()
    with pytest.raises(IssuerUnavailableError):
        await is_let_in(https_issuer)
    assert len(https_issuer.requests) == 1


async def test_what_a_mock_raises_is_not_asked_for_twice(tenant, httpx_mock):
    httpx_mock.add_exception(httpx.ReadError("gone"))
    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant).verify_access_token(tenant.token())
    assert len(httpx_mock.get_requests()) == 1


def test_the_package_trusts_what_the_system_trusts_and_certifi(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    trusted = {it["serialNumber"] for it in trust.tls_context(None).get_ca_certs()}
    for context in (ssl.create_default_context(), ssl.create_default_context(cafile=certifi.where())):
        assert trusted >= {it["serialNumber"] for it in context.get_ca_certs()}


@pytest.fixture
def only_added(https_issuer, monkeypatch):
    """The issuer's authority is not in `SSL_CERT_FILE`."""
    monkeypatch.delenv("SSL_CERT_FILE")
    return https_issuer


async def test_an_authority_of_the_system_is_trusted(only_added, monkeypatch):
    real = ssl.create_default_context

    def with_ours(**options):
        context = real(**options)
        if not options:
            context.load_verify_locations(cafile=only_added.ca_file)
        return context

    monkeypatch.setattr(ssl, "create_default_context", with_ours)
    assert await is_let_in(only_added)


async def test_a_python_that_looks_elsewhere_finds_the_systems_file(only_added, monkeypatch):
    nowhere = ssl.get_default_verify_paths()._replace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_SYSTEM_FILES", ("/nowhere.pem", str(only_added.ca_file)))
    assert await is_let_in(only_added)


async def test_an_authority_can_be_added(only_added, monkeypatch):
    assert await is_let_in(only_added, ca_file=only_added.ca_file)
    assert await is_let_in(only_added, ca_file=str(only_added.ca_file))
    with pytest.raises(IssuerUnavailableError):
        await is_let_in(only_added)
    monkeypatch.setenv("BEARWARD_CA_FILE", str(only_added.ca_file))
    assert await is_let_in(only_added)


async def test_an_added_authority_counts_beside_another_one_of_the_shell(only_added, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.setenv("BEARWARD_CA_FILE", str(only_added.ca_file))
    assert await is_let_in(only_added)


async def test_ssl_cert_file_replaces_what_the_system_trusts(https_issuer, monkeypatch):
    assert len(trust.tls_context(None).get_ca_certs()) == 1
    monkeypatch.setenv("SSL_CERT_FILE", "")
    assert len(trust.tls_context(None).get_ca_certs()) > 1, "an empty one says nothing"


@pytest.mark.parametrize("kind", ["missing", "folder", "junk", "empty", "fifo"])
async def test_a_file_without_authorities_is_said(only_added, monkeypatch, tmp_path, caplog, kind):
    file = tmp_path / kind
    if kind == "folder":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind != "missing":
        file.write_text("junk" if kind == "junk" else "")
    with pytest.raises(ConfigurationError, match=f"ca_file .*{kind}.* can't be used"):
        client_of(only_added.tenant, ca_file=file)
    for name in ("BEARWARD_CA_FILE", "SSL_CERT_FILE"):
        caplog.clear()
        monkeypatch.setenv(name, str(file))
        with pytest.raises(IssuerUnavailableError):
            await is_let_in(only_added)
        assert f"{name} ({file}) can't be used" in caplog.text
        monkeypatch.delenv(name)


@pytest.mark.parametrize("value", [5, b"ca.pem", "", ["ca.pem"]])
def test_a_path_is_a_text(tenant, value):
    with pytest.raises(ConfigurationError, match="ca_file must be the path of a file"):
        client_of(tenant, ca_file=value)
