//! The service of `proto/messages.proto`, for tonic. A build script with `tonic-prost-build` would generate such code, and need
//! protoc; this was written by hand, so that Rust and a C compiler are enough.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

pub(crate) const WHO_AM_I: &str = "/bearward.example.v1.Messages/WhoAmI";
pub(crate) const LIST: &str = "/bearward.example.v1.Messages/List";
pub(crate) const WRITE: &str = "/bearward.example.v1.Messages/Write";

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WhoAmIRequest {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WhoAmIReply {
    #[prost(string, tag = "1")]
    pub(crate) sub: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListRequest {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListReply {
    #[prost(string, repeated, tag = "1")]
    pub(crate) messages: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteReply {
    #[prost(uint32, tag = "1")]
    pub(crate) count: u32,
}

pub(crate) type Answer<M> = Result<Response<M>, Status>;

/// What a service of messages does.
pub(crate) trait Messages: Send + Sync + 'static {
    fn who_am_i(&self, request: Request<WhoAmIRequest>) -> impl Future<Output = Answer<WhoAmIReply>> + Send;
    fn list(&self, request: Request<ListRequest>) -> impl Future<Output = Answer<ListReply>> + Send;
    fn write(&self, request: Request<WriteRequest>) -> impl Future<Output = Answer<WriteReply>> + Send;
}

/// Such a service on the wire.
pub(crate) struct MessagesServer<M>(Arc<M>);

impl<M> MessagesServer<M> {
    pub(crate) fn new(messages: M) -> Self {
        Self(Arc::new(messages))
    }
}

impl<M> Clone for MessagesServer<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> NamedService for MessagesServer<M> {
    const NAME: &'static str = "bearward.example.v1.Messages";
}

impl<M: Messages> Service<http::Request<Body>> for MessagesServer<M> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let messages = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(match request.uri().path() {
                WHO_AM_I => unary(request, |request| async move { messages.who_am_i(request).await }).await,
                LIST => unary(request, |request| async move { messages.list(request).await }).await,
                WRITE => unary(request, |request| async move { messages.write(request).await }).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// One message in, one out.
pub(crate) async fn unary<Q, A, F>(
    request: http::Request<Body>,
    method: impl FnOnce(Request<Q>) -> F,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
    F: Future<Output = Answer<A>>,
{
    let mut method = Some(method);
    let service = tower::service_fn(|request| {
        let called = method.take().map(|method| method(request));
        async move {
            match called {
                Some(answer) => answer.await,
                None => Err(Status::internal("called twice")),
            }
        }
    });
    Grpc::new(ProstCodec::<A, Q>::default()).unary(service, request).await
}
