//! One place between two threads: what is put replaces what was not taken yet, so the newest wins and nobody waits to put.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A one-place mailbox. Capacity 1, drop policy: the older value goes.
#[derive(Debug)]
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    closed: bool,
}

/// The mailbox was closed and is empty: the taker's thread should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox is closed")]
pub struct Closed;

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { value: None, closed: false }), filled: Condvar::new() }
    }
}

impl<T> Mailbox<T> {
    /// Puts a value and returns the one it replaced, which the caller counts as dropped.
    pub fn put(&self, value: T) -> Option<T> {
        self.update(|slot| slot.replace(value))
    }

    /// Looks at or merges into what is waiting; wakes the taker if there is something afterwards.
    pub fn update<R>(&self, change: impl FnOnce(&mut Option<T>) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state.value);
        if state.value.is_some() {
            self.filled.notify_one();
        }
        result
    }

    /// Waits up to `timeout` for a value; `Ok(None)` when none came in time.
    ///
    /// # Errors
    /// [`Closed`] once the mailbox is closed and empty.
    pub fn take(&self, timeout: Duration) -> Result<Option<T>, Closed> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(value) = state.value.take() {
                return Ok(Some(value));
            }
            if state.closed {
                return Err(Closed);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the taker once it has taken what is left.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // A panic elsewhere leaves a whole value or none: both are fine to go on with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_value_replaces_the_one_not_taken() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(1), None);
        assert_eq!(mailbox.put(2), Some(1));
        assert_eq!(mailbox.take(Duration::ZERO), Ok(Some(2)));
        assert_eq!(mailbox.take(Duration::ZERO), Ok(None));
    }

    #[test]
    fn closing_lets_the_last_value_out_and_then_ends() {
        let mailbox = Mailbox::default();
        mailbox.put(1);
        mailbox.close();
        assert_eq!(mailbox.take(Duration::from_secs(9)), Ok(Some(1)));
        assert_eq!(mailbox.take(Duration::from_secs(9)), Err(Closed));
    }
}
