"""What operators can watch: decisions, readiness, the state of documents, metrics."""

import logging
import time

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import make_asgi_app
from prometheus_client.parser import text_string_to_metric_families

import bearward._driver.bounded_store
from bearward import ConfigurationError
from bearward.fastapi import Auth0FastAPI
from bearward.opentelemetry import instrument
from conftest import guarded_app
from support import AUDIENCE, Clock, Tenant, running


class Outage:
    """A `custom_fetch` that fails until it is over."""

    def __init__(self, *tenants):
        self.tenants = tenants
        self.over = False
        self.asked = []

    async def __call__(self, url):
        self.asked.append(url)
        if not self.over:
            raise OSError("no route")
        return next(tenant.documents()[url] for tenant in self.tenants if url in tenant.documents())


def guard(tenant, **options):
    return Auth0FastAPI(**{"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch, **options})


# Decisions


def test_each_decision_is_told(tenant, prover):
    told = []
    client = TestClient(guarded_app(guard(tenant, on_decision=told.append)))
    client.get("/private", headers=tenant.authorization())
    client.get("/private", headers=prover.headers("http://testserver/private"))
    client.get("/private")
    client.get("/messages", headers=tenant.authorization(scope=""))
    client.get("/private", headers={"Authorization": "Basic eA=="})
    assert [(it.code, it.scheme, it.issuer) for it in told] == [
        (None, "Bearer", tenant.issuer),
        (None, "DPoP", tenant.issuer),
        ("missing_authorization", None, None),
        ("insufficient_scope", "Bearer", tenant.issuer),
        ("unknown_scheme", None, None),
    ]
    assert all(it.seconds >= it.waited_seconds >= 0 for it in told)
    assert told[0].waited_seconds > 0
    assert [it.waited_seconds for it in told[2:]] == [0, 0, 0]


def test_an_observer_that_fails_is_logged_once_and_lets_requests_go_on(tenant, caplog):
    def observer(decision):
        raise RuntimeError("broken\nline")

    client = TestClient(guarded_app(guard(tenant, on_decision=observer)))
    for _ in range(3):
        assert client.get("/private", headers=tenant.authorization()).status_code == 200
        assert client.get("/private").status_code == 400
    (line,) = [record.getMessage() for record in caplog.records if "on_decision" in record.getMessage()]
    assert "\n" not in line


def test_an_observer_that_would_have_to_be_awaited_is_an_error(tenant):
    async def observer(decision):
        pass

    for wrong in (observer, 5):
        with pytest.raises(ConfigurationError):
            guard(tenant, on_decision=wrong)


# Readiness


async def test_warm_fetches_what_is_missing(tenant):
    auth0 = guard(tenant)
    assert not auth0.ready()
    assert await auth0.warm() is True
    assert auth0.ready()
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]
    assert await auth0.warm() is True
    assert len(tenant.fetched) == 2


async def test_ready_only_if_every_issuer_can_be_judged():
    one, other = Tenant("one.example"), Tenant("other.example")
    fetch = Outage(one)
    fetch.over = True
    auth0 = Auth0FastAPI(domains=[one.domain, other.domain], audience=AUDIENCE, custom_fetch=fetch)
    assert await auth0.warm() is False
    assert not auth0.ready()
    fetch.tenants = (one, other)
    # The next attempt comes after a while, and not with each probe.
    asked = len(fetch.asked)
    assert await auth0.warm() is False
    assert len(fetch.asked) == asked


async def test_an_issuer_is_ready_until_its_documents_are_too_old(tenant, clock):
    fetch = Outage(tenant)
    fetch.over = True
    auth0 = guard(tenant, custom_fetch=fetch)
    await auth0.warm()
    fetch.over = False
    clock.ahead = 3600
    assert auth0.ready()
    clock.ahead = 2 * 24 * 3600
    assert not auth0.ready()


async def test_a_resolver_has_nothing_to_warm(tenant):
    auth0 = guard(tenant, domain=None, domains=lambda context: [tenant.domain])
    assert await auth0.warm() is True
    assert auth0.ready()
    assert tenant.fetched == []
    assert auth0.status() == []


@pytest.mark.parametrize("up", [True, False])
def test_lifespan_warms_and_an_outage_does_not_keep_the_app_from_starting(tenant, up):
    fetch = Outage(tenant)
    fetch.over = up
    auth0 = guard(tenant, custom_fetch=fetch)
    app = FastAPI(lifespan=auth0.lifespan)

    @app.get("/ready")
    async def ready():
        return auth0.ready()

    with TestClient(app) as client:
        assert client.get("/ready").json() is up
    assert fetch.asked


async def test_the_status_lists_configured_issuers_before_they_are_used():
    tenants = [Tenant("b.example"), Tenant("a.example")]
    fetch = Outage(*tenants)
    fetch.over = True
    auth0 = Auth0FastAPI(domains=[it.domain for it in tenants], audience=AUDIENCE, custom_fetch=fetch)
    before = auth0.status()
    assert [entry["issuer"] for entry in before] == [it.issuer for it in tenants]
    await auth0.warm()
    after = auth0.status()
    assert {entry["issuer"] for entry in after} == {it.issuer for it in tenants}
    # The same members, so that nobody needs to handle two shapes.
    assert before[0].keys() == after[0].keys()
    assert before[0]["key_set"].keys() == after[0]["key_set"].keys()
    assert before[0]["key_set"]["age"] is None
    assert after[0]["key_set"]["fetched"] == 1


# OpenTelemetry


@pytest.fixture
def reader():
    reader = InMemoryMetricReader()
    yield reader
    reader.shutdown()


def points(reader):
    """Value by labels, of each metric."""
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                values = {
                    tuple(sorted(point.attributes.items())): getattr(point, "value", None) or getattr(point, "count", 0)
                    for point in metric.data.data_points
                }
                found[metric.name] = values
    return found


def test_metrics(tenant, prover, reader):
    auth0 = guard(tenant)
    instrument(auth0, MeterProvider([reader]))
    client = TestClient(guarded_app(auth0))
    for headers in (
        tenant.authorization(),
        tenant.authorization(),
        prover.headers("http://testserver/private"),
        tenant.authorization(exp=1),
        {"Authorization": "Evil-Scheme x"},
    ):
        client.get("/private", headers=headers)
    found = points(reader)
    assert found["bearward.requests"] == {
        (("code", "none"), ("outcome", "accepted"), ("scheme", "Bearer")): 2,
        (("code", "none"), ("outcome", "accepted"), ("scheme", "DPoP")): 1,
        (("code", "token_expired"), ("outcome", "refused"), ("scheme", "Bearer")): 1,
        (("code", "unknown_scheme"), ("outcome", "refused"), ("scheme", "none")): 1,
    }
    assert sum(found["bearward.verification.duration"].values()) == 5
    assert found["bearward.document.fetches"][("kind", "key_set"), ("outcome", "fetched")] == 1
    assert set(found["bearward.document.age"]) == {
        (("issuer", tenant.issuer), ("kind", kind)) for kind in ("discovery", "key_set")
    }
    assert found["bearward.replay.entries"] == {(): 1}


def test_an_outage_in_metrics(tenant, reader):
    auth0 = guard(tenant, custom_fetch=Outage(tenant))
    instrument(auth0, MeterProvider([reader]))
    assert TestClient(guarded_app(auth0)).get("/private", headers=tenant.authorization()).status_code == 503
    found = points(reader)
    assert list(found["bearward.requests"]) == [
        (("code", "issuer_unavailable"), ("outcome", "undecided"), ("scheme", "Bearer"))
    ]
    assert found["bearward.document.fetches"][("kind", "discovery"), ("outcome", "failed")] == 1
    assert not found.get("bearward.document.age")


def test_no_stranger_makes_a_label(tenant, reader, caplog):
    caplog.set_level(logging.CRITICAL)
    stranger = Tenant("stranger.example")
    auth0 = guard(tenant, domain=None, domains=lambda context: ["stranger.example"], custom_fetch=stranger.fetch)
    instrument(auth0, MeterProvider([reader]))
    client = TestClient(guarded_app(auth0))
    assert client.get("/private", headers=stranger.authorization()).status_code == 200
    assert client.request("EVIL", "/private", headers={"Authorization": "evil x"}).status_code in (400, 405)
    assert "stranger" not in f"{points(reader)}"
    assert "evil" not in f"{points(reader)}".lower()


class Store:
    """A shared replay store that fails on request."""

    def __init__(self):
        self.seen, self.fails, self.remembers_since = set(), False, None

    async def remember(self, key, ttl_seconds):
        if self.fails:
            raise OSError("down")
        is_new = key not in self.seen
        self.seen.add(key)
        return is_new


def test_the_shared_replay_store_over_http(tenant, prover, monkeypatch):
    """As Prometheus reads it."""
    store, reader, clock = Store(), PrometheusMetricReader(), Clock()
    monkeypatch.setattr(bearward._driver.bounded_store, "time", clock)
    auth0 = guard(tenant, dpop_replay=store)
    provider = MeterProvider([reader])
    instrument(auth0, provider)
    app = guarded_app(auth0)
    app.mount("/metrics", make_asgi_app())
    with running(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        url = f"http://127.0.0.1:{port}/private"

        def metrics():
            text = client.get("/metrics/").text
            families = text_string_to_metric_families(text)
            samples = [it for family in families for it in family.samples if it.name.startswith("bearward_")]
            return {(it.name, it.labels.get("event")): it.value for it in samples if "le" not in it.labels}

        def ask(headers=None):
            return client.get("/private", headers=headers or prover.headers(url)).status_code

        once = prover.headers(url)
        assert [ask(once), ask(once)] == [200, 400]
        store.remembers_since = time.time() + 100
        assert ask() == 200
        store.remembers_since, store.fails = None, True
        before = metrics()
        assert before["bearward_replay_store_breaker", None] == 0
        # The last good answer was a while ago.
        clock.monotonic = lambda: time.monotonic() + 1
        assert [ask() for _ in range(25)] == [503] * 25
        after = metrics()
    provider.shutdown()
    status = auth0.status().replay_store
    assert (status["replays"], status["forgotten"], status["breaker"]) == (1, 1, "open")
    # A probe that finds the store still failing is an error of its own.
    assert status["errors"] + status["not_asked"] >= 25
    assert status["errors"] >= 20
    shown = {event: after["bearward_replay_store_events_total", event] for _, event in after if event is not None}
    names = {"question": "questions", "replay": "replays", "error": "errors"}
    assert shown == {
        event: status[names.get(event, event)] for event in ("question", "replay", "error", "not_asked", "forgotten")
    }
    assert after["bearward_replay_store_breaker", None] == 1
    assert after["bearward_replay_store_duration_seconds_count", None] == status["questions"]
    assert after["bearward_replay_store_duration_seconds_sum", None] == pytest.approx(
        status["mean_seconds"] * status["questions"]
    )


def test_no_metrics_of_a_store_that_is_not_there(tenant, reader):
    auth0 = guard(tenant)
    instrument(auth0, MeterProvider([reader]))
    TestClient(guarded_app(auth0)).get("/private", headers=tenant.authorization())
    assert auth0.status().replay_store is None
    assert not [name for name in points(reader) if "store" in name]
