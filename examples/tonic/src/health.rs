//! gRPC's health checking protocol, `grpc.health.v1`: what Kubernetes and load balancers ask. They have no token.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use bearward::Guard;
use prost::Message;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};
use tower_service::Service;

use crate::messages::unary;

pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckRequest {
    #[prost(string, tag = "1")]
    pub(crate) service: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CheckReply {
    #[prost(enumeration = "Serving", tag = "1")]
    pub(crate) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Serving {
    Unknown = 0,
    Yes = 1,
    No = 2,
}

/// Whether tokens can be judged.
#[derive(Clone)]
pub(crate) struct HealthServer(pub(crate) Guard);

impl NamedService for HealthServer {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl Service<http::Request<Body>> for HealthServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let status = if self.0.ready() { Serving::Yes } else { Serving::No };
        Box::pin(async move {
            Ok(match request.uri().path() {
                CHECK => {
                    let reply = CheckReply { status: status.into() };
                    unary(request, |_: Request<CheckRequest>| async move { Ok(Response::new(reply)) }).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}
