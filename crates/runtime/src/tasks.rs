//! The tasks of a process: named, tracked, supervised, drained.

mod supervise;

use crate::shutdown::Signals;
use crate::{Error, Shutdown};
use futures_util::FutureExt;
use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use telemetry::Chain;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, error, info, info_span, warn};

/// How long dropped tasks may take to be gone. Only a task that blocks its thread needs longer, and is abandoned.
const DROP_GRACE: Duration = Duration::from_secs(2);

/// Spawns the tasks of a process and waits for their end. Clones belong together.
///
/// This is the only way to spawn in our crates, so that a shutdown waits for every task, and the log can say which one
/// it is waiting for. When the time to finish is over, a task is dropped at its next await.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    shutdown: Shutdown,
    /// Tasks that a shutdown waits for.
    tracker: TaskTracker,
    /// Tasks that run until the others are done.
    lasting: TaskTracker,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many tasks run under a name.
    running: BTreeMap<&'static str, usize>,
    /// The failure that the process ends with: the first one.
    failure: Option<Error>,
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shutdown that these tasks listen to. Beginning it ends the process in an orderly way.
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Spawns a task that may end whenever it is done. A panic in it is logged and harms nobody else.
    pub fn spawn<F>(&self, task: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guarded = self.guarded(task, async {
            work.await;
            Ok(())
        });
        self.tracker.spawn(async move {
            if let Err(error) = guarded.await {
                error!(task, error = %Chain(&error), "task failed");
            }
        });
    }

    /// Spawns a task without which the process is useless. Its failure, its panic, and its end before the shutdown begin
    /// the shutdown, and make [`Tasks::run_until_shutdown`] fail.
    pub fn spawn_critical<F>(&self, task: &'static str, work: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.tracker.spawn(self.watched(task, self.guarded(task, work)));
    }

    /// Spawns a critical task that serves until the other tasks have finished, and is not waited for before: a health
    /// listener, say. It must end soon after [`Shutdown::hard`] is cancelled.
    pub fn spawn_lasting<F>(&self, task: &'static str, work: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let caught = caught(task, work).instrument(task_span(task));
        self.lasting.spawn(self.watched(task, caught));
    }

    /// Runs until SIGTERM, SIGINT or [`Shutdown::begin`], then lets the tasks finish for at most `drain`, cancels the
    /// rest and returns. A second signal cancels at once.
    ///
    /// # Errors
    /// The first failure of a critical task, or [`Error::Signals`].
    pub async fn run_until_shutdown(&self, drain: Duration) -> Result<(), Error> {
        let mut signals = Signals::install()?;
        tokio::select! {
            signal = signals.next() => info!(signal, "shutting down"),
            () = self.shutdown.soft().cancelled() => info!("shutting down"),
        }
        self.shutdown.begin();
        self.tracker.close();
        self.lasting.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = sleep(drain) => warn!(unfinished = %self.unfinished(), "time to finish is over, cancelling"),
            signal = signals.next() => warn!(signal, unfinished = %self.unfinished(), "asked again, cancelling"),
        }
        self.shutdown.finish();
        let gone = async {
            self.tracker.wait().await;
            self.lasting.wait().await;
        };
        if timeout(DROP_GRACE, gone).await.is_err() {
            error!(unfinished = %self.unfinished(), "tasks do not let themselves be cancelled");
        }
        self.state().failure.take().map_or(Ok(()), Err)
    }

    /// Names `work`, counts it as running, catches its panics and drops it when the time to finish is over.
    fn guarded<F>(&self, task: &'static str, work: F) -> impl Future<Output = Result<(), Error>> + use<F>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let tasks = self.clone();
        let running = Running::enter(&tasks, task);
        let guarded = async move {
            let _running = running;
            let work = caught(task, work);
            tasks.shutdown.hard().run_until_cancelled(work).await.unwrap_or(Ok(()))
        };
        guarded.instrument(task_span(task))
    }

    /// Makes the end of a critical task the beginning of the shutdown.
    fn watched<F>(&self, task: &'static str, guarded: F) -> impl Future<Output = ()> + use<F>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let tasks = self.clone();
        async move {
            let failure = match guarded.await {
                Ok(()) if tasks.shutdown.has_begun() => return,
                Ok(()) => Error::TaskEnded { task },
                Err(failure) => failure,
            };
            error!(task, error = %Chain(&failure), "critical task is gone");
            tasks.state().failure.get_or_insert(failure);
            tasks.shutdown.begin();
        }
    }

    fn unfinished(&self) -> String {
        let names: Vec<&str> = self.state().running.keys().copied().collect();
        names.join(", ")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names the log lines of a task. Not part of traces: a task lives as long as the process, its work does not.
fn task_span(task: &'static str) -> Span {
    info_span!(target: telemetry::UNTRACED, "runtime.task", task)
}

/// Turns a panic into an error.
async fn caught<F>(task: &'static str, work: F) -> Result<(), Error>
where
    F: Future<Output = anyhow::Result<()>>,
{
    // A task's state dies with it; what it shares with others is behind locks that recover from poisoning.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(|source| Error::TaskFailed { task, source }),
        Err(panic) => Err(Error::TaskPanicked { task, message: panic_message(panic.as_ref()) }),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Counts a task as running for as long as it exists.
struct Running {
    state: Arc<Mutex<State>>,
    task: &'static str,
}

impl Running {
    fn enter(tasks: &Tasks, task: &'static str) -> Self {
        *tasks.state().running.entry(task).or_default() += 1;
        Self { state: Arc::clone(&tasks.state), task }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = state.running.get_mut(self.task) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(self.task);
            }
        }
    }
}

#[cfg(test)]
mod tests;
