//! How the tenant conducts itself: well, until it is told otherwise. And what it was asked for meanwhile.
//!
//! One value, [`Present`], says all of it; whoever answers looks there, so that recovery is one assignment.

mod behaviour;
mod body;
mod junk_key;
mod requests;

use std::{
    fmt,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{http::HeaderValue, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use self::behaviour::Fault;

pub use behaviour::Behaviour;
pub(super) use junk_key::JunkKind;
pub use requests::{DocumentRequests, Requests};

/// What the tenant can be told to answer in another way: the two documents that a resource server lives on, and the
/// calls that clients make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// `/.well-known/openid-configuration`.
    Discovery,
    /// `/.well-known/jwks.json`.
    KeySet,
    /// `/oauth/token`.
    Token,
    /// `/oauth/device/code`.
    DeviceCode,
    /// `/api/v2/resource-servers` and what is below it.
    ResourceServers,
}

/// What becomes of connections to the public port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Connections {
    /// They are answered.
    #[default]
    Answered,
    /// They are reset as soon as they are made, and those that were open are closed: nobody is there.
    Reset,
    /// They are accepted and nothing is ever said, not even TLS: a firewall that drops packets.
    Silent,
}

/// How the tenant conducts itself at present.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Present {
    pub(super) connections: Connections,
    #[serde(flatten)]
    documents: PerDocument<Behaviour>,
    pub(super) junk_keys: Vec<Value>,
}

/// Something that each document has one of, under the names that the admin API knows the documents by.
#[derive(Clone, Debug, Default, Serialize)]
struct PerDocument<T> {
    discovery: T,
    jwks: T,
    token: T,
    device_code: T,
    resource_servers: T,
}

impl<T> PerDocument<T> {
    fn of(&self, document: Document) -> &T {
        match document {
            Document::Discovery => &self.discovery,
            Document::KeySet => &self.jwks,
            Document::Token => &self.token,
            Document::DeviceCode => &self.device_code,
            Document::ResourceServers => &self.resource_servers,
        }
    }

    fn of_mut(&mut self, document: Document) -> &mut T {
        match document {
            Document::Discovery => &mut self.discovery,
            Document::KeySet => &mut self.jwks,
            Document::Token => &mut self.token,
            Document::DeviceCode => &mut self.device_code,
            Document::ResourceServers => &mut self.resource_servers,
        }
    }
}

/// What the tenant state holds of all this.
pub(super) struct Conduct {
    present: watch::Sender<Present>,
    requests: Mutex<Requests>,
}

impl Conduct {
    pub(super) fn new() -> Self {
        Self { present: watch::Sender::default(), requests: Mutex::new(Requests::since(Instant::now())) }
    }

    pub(super) fn present(&self) -> Present {
        self.present.borrow().clone()
    }

    pub(super) fn junk_keys(&self) -> Vec<Value> {
        self.present.borrow().junk_keys.clone()
    }

    pub(super) fn connections(&self) -> Connections {
        self.present.borrow().connections
    }

    /// For connections, which are told when they are to end.
    pub(super) fn watch(&self) -> watch::Receiver<Present> {
        self.present.subscribe()
    }

    /// In place of what each of these documents did before. Requests that hang see to it at once.
    pub(super) fn behave(&self, documents: &[Document], behaviour: &Behaviour) {
        self.present.send_modify(|present| {
            for document in documents {
                present.documents.of_mut(*document).clone_from(behaviour);
            }
        });
    }

    pub(super) fn set_connections(&self, connections: Connections) {
        self.present.send_modify(|present| present.connections = connections);
    }

    /// In place of the junk that was there before.
    pub(super) fn publish_junk(&self, junk_keys: Vec<Value>) {
        self.present.send_modify(|present| present.junk_keys = junk_keys);
    }

    /// Everything as it was at the start, but for the keys: a key that was withdrawn stays so.
    pub(super) fn recover(&self) {
        self.present.send_replace(Present::default());
    }

    pub(super) fn requests(&self) -> Requests {
        self.lock_requests().clone()
    }

    /// Begins to count anew; gives the counts until now.
    pub(super) fn reset_requests(&self) -> Requests {
        std::mem::replace(&mut *self.lock_requests(), Requests::since(Instant::now()))
    }

    pub(super) fn refused_connection(&self) {
        self.lock_requests().refused_connection();
    }

    /// Answers a request as told: counted when it arrives and when it is answered, late, or never.
    ///
    /// `usual` is what a good tenant does and answers. It is not done if none of its answer is to be sent;
    /// `cache_control` goes with what is sent then, and with an answer that has none.
    pub(super) async fn answer(
        &self,
        document: Document,
        usual: impl Future<Output = Response>,
        cache_control: &HeaderValue,
    ) -> Response {
        self.lock_requests().arrived(document, Instant::now());
        let behaviour = self.once_not_hanging(document).await;
        let response = behaviour.answer(usual, cache_control).await;
        if !is_withheld(&response) {
            self.lock_requests().answered(document, response.status());
        }
        response
    }

    /// The behaviour that the request is to see the end of, when its latency is over.
    async fn once_not_hanging(&self, document: Document) -> Behaviour {
        let mut present = self.present.subscribe();
        loop {
            let behaviour = present.borrow_and_update().documents.of(document).clone();
            tokio::time::sleep(behaviour.latency()).await;
            if behaviour.fault != Some(Fault::Hang) {
                return behaviour;
            }
            let hangs = |present: &Present| present.documents.of(document).fault == Some(Fault::Hang);
            // The sender is part of `self`: it is there.
            let _released = present.wait_for(|present| !hangs(present)).await;
        }
    }

    fn lock_requests(&self) -> MutexGuard<'_, Requests> {
        // A panic elsewhere can't leave it worse than miscounted.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a response that is not to be sent. As an error it makes hyper close the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Withheld;

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is withheld, as told")
    }
}

impl std::error::Error for Withheld {}

/// In place of an answer: the connection closes without one.
pub(super) fn withheld() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Withheld);
    response
}

/// The last thing before a response is sent: whether it is.
pub(super) fn unless_withheld(response: Response) -> Result<Response, Withheld> {
    if is_withheld(&response) { Err(Withheld) } else { Ok(response) }
}

fn is_withheld(response: &Response) -> bool {
    response.extensions().get::<Withheld>().is_some()
}
