//! Files that filters need: read once, on somebody else's thread, and kept in the form that the filter wants.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kernel::PrepareError;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: u64 = 64 << 20;
/// Files that are kept; a chain rarely has two.
const MOST_FILES: usize = 16;

/// Called with what a file holds.
pub type Read = Box<dyn FnOnce(io::Result<Vec<u8>>) + Send>;

/// Reads a file of at most [`MOST_BYTES`] and calls back, now or later, on any thread.
pub type Reader = Box<dyn Fn(&str, Read) + Send + Sync>;

/// The files of all chains.
pub struct Files {
    reader: Reader,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    files: Mutex<HashMap<(String, TypeId), File>>,
    version: AtomicU64,
}

struct File {
    /// When it was last asked for, counted in questions.
    asked: u64,
    content: Option<Result<Arc<dyn Any + Send + Sync>, String>>,
}

impl Kept {
    fn files(&self) -> MutexGuard<'_, HashMap<(String, TypeId), File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    pub fn new(reader: Reader) -> Self {
        Self { reader, kept: Arc::default() }
    }

    /// No files at all, for where none should be read.
    pub fn none() -> Self {
        Self::new(Box::new(|_, then| then(Err(io::Error::other("files can't be read here")))))
    }

    /// Changes whenever a file that was asked for has arrived.
    pub fn version(&self) -> u64 {
        self.kept.version.load(Ordering::Acquire)
    }

    /// Reads everything anew when it is asked for next: the user may have changed it.
    pub fn forget(&self) {
        self.kept.files().retain(|_, file| file.content.is_none());
        self.kept.version.fetch_add(1, Ordering::AcqRel);
    }

    /// What `parse` makes of the file; it is called once, on the thread that reads.
    ///
    /// # Errors
    /// [`PrepareError::NotYet`] until the file has been read, else a sentence about what is wrong with it.
    pub fn parsed<T: Send + Sync + 'static>(
        &self,
        path: &str,
        parse: fn(&[u8]) -> Result<T, String>,
    ) -> Result<Arc<T>, PrepareError> {
        let path = path.trim();
        if path.is_empty() {
            return Err(PrepareError::Because("choose a file".to_owned()));
        }
        let key = (path.to_owned(), TypeId::of::<T>());
        if !self.is_known(&key) {
            let (kept, key, name) = (Arc::clone(&self.kept), key.clone(), path.to_owned());
            let arrived = move |bytes: io::Result<Vec<u8>>| {
                let content = bytes.map_err(|error| format!("{name} can't be read: {error}")).and_then(|bytes| {
                    let parsed = parse(&bytes).map_err(|error| format!("{name}: {error}"))?;
                    Ok(Arc::new(parsed) as Arc<dyn Any + Send + Sync>)
                });
                if let Some(file) = kept.files().get_mut(&key) {
                    file.content = Some(content);
                }
                kept.version.fetch_add(1, Ordering::AcqRel);
            };
            (self.reader)(path, Box::new(arrived));
        }
        match self.kept.files().get(&key).and_then(|file| file.content.clone()) {
            None => Err(PrepareError::NotYet),
            Some(Err(error)) => Err(PrepareError::Because(error)),
            Some(Ok(content)) => content.downcast().map_err(|_| PrepareError::NotYet),
        }
    }

    /// Whether the file was asked for before; notes that it was now, and lets go what has not been asked for longest.
    fn is_known(&self, key: &(String, TypeId)) -> bool {
        let mut files = self.kept.files();
        let asked = files.values().map(|file| file.asked).max().unwrap_or(0) + 1;
        if let Some(file) = files.get_mut(key) {
            file.asked = asked;
            return true;
        }
        if files.len() >= MOST_FILES
            && let Some(oldest) = files.iter().min_by_key(|(_, file)| file.asked).map(|(key, _)| key.clone())
        {
            files.remove(&oldest);
        }
        files.insert(key.clone(), File { asked, content: None });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(bytes: &[u8]) -> Result<usize, String> {
        if bytes.is_empty() { Err("it is empty".to_owned()) } else { Ok(bytes.len()) }
    }

    #[test]
    fn a_file_is_read_once_and_its_arrival_changes_the_version() {
        let waiting: Arc<Mutex<Vec<Read>>> = Arc::default();
        let queue = Arc::clone(&waiting);
        let files = Files::new(Box::new(move |_, then| queue.lock().expect("nobody panics").push(then)));
        assert_eq!(files.parsed("a.cube", length), Err(PrepareError::NotYet));
        assert_eq!(files.parsed("a.cube", length), Err(PrepareError::NotYet));
        let before = files.version();
        let mut reads = std::mem::take(&mut *waiting.lock().expect("nobody panics"));
        assert_eq!(reads.len(), 1);
        reads.remove(0)(Ok(vec![1, 2, 3]));
        assert_ne!(files.version(), before);
        assert_eq!(files.parsed("a.cube", length).as_deref(), Ok(&3));
        files.forget();
        assert_eq!(files.parsed("a.cube", length), Err(PrepareError::NotYet));
    }

    #[test]
    fn what_is_wrong_with_a_file_names_it() {
        let files = Files::new(Box::new(|_, then| then(Ok(Vec::new()))));
        assert_eq!(files.parsed("a.cube", length), Err(PrepareError::Because("a.cube: it is empty".to_owned())));
        assert!(matches!(files.parsed("  ", length), Err(PrepareError::Because(_))));
        let missing = Files::none().parsed("b.cube", length);
        assert!(matches!(missing, Err(PrepareError::Because(text)) if text.starts_with("b.cube can't be read")));
    }

    #[test]
    fn only_so_many_files_are_kept() {
        let files = Files::new(Box::new(|_, then| then(Ok(vec![0]))));
        for number in 0..100 {
            assert!(files.parsed(&format!("{number}.cube"), length).is_ok());
        }
        assert_eq!(files.kept.files().len(), MOST_FILES);
    }
}
