//! The future of a request: inside, refused, or waiting for the network.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::answer::Answer;
use super::rules::Rules;
use crate::extend::BoxFuture;
use crate::facts::Facts;
use crate::refused::{DPOP_NONCE, Refused};
use crate::verified::Verified;

pin_project! {
    /// The answer to a request behind a [`GuardLayer`](super::GuardLayer). It is `Send` where its parts are.
    ///
    /// ```
    /// use axum::Router;
    /// use axum::body::Body;
    /// use bearward::{GuardFuture, GuardService, JsonBody};
    /// use http::Request;
    /// use tower_service::Service;
    ///
    /// fn answer(
    ///     app: &mut GuardService<Router, JsonBody>,
    ///     request: Request<Body>,
    /// ) -> GuardFuture<Router, JsonBody, Body, Body> {
    ///     app.call(request)
    /// }
    /// # let _ = answer;
    /// ```
    pub struct GuardFuture<S, M, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, Waiting<S, M, B>, R>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F, W, R> {
        Inside { #[pin] future: F, extras: Extras },
        Refused { response: Option<Response<R>> },
        Waiting { waiting: W },
    }
}

/// A request that waits for the network.
pub(super) struct Waiting<S, M, B> {
    /// The rest of the decision, with the head of the request.
    pub(super) verdict: BoxFuture<'static, (Parts, Settled)>,
    pub(super) answer: M,
    pub(super) body: Option<B>,
    /// It was polled ready.
    pub(super) inner: S,
    pub(super) protocol: Option<Arc<Rules>>,
}

/// How a decision ended that had to wait.
pub(super) enum Settled {
    LetIn { nonce: Option<Verified> },
    Refused(Refused),
}

impl<S: Service<Request<B>>, M, B, R> GuardFuture<S, M, B, R> {
    pub(super) fn inside(future: S::Future, extras: Extras) -> Self {
        Self { state: State::Inside { future, extras } }
    }

    pub(super) fn refused(response: Response<R>) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }

    pub(super) fn waiting(waiting: Waiting<S, M, B>) -> Self {
        Self { state: State::Waiting { waiting } }
    }
}

impl<S, M, B, R> Future for GuardFuture<S, M, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    M: Answer<R>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Projected::Inside { future, extras } => {
                    let mut response = ready!(future.poll(cx))?;
                    extras.put_on(&mut response);
                    return Poll::Ready(Ok(response));
                }
                Projected::Refused { response } => {
                    return Poll::Ready(Ok(response
                        .take()
                        .unwrap_or_else(|| unreachable!("polled after its end"))));
                }
                Projected::Waiting { waiting } => {
                    let (parts, settled) = ready!(waiting.verdict.as_mut().poll(cx));
                    waiting.go_on(parts, settled)
                }
            };
            state.set(next);
        }
    }
}

impl<S, M, B> Waiting<S, M, B> {
    fn go_on<R>(&mut self, parts: Parts, settled: Settled) -> State<S::Future, Self, R>
    where
        S: Service<Request<B>, Response = Response<R>>,
        M: Answer<R>,
    {
        match settled {
            Settled::Refused(refused) => {
                State::Refused { response: Some(self.answer.response(&refused, &Facts::from(&parts))) }
            }
            Settled::LetIn { nonce } => {
                let body = self.body.take().unwrap_or_else(|| unreachable!("it waits once"));
                let future = self.inner.call(Request::from_parts(parts, body));
                State::Inside { future, extras: Extras { nonce, protocol: self.protocol.take() } }
            }
        }
    }
}

/// What goes onto the answer of a request that was let in: as who knows it, because that is small, and futures are moved.
#[derive(Default)]
pub(super) struct Extras {
    /// The nonce that is due.
    pub(super) nonce: Option<Verified>,
    /// The protocol of a WebSocket.
    pub(super) protocol: Option<Arc<Rules>>,
}

impl Extras {
    fn put_on<R>(&self, response: &mut Response<R>) {
        if let Some(nonce) = self.nonce.as_ref().and_then(Verified::nonce) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
        if let Some(protocol) = self.protocol.as_ref().and_then(|rules| rules.websocket_answer())
            && matches!(response.status(), StatusCode::SWITCHING_PROTOCOLS | StatusCode::OK)
        {
            response.headers_mut().entry(SEC_WEBSOCKET_PROTOCOL).or_insert(protocol);
        }
    }
}
