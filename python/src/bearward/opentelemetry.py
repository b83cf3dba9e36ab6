"""Metrics of a guard for OpenTelemetry. Needs `bearward[opentelemetry]`.

from bearward.opentelemetry import instrument

instrument(auth0)

Labels are stable codes and the names of configured issuers, never text from a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Optional

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

if TYPE_CHECKING:
    from bearward._asgi.decisions import Decision
    from bearward.client import ApiClient
    from bearward.fastapi.guard import Auth0FastAPI

__all__ = ["instrument"]

# The codes of refusals that say that a request could not be decided; all others refuse it.
_UNDECIDED = frozenset(
    (
        "issuer_unavailable",
        "issuer_unsettled",
        "too_many_fetches",
        "introspection_unavailable",
        "event_loop_blocked",
        "domains_resolver_timeout",
        "replay_log_full",
        "replay_store_unavailable",
        "internal_server_error",
    )
)
# The label of each counter of the replay store in `status`.
_EVENTS = {
    "question": "questions",
    "replay": "replays",
    "error": "errors",
    "not_asked": "not_asked",
    "forgotten": "forgotten",
}
# Errors that a deployer's own code raises may have any code. The metrics have so many different ones at most.
_CODES = 200


def instrument(auth0: Auth0FastAPI, meter_provider: Optional[metrics.MeterProvider] = None) -> None:
    """Feed OpenTelemetry with the metrics of a guard, once for each guard.

    Args:
        auth0: The guard.
        meter_provider: Where the metrics go, instead of the global provider.
    """
    meter = metrics.get_meter("bearward", meter_provider=meter_provider)
    state = _State(auth0)
    auth0._observers.add(_Requests(meter).count)
    meter.create_observable_counter(
        "bearward.document.fetches", [state.fetches], description="Fetches of issuers' documents, by kind and outcome."
    )
    meter.create_observable_gauge(
        "bearward.document.age", [state.ages], unit="s", description="How long ago the document in use was fetched."
    )
    meter.create_observable_gauge(
        "bearward.replay.entries", [state.entries], description="Used DPoP proofs that this process remembers."
    )
    if auth0.status().replay_store is not None:
        _instrument_store(meter, auth0.api_client, state)


def _instrument_store(meter: metrics.Meter, client: ApiClient, state: _State) -> None:
    meter.create_observable_counter(
        "bearward.replay.store.events", [state.store_events], description="What happened with the shared replay store."
    )
    meter.create_observable_gauge(
        "bearward.replay.store.breaker",
        [state.breaker],
        description="1 while the shared replay store fails, or else 0.",
    )
    duration = meter.create_histogram(
        "bearward.replay.store.duration", unit="s", description="How long the shared replay store took to answer."
    )
    client.observe_replay_store(duration.record)


class _Requests:
    """The metrics that are told of each decision."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._requests = meter.create_counter("bearward.requests", description="Requests that a guard decided.")
        self._duration = meter.create_histogram(
            "bearward.verification.duration", unit="s", description="How long a guard took to decide."
        )
        self._codes: set[str] = set()

    def count(self, decision: Decision) -> None:
        """Count one decision."""
        code = decision.code
        outcome = "accepted" if code is None else "undecided" if code in _UNDECIDED else "refused"
        labels = {"outcome": outcome, "scheme": decision.scheme or "none"}
        self._duration.record(decision.seconds, labels)
        self._requests.add(1, {**labels, "code": "none" if code is None else self._known(code)})

    def _known(self, code: str) -> str:
        if code not in self._codes and len(self._codes) >= _CODES:
            return "other"
        self._codes.add(code)
        return code


class _State:
    """The metrics that are read when they are exported."""

    def __init__(self, auth0: Auth0FastAPI) -> None:
        self._auth0 = auth0

    def fetches(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Of all issuers together."""
        counts: dict[tuple[str, str], int] = {}
        for _, kind, document in self._documents():
            for outcome in ("fetched", "failed"):
                counts[kind, outcome] = counts.get((kind, outcome), 0) + document[outcome]
        return [Observation(count, {"kind": kind, "outcome": outcome}) for (kind, outcome), count in counts.items()]

    def ages(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Of configured issuers."""
        configured = self._auth0.api_client._issuers
        return [
            Observation(document["age"], {"kind": kind, "issuer": issuer})
            for issuer, kind, document in self._documents()
            if issuer in configured and document["age"] is not None
        ]

    def entries(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Of this process."""
        return [Observation(self._auth0.api_client._engine.replay_entries)]

    def store_events(self, _options: CallbackOptions) -> Iterable[Observation]:
        """As `status` counts them."""
        status = self._auth0.status().replay_store or {}
        return [Observation(status[name], {"event": event}) for event, name in _EVENTS.items() if name in status]

    def breaker(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Whether it is open."""
        status = self._auth0.status().replay_store or {}
        return [Observation(int(status["breaker"] == "open"))] if status else []

    def _documents(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for entry in self._auth0.status():
            for kind in ("discovery", "key_set"):
                yield entry["issuer"], kind, entry[kind]
