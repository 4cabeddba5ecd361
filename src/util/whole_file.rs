//! Files written so that at every moment either the old or the new one is there, whole; and such as only their owner may
//! read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file for anybody whom the system lets read it.
///
/// # Errors
/// When the folder can't be written to; the file is as it was then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, OpenOptions::new())
}

/// Writes a file that its owner alone can read. On systems without such modes the folder's rights have to do.
///
/// # Errors
/// When the folder can't be written to; the file is as it was then.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, private())
}

fn write(path: &Path, bytes: &[u8], mut options: OpenOptions) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    // What an earlier attempt left may have other rights.
    let _ = fs::remove_file(&temporary);
    let written = (|| {
        let mut file = options.write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself lives in the folder; where a folder can't be opened (Windows) the system sees to it.
        File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
    })();
    written.inspect_err(|_| {
        // What is left of the attempt is of no use; that it can't be removed changes nothing.
        let _ = fs::remove_file(&temporary);
    })
}

/// Opens a file that its owner alone can read, to write at its end.
///
/// # Errors
/// When it can't be opened or made.
pub fn append_private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    private().append(true).create(true).open(path)
}

fn private() -> OpenOptions {
    let options = OpenOptions::new();
    #[cfg(unix)]
    let options = {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = options;
        options.mode(0o600);
        options
    };
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_private_is_readable_by_its_owner_alone_and_replaced_whole() {
        let folder = std::env::temp_dir().join(format!("lenscast-private-{}", std::process::id()));
        let path = folder.join("secret.json");
        for text in ["first", "second"] {
            write_private(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        append_private(&folder.join("log")).unwrap().write_all(b"line").unwrap();
        assert_eq!(fs::metadata(folder.join("log")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(folder).unwrap();
    }
}
