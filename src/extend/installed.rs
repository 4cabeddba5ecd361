//! Which programs the user has installed: those named on the command line, and those in the folder of filters.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io};

use super::fault::Fault;
use super::program::{Limits, Program};
use crate::filter::{RegisterError, register};
use crate::util::spawn_named;

/// Programs in the folder at most; each is started once at every start of ours.
const MOST_PROGRAMS: usize = 32;
/// How long they have to end, all of them together.
const ENDING: Duration = Duration::from_secs(2);

/// Why a program is not among the filters.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("the filter program {} {fault}", .path.display())]
    Fault { path: PathBuf, fault: Fault },
    #[error("the filter program {} can't be found: {error}", .path.display())]
    Missing { path: PathBuf, error: io::Error },
    #[error("the filter program {}: {error}", .path.display())]
    Register { path: PathBuf, error: RegisterError },
    #[error("the filter program {} can be changed by everybody on this computer, so it is not started; run `chmod o-w` on it", .0.display())]
    Writable(PathBuf),
    #[error("{} has more than {MOST_PROGRAMS} programs; the rest of them is not started", .0.display())]
    TooMany(PathBuf),
}

/// The installed programs. Their processes end when this is dropped.
#[derive(Debug, Default)]
pub struct Programs {
    programs: Vec<Arc<Program>>,
}

impl Programs {
    /// Adds the programs at `named`, then those in `folder`, to the filters. Chains that hold one of them have to be read
    /// after this. With it come the complaints about the folder, whose other programs are used nevertheless.
    ///
    /// # Errors
    /// When one that was named can't be used.
    pub fn start(named: &[PathBuf], folder: Option<&Path>) -> Result<(Self, Vec<ProgramError>), ProgramError> {
        let mut programs = Self::default();
        let named = named
            .iter()
            .map(|path| path.canonicalize().map_err(|error| ProgramError::Missing { path: path.clone(), error }));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        for opened in open_all(&named) {
            programs.add(opened?)?;
        }
        let (mut found, mut complaints) = folder.map(programs_in).unwrap_or_default();
        found.retain(|path| !named.contains(path));
        for opened in open_all(&found) {
            if let Err(complaint) = opened.and_then(|program| programs.add(program)) {
                complaints.push(complaint);
            }
        }
        Ok((programs, complaints))
    }

    fn add(&mut self, program: Arc<Program>) -> Result<(), ProgramError> {
        let created = Arc::clone(&program);
        register(program.spec, move || Box::new(created.filter()))
            .map_err(|error| ProgramError::Register { path: program.path.clone(), error })?;
        self.programs.push(program);
        Ok(())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let deadline = Instant::now() + ENDING;
        for program in &self.programs {
            program.close(deadline);
        }
    }
}

/// Asks every program what it is, all at once, because an interpreter can take a second to start.
fn open_all(paths: &[PathBuf]) -> Vec<Result<Arc<Program>, ProgramError>> {
    let asked: Vec<_> = paths
        .iter()
        .map(|path| {
            let path = path.clone();
            let (answer, answered) = std::sync::mpsc::sync_channel(1);
            spawn_named("program", move || {
                let opened = Program::open(path.clone(), Limits::default());
                // Whoever asked is waiting for it below.
                let _ = answer.send(opened.map_err(|fault| ProgramError::Fault { path, fault }));
            });
            answered
        })
        .collect();
    let gone =
        |path: &PathBuf| ProgramError::Missing { path: path.clone(), error: io::Error::other("asking it failed") };
    let answers = asked.into_iter().zip(paths);
    answers.map(|(answer, path)| answer.recv().unwrap_or_else(|_| Err(gone(path)))).collect()
}

/// The programs in the folder by name, and why others are not among them. A folder that is not there has none.
fn programs_in(folder: &Path) -> (Vec<PathBuf>, Vec<ProgramError>) {
    let mut complaints = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
        Err(error) => return (Vec::new(), vec![ProgramError::Missing { path: folder.to_owned(), error }]),
    };
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let paths = entries.filter_map(|entry| entry.ok()?.path().canonicalize().ok());
    let mut paths: Vec<_> = paths.filter(|path| !is_hidden(path) && is_program(path)).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| {
        let is_safe = !is_writable_by_all(path);
        if !is_safe {
            complaints.push(ProgramError::Writable(path.clone()));
        }
        is_safe
    });
    if paths.len() > MOST_PROGRAMS {
        paths.truncate(MOST_PROGRAMS);
        complaints.push(ProgramError::TooMany(folder.to_owned()));
    }
    (paths, complaints)
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    let about = fs::metadata(path).ok()?;
    about.is_file().then(|| std::os::unix::fs::PermissionsExt::mode(&about.permissions()))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    mode(path).is_some_and(|mode| mode & 0o111 != 0)
}

#[cfg(unix)]
fn is_writable_by_all(path: &Path) -> bool {
    mode(path).is_some_and(|mode| mode & 0o002 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    matches!(ending.as_deref(), Some("exe" | "py")) && path.is_file()
}

/// Elsewhere the rights of the folder, which is the user's own, have to do.
#[cfg(not(unix))]
fn is_writable_by_all(_path: &Path) -> bool {
    false
}
