//! Asks the issuer what opaque tokens say (RFC 7662): one question per token, however many requests wait. When a token is
//! asked about, and what an answer means, is the engine's to say.

use std::sync::Arc;
use std::time::Duration;

use bearward_core::documents::Response;
use bearward_core::{IntrospectionNeeded, Verifier};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::client_auth::{Authenticated, ClientAuthentication};
use super::clock::Clock;
use super::fetcher::{GRACE, causes};
use super::health::Health;
use super::in_progress::{self, InProgress, Joined, Waited};
use crate::extend::{DynTransport, Post};
use crate::text::form;

/// What a question is about. Says nothing of the token.
type Key = [u8; 32];
type Awaited = in_progress::Awaited<()>;
type Running = in_progress::Running<Key, ()>;

/// Asks about tokens, and hands the answers to the engine.
pub(crate) struct Introspector {
    verifier: Arc<Verifier>,
    transport: Arc<dyn DynTransport>,
    client: ClientAuthentication,
    clock: Clock,
    /// For a question, from connecting to the last byte.
    limit: Duration,
    in_progress: Arc<InProgress<Key, ()>>,
    health: Health,
}

impl Introspector {
    pub(crate) fn new(
        verifier: Arc<Verifier>,
        transport: Arc<dyn DynTransport>,
        client: ClientAuthentication,
        clock: Clock,
        limit: Duration,
    ) -> Self {
        let (in_progress, health) = Default::default();
        Self { verifier, transport, client, clock, limit, in_progress, health }
    }

    /// Waits until the engine has an answer, or knows that there is none; until `end` at most.
    pub(super) async fn ask(self: &Arc<Self>, needed: &IntrospectionNeeded, end: Instant) -> Waited {
        let waited = in_progress::wait(|| self.start(needed), |_| end).await;
        waited.unwrap_or_else(|| {
            self.verifier.introspection_failed(needed, self.clock.now());
            Waited::UntilTheEnd
        })
    }

    /// The question about this token, which is in progress; `None` outside of a tokio runtime.
    fn start(self: &Arc<Self>, needed: &IntrospectionNeeded) -> Option<Awaited> {
        let Ok(runtime) = Handle::try_current() else {
            self.health.failed(&what(needed), &"there is no tokio runtime here");
            return None;
        };
        let Joined { awaited, to_run } = self.in_progress.join(*needed.key(), self.limit + GRACE);
        if let Some(running) = to_run {
            runtime.spawn(Arc::clone(self).carry_out(needed.clone(), running));
        }
        Some(awaited)
    }

    async fn carry_out(self: Arc<Self>, needed: IntrospectionNeeded, running: Running) {
        let defect = Defect { introspector: &self, needed: &needed };
        match self.question(&needed, running.began + self.limit).await {
            Ok(()) => self.health.works(&what(&needed)),
            Err(problem) => self.health.failed(&what(&needed), &problem),
        }
        running.finish();
        drop(defect);
    }

    /// `Err`: what is wrong with the answer, for the log. The engine knows either way.
    async fn question(&self, needed: &IntrospectionNeeded, end: Instant) -> Result<(), String> {
        let now = self.clock.now();
        let Ok(authenticated) = self.client.authenticate(needed.issuer().as_str(), now) else {
            return self.failed(needed, "the key of this API can't sign".to_owned());
        };
        let fields = authenticated.fields.iter().map(|(name, value)| (*name, value.as_str()));
        let body = form(needed.form().into_iter().chain(fields));
        let post = Post::new(needed.url(), authenticated.authorization.as_ref(), &body);
        let response = match timeout_at(end, self.transport.post(post)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let reason = causes(error.as_ref());
                let is_secret = is_secret(&reason, needed, &authenticated);
                let hidden = || "the reason names the token or the credentials".to_owned();
                return self.failed(needed, if is_secret { hidden() } else { reason });
            }
            Err(_) => return self.failed(needed, format!("no answer within {:?}", self.limit)),
        };
        let (parts, body) = response.into_parts();
        let fields = parts.headers.iter();
        let fields = fields.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let response = Response::new(parts.status.as_u16(), fields, body);
        self.verifier.introspected(needed, response, self.clock.now()).map_err(|error| error.to_string())
    }

    fn failed(&self, needed: &IntrospectionNeeded, problem: String) -> Result<(), String> {
        self.verifier.introspection_failed(needed, self.clock.now());
        Err(problem)
    }
}

/// A transport is the user's, and so is the text of its errors.
fn is_secret(reason: &str, needed: &IntrospectionNeeded, authenticated: &Authenticated) -> bool {
    let [(_, token), _] = needed.form();
    let authorization = authenticated.authorization.as_ref().and_then(|value| value.to_str().ok());
    let credentials = authorization.and_then(|value| value.split_once(' ')).map(|(_, value)| value);
    let fields = authenticated.fields.iter().map(|(_, value)| value.as_str());
    let mut secrets = fields.chain(credentials).chain(authenticated.secret.as_deref()).chain([token]);
    secrets.any(|secret| reason.contains(secret))
}

/// Without the query, which is for the endpoint alone.
fn what(needed: &IntrospectionNeeded) -> String {
    let url = needed.url().split('?').next().unwrap_or_default();
    format!("questions about opaque tokens at {url}")
}

/// Notes that there is no answer if the code around a question panics.
struct Defect<'a> {
    introspector: &'a Introspector,
    needed: &'a IntrospectionNeeded,
}

impl Drop for Defect<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.introspector.verifier.introspection_failed(self.needed, self.introspector.clock.now());
        }
    }
}
