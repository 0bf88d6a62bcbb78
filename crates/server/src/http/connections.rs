//! The server's connections: HTTP/1.1 only, as browsers without TLS, agents and proxies speak it. `axum::serve` reads 24
//! bytes of each first to tell HTTP/2 from it, and that doubles the buffer which the connection keeps; an agent keeps one
//! for days (docs/decisions/0049).

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long a request's head may take to come, and a kept connection may be silent: longer than clients and proxies keep one.
const LONGEST_HEAD: Duration = Duration::from_secs(120);
/// The wait before the next try where no connection could be taken: there may be no file left to open.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers requests until `stopping`; returns once those under way have been answered.
pub async fn serve(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD);
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => answer(&http, &open, stream, address, router.clone()),
            // Gone before it was taken.
            Err(error) if is_the_others(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.shutdown().await;
}

fn is_the_others(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers one connection's requests, in a task of its own.
fn answer(
    http: &http1::Builder,
    open: &GracefulShutdown,
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
) {
    // An event is small, and is not to wait for the next one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection goes on without TCP_NODELAY");
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        router.call(request)
    });
    let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a connection ended");
        }
    });
}
