//! Named threads whose panics are caught at the edge, reported, and answered by one restart.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Starts a thread that shows its name in a debugger and in `top -H`.
///
/// # Panics
/// Where the system can't start another thread; there is nothing sensible to go on with.
pub fn spawn_named(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("the system can start a thread")
}

/// A worker thread that is joined with a deadline.
#[derive(Debug)]
pub struct Worker {
    name: String,
    handle: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `body` until it returns. A panic is logged and `body` runs again, at most once in ten seconds;
    /// a second panic within that time ends the worker.
    pub fn start(name: &str, mut body: impl FnMut() + Send + 'static) -> Self {
        let label = name.to_owned();
        let handle = spawn_named(name, move || {
            let mut last_panic: Option<Instant> = None;
            loop {
                match catch_unwind(AssertUnwindSafe(&mut body)) {
                    Ok(()) => return,
                    Err(_) if last_panic.is_none_or(|at| at.elapsed() > Duration::from_secs(10)) => {
                        last_panic = Some(Instant::now());
                        tracing::error!("the {label} thread failed unexpectedly and was restarted; please report this");
                    }
                    Err(_) => {
                        tracing::error!(
                            "the {label} thread failed twice in ten seconds and was stopped; please report this"
                        );
                        return;
                    }
                }
            }
        });
        Self { name: name.to_owned(), handle: Some(handle) }
    }

    /// Waits for the end up to `deadline`; a thread that is stuck is left behind, and said so.
    pub fn join(&mut self, deadline: Instant) {
        let Some(handle) = self.handle.take() else { return };
        while !handle.is_finished() {
            if Instant::now() >= deadline {
                tracing::warn!("the {} thread did not end in time and was left behind", self.name);
                return;
            }
            // There is no join with a time-out in std; this runs once, at the end of the program.
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = handle.join();
    }

    pub fn is_finished(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_worker_that_panics_is_restarted_once() {
        let runs = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&runs);
        let mut worker = Worker::start("restarted", move || {
            seen.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose");
        });
        worker.join(Instant::now() + Duration::from_secs(30));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}
