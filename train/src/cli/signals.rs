//! SIGINT, SIGTERM and SIGHUP: the first asks a training to save and end, or a server to finish what runs; the second ends the program at
//! once.

use std::{
    future::Future,
    io, process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{dashboard, printer::Printer};

/// The exit code of a program that a signal ended: 128 and SIGINT's number, as shells have it.
///
/// A training that was saved and not done is no success: a script must not go on to what uses its model. Nor is it a failure,
/// which has 1.
pub const CODE: u8 = 130;

/// Listens from now on; what is returned becomes true with the first signal.
pub fn listen(printer: &Printer) -> anyhow::Result<Arc<AtomicBool>> {
    let signalled = Arc::new(AtomicBool::new(false));
    let (flag, printer) = (Arc::clone(&signalled), printer.clone());
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            dashboard::leave_terminal();
            // nobody is to wait for the step, or for what hangs: the last checkpoint is on the disk
            process::exit(CODE.into());
        }
        if !dashboard::has_terminal() {
            printer.note("ending after this step; once more to end at once, without saving");
        }
    })?;
    Ok(signalled)
}

/// Listens from now on, within a runtime; what is returned is ready with the first signal.
pub fn ending(printer: &Printer) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals: io::Result<Vec<Signal>> = kinds.into_iter().map(signal).collect();
    let mut signals = signals?;
    let printer = printer.clone();
    Ok(async move {
        any(&mut signals).await;
        printer.note("ending after the requests that run; once more to end at once");
        tokio::spawn(async move {
            any(&mut signals).await;
            process::exit(CODE.into());
        });
    })
}

/// Waits for one of some signals.
async fn any(signals: &mut [Signal]) {
    let each = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    let _ = futures::future::select_all(each).await;
}
