//! Connections: accepted, put under TLS where asked, answered by a router, closed at the end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};
use tokio_rustls::TlsAcceptor;

use super::{
    client_certificate::ClientCertificate,
    faults::{self, Connections},
    state::Tenant,
};

/// A client that connects and says nothing holds a task no longer than this.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long `stop` waits for requests that are being answered.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// The pause after a failed accept: out of file descriptors, trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a listener serves. The tenant's faults can close connections of the public side.
#[derive(Clone)]
pub(super) enum Transport {
    /// The admin side.
    Admin,
    /// The public side, with https or without.
    Public(Option<TlsAcceptor>, Arc<Tenant>),
}

/// Accepts until the other end of `stop` is dropped, then closes what is open.
pub(super) async fn serve(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    mut stop: watch::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, transport.clone(), router.clone(), graceful.watcher()));
                }
                Err(_) => time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    let _in_time = time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, transport: Transport, router: Router, watcher: Watcher) {
    // Latency only: answers are small and there is nothing to gather.
    let _best_effort = stream.set_nodelay(true);
    match transport {
        Transport::Admin => answer(stream, router, watcher, None).await,
        Transport::Public(acceptor, tenant) => match tenant.faults.connections() {
            Connections::Answered => {
                let mut active = tenant.faults.watch();
                tokio::select! {
                    () = answer_public(stream, acceptor, router, watcher) => {}
                    _ = active.wait_for(|active| active.connections != Connections::Answered) => {}
                }
            }
            refusal @ (Connections::Reset | Connections::Silent) => refuse(stream, &tenant, refusal).await,
        },
    }
}

async fn refuse(stream: TcpStream, tenant: &Tenant, refusal: Connections) {
    tenant.faults.refused_connection();
    if refusal == Connections::Silent {
        let mut active = tenant.faults.watch();
        // The sender lives as long as the tenant.
        let _over = active.wait_for(|active| active.connections != refusal).await;
    }
    // Closing then sends a reset in place of an orderly end.
    let _best_effort = stream.set_zero_linger();
}

async fn answer_public(stream: TcpStream, acceptor: Option<TlsAcceptor>, router: Router, watcher: Watcher) {
    let Some(acceptor) = acceptor else { return answer(stream, router, watcher, None).await };
    if let Ok(Ok(stream)) = time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = certificates.first().map(ClientCertificate::of);
        answer(stream, router, watcher, certificate).await;
    }
}

async fn answer<S>(stream: S, router: Router, watcher: Watcher, certificate: Option<ClientCertificate>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        if let Some(certificate) = certificate.clone() {
            request.extensions_mut().insert(certificate);
        }
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            faults::unless_withheld(response)
        }
    });
    // The timer arms hyper's own limit on the time that a request's head may take.
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // An error here is a client that closed the connection: there is nothing to do.
    let _ended = watcher.watch(connection).await;
}
