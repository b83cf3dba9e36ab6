//! How many requests each endpoint got, and when.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use axum::http::StatusCode;
use serde::Serialize;

use super::endpoint::{Endpoint, PerEndpoint};

/// As many times are kept as tests have a use for; the counts go on.
const TIMES_KEPT: usize = 1_000;

/// The requests for each endpoint since the start or the last reset.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    #[serde(skip)]
    since: Instant,
    #[serde(flatten)]
    endpoints: PerEndpoint<EndpointRequests>,
    refused_connections: u64,
}

/// The requests for one endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointRequests {
    total: u64,
    by_status: BTreeMap<u16, u64>,
    at_ms: VecDeque<u64>,
}

impl Requests {
    pub(super) fn since(now: Instant) -> Self {
        Self { since: now, endpoints: PerEndpoint::default(), refused_connections: 0 }
    }

    /// The requests for this endpoint.
    pub fn of(&self, endpoint: Endpoint) -> &EndpointRequests {
        self.endpoints.of(endpoint)
    }

    /// Connections that were reset or got no bytes, because of [`Connections`](crate::Connections).
    pub fn refused_connections(&self) -> u64 {
        self.refused_connections
    }

    pub(super) fn arrived(&mut self, endpoint: Endpoint, now: Instant) {
        let at_ms = now.saturating_duration_since(self.since).as_millis();
        let at_ms = u64::try_from(at_ms).unwrap_or(u64::MAX);
        let requests = self.endpoints.of_mut(endpoint);
        requests.total = requests.total.saturating_add(1);
        if requests.at_ms.len() == TIMES_KEPT {
            requests.at_ms.pop_front();
        }
        requests.at_ms.push_back(at_ms);
    }

    pub(super) fn answered(&mut self, endpoint: Endpoint, status: StatusCode) {
        let count = self.endpoints.of_mut(endpoint).by_status.entry(status.as_u16()).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn refused_connection(&mut self) {
        self.refused_connections = self.refused_connections.saturating_add(1);
    }
}

impl EndpointRequests {
    /// All that arrived, answered or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Those that were answered with this status. Requests that wait, hang or were closed on have none.
    pub fn with_status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    /// When the newest thousand arrived, in milliseconds since the counts began.
    pub fn at_ms(&self) -> impl Iterator<Item = u64> {
        self.at_ms.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_counted_per_document_and_status() {
        let start = Instant::now();
        let mut requests = Requests::since(start);
        for milliseconds in [0, 20, 30] {
            requests.arrived(Endpoint::KeySet, start + Duration::from_millis(milliseconds));
        }
        requests.answered(Endpoint::KeySet, StatusCode::OK);
        requests.answered(Endpoint::KeySet, StatusCode::NOT_FOUND);
        requests.refused_connection();
        let nothing = json!({ "total": 0, "by_status": {}, "at_ms": [] });
        let expected = json!({
            "discovery": nothing,
            "jwks": { "total": 3, "by_status": { "200": 1, "404": 1 }, "at_ms": [0, 20, 30] },
            "token": nothing,
            "device_code": nothing,
            "resource_servers": nothing,
            "refused_connections": 1,
        });
        assert_eq!(serde_json::to_value(&requests).unwrap(), expected);
        assert_eq!(requests.of(Endpoint::KeySet).with_status(404), 1);
    }

    #[test]
    fn memory_is_bounded_and_the_count_is_not() {
        let start = Instant::now();
        let mut requests = Requests::since(start);
        for milliseconds in 0..1_500 {
            requests.arrived(Endpoint::Discovery, start + Duration::from_millis(milliseconds));
        }
        let discovery = requests.of(Endpoint::Discovery);
        assert_eq!(discovery.total(), 1_500);
        assert_eq!(discovery.at_ms().collect::<Vec<_>>(), (500..1_500).collect::<Vec<_>>());
    }
}
