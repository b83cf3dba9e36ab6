//! Which faults are active now, and which requests have arrived.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{http::HeaderValue, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    behaviour::{Behaviour, Fault},
    endpoint::{Endpoint, PerEndpoint},
    requests::Requests,
    withheld::is_withheld,
};

/// What becomes of connections to the public port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Connections {
    /// They are answered.
    #[default]
    Answered,
    /// New connections are reset at once, and open ones are closed.
    Reset,
    /// They are accepted and nothing is sent, not even TLS, as behind a firewall that drops packets.
    Silent,
}

/// The faults that are active now; none by default.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ActiveFaults {
    pub(crate) connections: Connections,
    #[serde(flatten)]
    endpoints: PerEndpoint<Behaviour>,
    pub(crate) junk_keys: Vec<Value>,
}

/// The tenant's faults. One value says which are active, so that recovery is one assignment.
pub(crate) struct Faults {
    active: watch::Sender<ActiveFaults>,
    requests: Mutex<Requests>,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { active: watch::Sender::default(), requests: Mutex::new(Requests::since(Instant::now())) }
    }

    pub(crate) fn active(&self) -> ActiveFaults {
        self.active.borrow().clone()
    }

    pub(crate) fn junk_keys(&self) -> Vec<Value> {
        self.active.borrow().junk_keys.clone()
    }

    pub(crate) fn connections(&self) -> Connections {
        self.active.borrow().connections
    }

    /// For connections, which end when this says so.
    pub(crate) fn watch(&self) -> watch::Receiver<ActiveFaults> {
        self.active.subscribe()
    }

    /// Replaces the behaviour of these endpoints, also for requests that hang now.
    pub(crate) fn set_behaviour(&self, endpoints: &[Endpoint], behaviour: &Behaviour) {
        self.active.send_modify(|active| {
            for endpoint in endpoints {
                active.endpoints.of_mut(*endpoint).clone_from(behaviour);
            }
        });
    }

    pub(crate) fn set_connections(&self, connections: Connections) {
        self.active.send_modify(|active| active.connections = connections);
    }

    /// Replaces the junk in the key set.
    pub(crate) fn publish_junk(&self, junk_keys: Vec<Value>) {
        self.active.send_modify(|active| active.junk_keys = junk_keys);
    }

    /// Ends all faults. A key that was withdrawn stays withdrawn.
    pub(crate) fn recover(&self) {
        self.active.send_replace(ActiveFaults::default());
    }

    pub(crate) fn requests(&self) -> Requests {
        self.lock_requests().clone()
    }

    /// Sets the counts to zero; returns what they were.
    pub(crate) fn reset_requests(&self) -> Requests {
        std::mem::replace(&mut *self.lock_requests(), Requests::since(Instant::now()))
    }

    pub(crate) fn refused_connection(&self) {
        self.lock_requests().refused_connection();
    }

    /// Answers a request, with the endpoint's faults. It is counted when it arrives and when it is answered.
    ///
    /// `usual` makes the good answer. It does not run if no part of that answer is to be sent. `cache_control` goes with
    /// an answer that has none of its own.
    pub(crate) async fn answer(
        &self,
        endpoint: Endpoint,
        usual: impl Future<Output = Response>,
        cache_control: &HeaderValue,
    ) -> Response {
        self.lock_requests().arrived(endpoint, Instant::now());
        let behaviour = self.once_not_hanging(endpoint).await;
        let response = behaviour.answer(usual, cache_control).await;
        if !is_withheld(&response) {
            self.lock_requests().answered(endpoint, response.status());
        }
        response
    }

    /// The behaviour that answers the request: waits while it hangs, and for its latency.
    async fn once_not_hanging(&self, endpoint: Endpoint) -> Behaviour {
        let mut active = self.active.subscribe();
        loop {
            let behaviour = active.borrow_and_update().endpoints.of(endpoint).clone();
            tokio::time::sleep(behaviour.latency()).await;
            if behaviour.fault != Some(Fault::Hang) {
                return behaviour;
            }
            let hangs = |active: &ActiveFaults| active.endpoints.of(endpoint).fault == Some(Fault::Hang);
            // The sender is part of `self`: it is there.
            let _released = active.wait_for(|active| !hangs(active)).await;
        }
    }

    fn lock_requests(&self) -> MutexGuard<'_, Requests> {
        // A panic elsewhere can't leave it worse than miscounted.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
