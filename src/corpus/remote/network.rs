//! The thread that all connections run on.

use super::error::RemoteError;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

/// Work that goes on while its answer is not yet wanted; ended where nobody wants it any more.
pub(super) struct Task<T> {
    answer: Receiver<T>,
    work: AbortHandle,
}

impl<T> Task<T> {
    /// Waits for the answer. A channel of the standard library, since those of the runtime may not be waited for by a program that is
    /// asynchronous itself.
    pub fn wait(self) -> Result<T, RemoteError> {
        self.answer.recv().map_err(|_| RemoteError::Network("a request ended without an answer".to_owned()))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// Begins work on the network.
pub(super) fn start<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<Task<T>, RemoteError> {
    let (send, answer) = sync_channel(1);
    let work = runtime()?.spawn(async move {
        // Nobody waits any more: the answer is not wanted.
        let _ = send.send(work.await);
    });
    Ok(Task { answer, work: work.abort_handle() })
}

/// Does work on the network and waits for it.
pub(super) fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, RemoteError> {
    start(work)?.wait()
}

/// Chooses what TLS is made with. Clients can be built after it.
pub(super) fn prepare() -> Result<(), RemoteError> {
    runtime().map(|_| ())
}

fn runtime() -> Result<Handle, RemoteError> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if runtime.is_none() {
        // Fails where the program has chosen one before, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built = Builder::new_multi_thread().worker_threads(1).thread_name("network").enable_all().build();
        *runtime = Some(built.map_err(|error| RemoteError::Network(error.to_string()))?);
    }
    runtime
        .as_ref()
        .map(|runtime| runtime.handle().clone())
        .ok_or_else(|| RemoteError::Network("it was not started".to_owned()))
}
