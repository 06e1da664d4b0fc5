//! Connections that end when nothing happens on them: nobody is waited for who sends no request, or does not read.
//!
//! While a request is worked on, its client has nothing to send, and its own limits hold. Otherwise a timer runs from the moment at which
//! nothing is there to be read. When it fires, a connection on which a request began, or something was written, has as long again; any other one
//! is closed, also one whose head comes byte by byte. A client that takes nothing for [`STALLED`] is gone.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{extract::connect_info::Connected, serve::IncomingStream, serve::Listener};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};

/// How long a connection may be idle, up to twice.
const IDLE: Duration = Duration::from_secs(75);

/// How long a client may take nothing.
const STALLED: Duration = Duration::from_mins(1);

/// Connections at once; further ones wait.
const MOST: usize = 1000;

/// What is known of a connection.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Requests on it that are worked on.
    working: Arc<AtomicUsize>,
    /// Requests that there were on it.
    begun: Arc<AtomicUsize>,
}

/// A request that is worked on.
#[derive(Debug)]
pub struct Working(Arc<AtomicUsize>);

impl Peer {
    /// Counts a request until it is dropped.
    pub fn begin(&self) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(&self.working))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long nothing may happen.
#[derive(Debug, Clone, Copy)]
struct Timeouts {
    /// Between two requests, or while the head of one comes.
    idle: Duration,
    /// While something is to be written.
    stalled: Duration,
}

/// A listener whose connections end when nothing happens on them.
pub struct IdleTimeoutListener {
    inner: TcpListener,
    permits: Arc<Semaphore>,
    timeouts: Timeouts,
}

impl IdleTimeoutListener {
    pub fn new(inner: TcpListener) -> Self {
        Self::with_timeouts(inner, Timeouts { idle: IDLE, stalled: STALLED })
    }

    fn with_timeouts(inner: TcpListener, timeouts: Timeouts) -> Self {
        Self { inner, permits: Arc::new(Semaphore::new(MOST)), timeouts }
    }
}

impl Listener for IdleTimeoutListener {
    type Io = IdleTimeoutStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (IdleTimeoutStream, Peer) {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore stays open");
        let (stream, _) = Listener::accept(&mut self.inner).await;
        // tokens are small, and each is waited for
        let _ = stream.set_nodelay(true);
        let peer = Peer::default();
        let io = IdleTimeoutStream {
            stream,
            peer: peer.clone(),
            timeouts: self.timeouts,
            begun: 0,
            has_written: false,
            idle: None,
            stalled: None,
            _permit: permit,
        };
        (io, peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer::default())
    }
}

impl Connected<IncomingStream<'_, IdleTimeoutListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, IdleTimeoutListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection that ends when nothing happens on it.
pub struct IdleTimeoutStream {
    stream: TcpStream,
    peer: Peer,
    timeouts: Timeouts,
    /// Requests that there were on it when the timer was set.
    begun: usize,
    /// Whether something was written since.
    has_written: bool,
    idle: Option<Pin<Box<Sleep>>>,
    stalled: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for IdleTimeoutStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_ready() {
            return read;
        }
        // always armed: nobody asks again once the answer is written, and this may be the last time before
        loop {
            let timer = this.idle.get_or_insert_with(|| Box::pin(sleep(this.timeouts.idle)));
            ready!(timer.as_mut().poll(context));
            let begun = this.peer.begun.load(Ordering::Relaxed);
            let has_written = std::mem::take(&mut this.has_written);
            if !has_written && begun == this.begun && this.peer.working.load(Ordering::Relaxed) == 0 {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            (this.idle, this.begun) = (None, begun);
        }
    }
}

impl IdleTimeoutStream {
    /// What writing came to: a client that takes something is there.
    fn written<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            (self.stalled, self.has_written) = (None, true);
            return written;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.timeouts.stalled)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for IdleTimeoutStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, buffers);
        this.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net,
    };

    use axum::{
        Router,
        body::{Bytes, to_bytes},
        extract::{ConnectInfo, Request},
        routing::post,
    };
    use tokio::task::spawn_blocking;

    use super::*;

    /// Longer than anything takes.
    const LONG: Duration = Duration::from_mins(1);

    /// Gives a body back after a while, and counts the request from its head on, as the routes do.
    async fn echo(ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Bytes {
        let _working = peer.begin();
        let body = to_bytes(request.into_body(), usize::MAX).await.expect("it is sent");
        sleep(Duration::from_millis(20)).await;
        body
    }

    /// Reads as far as there is `end`; no further than to where the connection is closed.
    fn read_to(stream: &mut net::TcpStream, end: &str) -> String {
        let mut said = Vec::new();
        let mut part = [0; 512];
        while !said.ends_with(end.as_bytes()) {
            match stream.read(&mut part).expect("it is answered, or closed") {
                0 => break,
                count => said.extend_from_slice(&part[..count]),
            }
        }
        String::from_utf8(said).expect("answers are UTF-8")
    }

    /// Requests on one connection are answered, and behind them it is closed, though it was last read from while one was worked on.
    #[tokio::test]
    async fn a_connection_is_used_again_until_it_is_idle() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let address = listener.local_addr().expect("it is bound");
        let timeouts = Timeouts { idle: Duration::from_millis(500), stalled: LONG };
        let routes = Router::new().route("/", post(echo)).into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(IdleTimeoutListener::with_timeouts(listener, timeouts), routes);
        let serving = tokio::spawn(serving.into_future());
        let client = move || {
            let mut stream = net::TcpStream::connect(address).expect("it listens");
            stream.set_read_timeout(Some(LONG)).expect("it is no zero");
            for _ in 0..2 {
                let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
                stream.write_all(head.as_bytes()).expect("it can be written");
                assert_eq!(read_to(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
                stream.write_all(b"word").expect("it can be written");
                let said = read_to(&mut stream, "word");
                assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("word"), "{said}");
            }
            assert_eq!(read_to(&mut stream, "nothing"), "");
        };
        spawn_blocking(client).await.expect("the client does not panic");
        serving.abort();
    }
}
