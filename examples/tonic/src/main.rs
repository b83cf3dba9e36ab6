//! A gRPC service with tonic. A guard stands in front of all methods, and each method has its own requirement.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod health;
mod messages;
#[cfg(test)]
mod tests;

use std::env;
use std::sync::{Arc, Mutex, PoisonError};

use bearward::{EmptyBody, Guard, Refused, Verified, scope};
use tokio::net::TcpListener;
use tonic::metadata::MetadataMap;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Code, Request, Response, Status};

use crate::health::HealthServer;
use crate::messages::{
    Answer, ListReply, ListRequest, Messages, MessagesServer, WhoAmIReply, WhoAmIRequest, WriteReply,
    WriteRequest,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    // Reads AUTH0_DOMAIN and AUTH0_AUDIENCE, or BEARWARD_ISSUER and BEARWARD_AUDIENCE.
    let guard = Guard::from_env()?;
    if let Err(error) = guard.warm().await {
        tracing::warn!("{error}");
    }
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(guard, listener).await?;
    Ok(())
}

/// What is not named public is guarded, unknown methods too. Refusals are in gRPC's way: a status in the header fields, and no
/// body.
async fn serve(guard: Guard, listener: TcpListener) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .layer(guard.layer().public([health::CHECK]).answer(EmptyBody).grpc())
        .add_service(MessagesServer::new(Board::default()))
        .add_service(HealthServer(guard))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

/// Messages that live as long as the process.
#[derive(Clone, Debug, Default)]
struct Board(Arc<Mutex<Vec<String>>>);

impl Messages for Board {
    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Answer<WhoAmIReply> {
        let sub = verified(&request)?.subject().unwrap_or("nobody").to_owned();
        Ok(Response::new(WhoAmIReply { sub }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Answer<ListReply> {
        verified(&request)?.require(&scope("read:messages")).map_err(|refused| status(&refused))?;
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Response::new(ListReply { messages }))
    }

    async fn write(&self, request: Request<WriteRequest>) -> Answer<WriteReply> {
        let who = verified(&request)?;
        who.require(&scope("write:messages")).map_err(|refused| status(&refused))?;
        let message = format!("{}: {}", who.subject().unwrap_or("nobody"), request.get_ref().text);
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message);
        Ok(Response::new(WriteReply { count: messages.len().try_into().unwrap_or(u32::MAX) }))
    }
}

/// Who calls. The layer put it there.
fn verified<T>(request: &Request<T>) -> Result<&Verified, Status> {
    request.extensions().get().ok_or_else(|| Status::internal("no guard stands in front of this method"))
}

/// How a method answers where its own requirement isn't met: as the layer does, with the challenge in the metadata.
fn status(refused: &Refused) -> Status {
    let metadata = MetadataMap::from_headers(refused.headers().collect());
    Status::with_metadata(Code::from(refused.grpc_status()), refused.description(), metadata)
}
