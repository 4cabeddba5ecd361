//! A value of which only the newest matters: writers replace it, readers look when they like.

use tokio::sync::watch;

/// The writing end. Clones of the value go out; no guard ever escapes, so a reader can't hold a writer up.
#[derive(Debug)]
pub struct Latest<T>(watch::Sender<T>);

/// The reading end; each one remembers what it has seen.
#[derive(Debug, Clone)]
pub struct LatestReader<T>(watch::Receiver<T>);

impl<T: Clone> Latest<T> {
    pub fn new(value: T) -> Self {
        Self(watch::Sender::new(value))
    }

    /// Replaces the value and wakes every reader that waits.
    pub fn publish(&self, value: T) {
        self.0.send_replace(value);
    }

    /// Changes the value in place; wakes readers only if `change` returns true.
    pub fn update(&self, change: impl FnOnce(&mut T) -> bool) {
        self.0.send_if_modified(change);
    }

    pub fn get(&self) -> T {
        self.0.borrow().clone()
    }

    pub fn reader(&self) -> LatestReader<T> {
        LatestReader(self.0.subscribe())
    }
}

impl<T: Clone> LatestReader<T> {
    /// The newest value, marked as seen.
    pub fn get(&mut self) -> T {
        self.0.borrow_and_update().clone()
    }

    /// The newest value if it was published since the last look.
    pub fn get_if_new(&mut self) -> Option<T> {
        match self.0.has_changed() {
            Ok(true) => Some(self.get()),
            _ => None,
        }
    }

    /// Waits until something newer than the last look is there. `None` when the writer is gone.
    pub async fn changed(&mut self) -> Option<T> {
        self.0.changed().await.ok()?;
        Some(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_sees_only_the_newest_and_only_once() {
        let latest = Latest::new(0);
        let mut reader = latest.reader();
        assert_eq!(reader.get_if_new(), None);
        latest.publish(1);
        latest.publish(2);
        assert_eq!(reader.get_if_new(), Some(2));
        assert_eq!(reader.get_if_new(), None);
        assert_eq!(reader.get(), 2);
    }
}
