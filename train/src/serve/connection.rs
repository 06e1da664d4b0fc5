//! Connections on which nobody is waited for: not for a request that does not come, nor for a client that does not read.
//!
//! While a request is worked on, its client has nothing to send, and its own limits hold. Between two requests, and while a head comes byte by
//! byte, a connection has [`IDLE`] in all; a client that takes nothing for [`STALLED`] is gone.

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
    time::{Instant, Sleep, sleep_until},
};

/// How long a connection may be idle.
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

/// A listener whose connections end when nothing happens on them.
pub struct PatientListener {
    inner: TcpListener,
    permits: Arc<Semaphore>,
}

impl PatientListener {
    pub fn new(inner: TcpListener) -> Self {
        Self { inner, permits: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Listener for PatientListener {
    type Io = Patient;
    type Addr = Peer;

    async fn accept(&mut self) -> (Patient, Peer) {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore stays open");
        let (stream, _) = Listener::accept(&mut self.inner).await;
        // tokens are small, and each is waited for
        let _ = stream.set_nodelay(true);
        let peer = Peer::default();
        let io = Patient { stream, peer: peer.clone(), begun: 0, idle: None, stalled: None, _permit: permit };
        (io, peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer::default())
    }
}

impl Connected<IncomingStream<'_, PatientListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, PatientListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection.
pub struct Patient {
    stream: TcpStream,
    peer: Peer,
    /// Requests that there were on it when it became idle.
    begun: usize,
    idle: Option<Pin<Box<Sleep>>>,
    stalled: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

/// Goes on waiting, for so long in all.
fn waited<T>(timer: &mut Option<Pin<Box<Sleep>>>, limit: Duration, context: &mut Context<'_>) -> Poll<io::Result<T>> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
    ready!(timer.as_mut().poll(context));
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let is_working = this.peer.working.load(Ordering::Relaxed) > 0;
        let begun = this.peer.begun.load(Ordering::Relaxed);
        if is_working || begun != this.begun {
            (this.idle, this.begun) = (None, begun);
        }
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Pending if !is_working => waited(&mut this.idle, IDLE, context),
            read => read,
        }
    }
}

impl Patient {
    /// What writing came to: a client that takes something is there.
    fn written<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        waited(&mut self.stalled, STALLED, context)
    }
}

impl AsyncWrite for Patient {
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
