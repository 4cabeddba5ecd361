//! Reads the files of filters on a thread of their own: a disk that sleeps, or a network that is gone, must not stop the
//! picture.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use crate::filter::{Files, MOST_BYTES};
use crate::util::spawn_named;

/// The files of the pipeline's filters.
pub fn reader() -> Arc<Files> {
    Arc::new(Files::new(Box::new(|path, then| {
        let path = path.to_owned();
        spawn_named("file", move || then(read(&path)));
    })))
}

/// Files that are read at once, for what has no picture to keep moving.
pub fn files_now() -> Files {
    Files::new(Box::new(|path, then| then(read(path))))
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}
