//! The service: one decision for each request.

use core::mem;
use core::task::{Context, Poll};
use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::request::Parts;
use http::{Extensions, Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::answer::Answer;
use super::future::{Extras, GuardFuture, Settled, Waiting};
use super::rules::{GuardLayer, Rules};
use super::standing::{note_nobody, note_verified};
use crate::driver::Waits;
use crate::facts::{DPOP, Facts};
use crate::guard::{Asked, Started};
use crate::inner::Times;
use crate::refused::Refused;
use crate::verified::Verified;

/// A service behind a guard: what [`GuardLayer`] makes.
///
/// ```
/// use bearward::{Guard, GuardService, JsonBody};
/// use tower_layer::Layer;
///
/// fn guarded(guard: &Guard, api: axum::Router) -> GuardService<axum::Router, JsonBody> {
///     guard.layer().layer(api)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct GuardService<S, M> {
    pub(super) inner: S,
    pub(super) layer: GuardLayer<M>,
}

/// What becomes of a request.
#[expect(clippy::large_enum_variant, reason = "a request that waits is boxed once, where it waits")]
enum Verdict {
    /// It goes on.
    Passes(Extras),
    Refused(Refused),
    /// It has to wait for the network.
    Waits(Times, Waits),
}

impl<S, M: Clone> Layer<S> for GuardLayer<M> {
    type Service = GuardService<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService { inner, layer: self.clone() }
    }
}

impl<S, M, B, R> Service<Request<B>> for GuardService<S, M>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    M: Answer<R> + Clone,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = GuardFuture<S, M, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let rules = &self.layer.rules;
        let protocol = rules.takes_protocol(&mut request).then(|| Arc::clone(rules));
        match self.layer.look(&mut request) {
            Verdict::Passes(extras) => {
                GuardFuture::inside(self.inner.call(request), Extras { protocol, ..extras })
            }
            Verdict::Refused(refused) => {
                GuardFuture::refused(self.layer.answer.response(&refused, &Facts::from(&request)))
            }
            Verdict::Waits(times, waits) => {
                let (parts, body) = request.into_parts();
                // The instance that was polled ready is the one that is called.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                let verdict = Box::pin(settle(Arc::clone(&self.layer.rules), parts, times, waits));
                let answer = self.layer.answer.clone();
                GuardFuture::waiting(Waiting { verdict, answer, body: Some(body), inner, protocol })
            }
        }
    }
}

impl<M> GuardLayer<M> {
    fn look<B>(&self, request: &mut Request<B>) -> Verdict {
        let rules = &self.rules;
        let facts = Facts::from(&*request);
        if rules.public.contains(request.uri().path())
            || rules.guard.publishes_at(request.method(), facts.uri().path())
            || (rules.passes_preflights && is_preflight(request.method(), request.headers()))
            || (rules.is_optional && !facts.has_credentials())
        {
            note_nobody(request.extensions_mut(), &rules.guard, rules.guidance.as_ref());
            return Verdict::Passes(Extras::default());
        }
        if let Some(verified) = request.extensions().get::<Verified>()
            && verified.is_of(&rules.guard.0, &facts)
        {
            let judged = rules
                .requirement
                .as_ref()
                .map_or(Ok(()), |wanted| verified.require_of(wanted, rules.guidance.as_deref(), &facts));
            return judged.map_or_else(Verdict::Refused, |()| Verdict::Passes(Extras::default()));
        }
        match rules.guard.begin(&facts, rules.asked(guards(request.extensions()))) {
            Started::Done(Ok(verified)) => Verdict::Passes(let_in(request, verified)),
            Started::Done(Err(refused)) => Verdict::Refused(refused),
            Started::Waits(times, waits) => Verdict::Waits(times, waits),
        }
    }
}

fn let_in<B>(request: &mut Request<B>, verified: Verified) -> Extras {
    mark_sensitive(request.headers_mut());
    let nonce = verified.with_nonce();
    note_verified(request.extensions_mut(), verified);
    Extras { nonce, protocol: None }
}

/// The rest of a decision, with what it needs of the request: owned, and given back.
async fn settle(rules: Arc<Rules>, mut parts: Parts, times: Times, waits: Waits) -> (Parts, Settled) {
    let facts = Facts::from(&parts);
    let asked = rules.asked(guards(&parts.extensions));
    let outcome = rules.guard.conclude(&facts, asked, times, waits).await;
    let settled = match outcome {
        Err(refused) => Settled::Refused(refused),
        Ok(verified) => {
            mark_sensitive(&mut parts.headers);
            let nonce = verified.with_nonce();
            note_verified(&mut parts.extensions, verified);
            Settled::LetIn { nonce }
        }
    };
    (parts, settled)
}

/// How many other guards verified the request further out: each may use its proof once.
fn guards(extensions: &Extensions) -> u8 {
    extensions.get::<Verified>().map_or(0, Verified::guards)
}

fn mark_sensitive(headers: &mut HeaderMap) {
    for (name, value) in headers {
        if name == AUTHORIZATION || name == DPOP {
            value.set_sensitive(true);
        }
    }
}

fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Rules {
    fn asked(&self, guards: u8) -> Asked<'_> {
        Asked { requirement: self.requirement.as_ref(), guards, guidance: self.guidance.as_ref() }
    }

    /// Moves the token of a WebSocket's handshake to where tokens are, if it is one.
    fn takes_protocol<B>(&self, request: &mut Request<B>) -> bool {
        let found = self.websocket_protocol.as_deref().and_then(|name| token_among_protocols(name, request));
        let Some((token, others)) = found else { return false };
        // What can't be in a field is no token.
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap_or(HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        let headers = request.headers_mut();
        // Appended: a request with a token in both places has two, and is refused.
        headers.append(AUTHORIZATION, authorization);
        match HeaderValue::from_str(&others) {
            Ok(others) if !others.is_empty() => headers.insert(SEC_WEBSOCKET_PROTOCOL, others),
            _ => headers.remove(SEC_WEBSOCKET_PROTOCOL),
        };
        true
    }

    /// The protocol that a handshake is answered with.
    pub(super) fn websocket_answer(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.websocket_protocol.as_deref()?).ok()
    }
}

/// The token and the other protocols of `bearer, TOKEN, others...`.
///
/// If the protocol is offered in another way, the token is empty: that is a bad one. `None`: it is not offered.
fn token_among_protocols<B>(name: &str, request: &Request<B>) -> Option<(String, String)> {
    let is_handshake =
        request.headers().get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
            || request.method() == Method::CONNECT;
    if !is_handshake {
        return None;
    }
    let lines = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let protocols: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    let (token, others) = match protocols.as_slice() {
        [first, token, others @ ..] if *first == name && !others.contains(&name) => {
            (*token, others.join(", "))
        }
        offered if offered.contains(&name) => ("", String::new()),
        _ => return None,
    };
    Some((token.to_owned(), others))
}
