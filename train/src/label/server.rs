//! The server from its first connection to its end.

use std::{
    future::{Future, IntoFuture as _},
    io, net,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use super::{routes::router, service::Service};

/// How long requests may take that run at the end, and connections to close.
const CLOSING: Duration = Duration::from_secs(2);

/// Answers requests until it is told to end: then those that run are finished, and new ones refused.
///
/// - `ending`: is ready when the server is to end
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: net::TcpListener,
    service: Arc<Service>,
    ending: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (close, closed) = oneshot::channel::<()>();
    let closed = async move {
        let _ = closed.await;
    };
    let serving = axum::serve(listener, router(service)).with_graceful_shutdown(closed);
    let mut serving = tokio::spawn(serving.into_future());
    ending.await;
    let _ = close.send(());
    // a browser that keeps its connection open is not waited for
    let _ = timeout(CLOSING, &mut serving).await;
    serving.abort();
    Ok(())
}
