//! The server from its first connection to its end.

use std::{
    future::{Future, IntoFuture as _},
    io, net,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use super::{
    connection::{IdleTimeoutListener, Peer},
    engine::EngineThread,
    routes::router,
    service::Service,
};

/// How long connections may take to close once nothing is worked on.
const CLOSING: Duration = Duration::from_secs(2);

/// Answers requests until it is told to end: then those that run are finished, and new ones refused.
///
/// - `engine`: the thread of the service's engine
/// - `ending`: is ready when the server is to end
///
/// # Errors
/// When the listener cannot be used, or the engine's thread has stopped.
pub async fn serve(
    listener: net::TcpListener,
    service: Arc<Service>,
    engine: EngineThread,
    ending: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = IdleTimeoutListener::new(TcpListener::from_std(listener)?);
    let routes = router(Arc::clone(&service)).into_make_service_with_connect_info::<Peer>();
    let (close, closed) = oneshot::channel::<()>();
    let closed = async move {
        let _ = closed.await;
    };
    let mut serving = tokio::spawn(axum::serve(listener, routes).with_graceful_shutdown(closed).into_future());
    let has_stopped = tokio::select! {
        () = ending => false,
        () = engine.ended() => true,
    };
    service.end().await;
    let _ = close.send(());
    // a client that keeps its connection open is not waited for
    let _ = timeout(CLOSING, &mut serving).await;
    serving.abort();
    if has_stopped { Err(io::Error::other("the thread of the model has stopped")) } else { Ok(()) }
}
