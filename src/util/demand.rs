//! Who wants the output of a stage. Without a wish nothing runs: no capture, no filter, no encoder.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts wishes. A child's wish is also its parent's: one viewer of the H.264 encoder wants the capture as well.
#[derive(Debug, Default)]
pub struct Demand {
    wishes: Mutex<usize>,
    changed: Condvar,
    parent: Option<Arc<Demand>>,
}

/// One wish; it ends when this is dropped.
#[derive(Debug)]
pub struct Ticket(Arc<Demand>);

impl Demand {
    pub fn child(parent: &Arc<Demand>) -> Arc<Demand> {
        Arc::new(Demand { parent: Some(Arc::clone(parent)), ..Demand::default() })
    }

    pub fn want(self: &Arc<Self>) -> Ticket {
        let mut demand = Some(self);
        while let Some(level) = demand {
            *level.wishes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            level.changed.notify_all();
            demand = level.parent.as_ref();
        }
        Ticket(Arc::clone(self))
    }

    pub fn count(&self) -> usize {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_wanted(&self) -> bool {
        self.count() > 0
    }

    /// Waits up to `timeout` until somebody wants something; false when nobody did.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        while *wishes == 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            wishes = self.changed.wait_timeout(wishes, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut demand = Some(&self.0);
        while let Some(level) = demand {
            *level.wishes.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            demand = level.parent.as_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_reaches_the_parent_and_ends_when_dropped() {
        let root = Arc::new(Demand::default());
        let leaf = Demand::child(&root);
        let ticket = leaf.want();
        assert_eq!((root.count(), leaf.count()), (1, 1));
        assert!(root.wait(Duration::ZERO));
        drop(ticket);
        assert_eq!((root.count(), leaf.count()), (0, 0));
        assert!(!root.wait(Duration::ZERO));
    }
}
