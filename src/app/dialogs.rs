//! Everything that touches files for the window: the system's dialogs, chains, dropped files. Always on another thread.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::action::{FileJob, FilePurpose};
use super::model::{PICTURE_ENDINGS, purpose_of};
use super::presets::Presets;
use crate::capture::SourceId;
use crate::engine::{Command, Event, Handle};
use crate::filter::{Chain, ChainError, ParamKind, ParamValue};
use crate::settings::FolderError;
use crate::settings::presets::{self, Content, Preset, PresetError};
use crate::util::spawn_named;

/// Why a chain could not be loaded or saved; shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{0} can't be read: {1}")]
    Read(String, #[source] std::io::Error),
    #[error("{0} can't be written: {1}")]
    Write(String, #[source] std::io::Error),
    #[error("{0} is too large to be a filter chain")]
    TooLarge(String),
    #[error("{0}: {1}")]
    Chain(String, #[source] ChainError),
    #[error("{0}: {1}")]
    Preset(String, #[source] PresetError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0} does not exist")]
    Missing(String),
    #[error("the filter that {0} was chosen for is not there any more")]
    FilterGone(String),
    #[error("the name of {0} has characters that can't be kept; rename the file")]
    Name(String),
}

/// Carries out jobs with files, one dialog at a time.
#[derive(Clone)]
pub struct Files {
    handle: Handle,
    presets: Presets,
    dialog_open: Arc<AtomicBool>,
}

impl Files {
    pub fn new(handle: Handle, presets: Presets) -> Self {
        Self { handle, presets, dialog_open: Arc::default() }
    }

    /// Starts the job and returns at once; what came of it is told as an event. `Err` says why the dialog can't be
    /// shown, so that a path is typed instead.
    ///
    /// # Errors
    /// When this system has no dialog.
    pub fn start(&self, job: FileJob) -> Result<(), &'static str> {
        let files = self.clone();
        // A filter is named by its key in the chain of this source, whatever is chosen while the dialog is open.
        let source = self.handle.store.get().source.clone();
        match job {
            FileJob::Browse(purpose) => {
                if let Some(reason) = no_dialog() {
                    return Err(reason);
                }
                if self.dialog_open.swap(true, Ordering::AcqRel) {
                    self.handle.tell(Event::Warning(
                        "A file dialog is open already; if you can't see it, use File, Open by path…".to_owned(),
                    ));
                    return Ok(());
                }
                spawn_named("dialog", move || {
                    let chosen = browse(&purpose);
                    files.dialog_open.store(false, Ordering::Release);
                    if let Some(path) = chosen {
                        files.finish(&purpose, &path, &source);
                    }
                });
            }
            FileJob::Use(purpose, path) => {
                spawn_named("file", move || files.finish(&purpose, &path, &source));
            }
        }
        Ok(())
    }

    fn finish(&self, purpose: &FilePurpose, path: &Path, source: &SourceId) {
        let told = match self.carry_out(purpose, path, source) {
            Ok(Some(text)) => Event::Info(text),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("{error}");
                Event::Error(error.to_string())
            }
        };
        self.handle.tell(told);
    }

    /// What to tell the user, if anything.
    fn carry_out(&self, purpose: &FilePurpose, path: &Path, source: &SourceId) -> Result<Option<String>, FileError> {
        let name = file_name(path);
        match purpose {
            FilePurpose::OpenAny => {
                let chain = self.handle.store.get().chains.get(source).cloned().unwrap_or_default();
                self.carry_out(&purpose_of(path, &chain), path, source)
            }
            FilePurpose::OpenImage => {
                if !path.is_file() {
                    return Err(FileError::Missing(name));
                }
                let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                self.handle.store.edit(|settings| settings.source = SourceId::Image(path));
                Ok(None)
            }
            // What is in the file decides: a preset goes to the presets, whichever way it came.
            FilePurpose::LoadChain | FilePurpose::ImportPreset => {
                let (content, clamped) = load(path)?;
                let told = match content {
                    Content::Chain(chain) if *purpose == FilePurpose::LoadChain => {
                        let filters = chain.items().len();
                        self.handle.store.edit(|settings| *settings.chain_mut() = chain);
                        format!("Loaded {filters} filters from {name}")
                    }
                    Content::Chain(chain) => {
                        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                        self.import(Preset { name: stem, about: String::new(), chain })?
                    }
                    Content::Preset(preset) => self.import(preset)?,
                };
                Ok(Some(told + &clamped))
            }
            FilePurpose::ExportPreset { file, .. } => {
                let path = with_ending(path, &["json"], "json");
                write(&self.presets.get(file)?.to_text(), &path)?;
                Ok(Some(format!("Exported the preset as {}", path.display())))
            }
            FilePurpose::FilterFile { key, param, .. } => self.use_for_filter(path, source, *key, param).map(|()| None),
            FilePurpose::SaveChain => {
                let path = with_ending(path, &["json"], "json");
                save_chain(&self.handle.store.get().chain(), &path)?;
                Ok(Some(format!("Saved the filters as {}", path.display())))
            }
            FilePurpose::ExportLog => {
                self.handle.command(Command::ExportLog { path: with_ending(path, &["log", "jsonl", "txt"], "log") });
                Ok(None)
            }
            FilePurpose::SaveSnapshot => {
                // The engine writes it and tells what came of it.
                self.handle.command(Command::SaveSnapshot { path: with_ending(path, &["png", "jpg", "jpeg"], "png") });
                Ok(None)
            }
        }
    }

    fn import(&self, preset: Preset) -> Result<String, FileError> {
        Ok(format!("Imported the preset “{}”; it is under Presets", self.presets.import(preset)?))
    }

    /// Makes the file the value of a filter's parameter.
    fn use_for_filter(&self, path: &Path, source: &SourceId, key: u32, param: &str) -> Result<(), FileError> {
        if !path.is_file() {
            return Err(FileError::Missing(file_name(path)));
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let text = path.to_str().filter(|text| text.len() <= ParamKind::MOST_TEXT);
        let value = ParamValue::Text(text.ok_or_else(|| FileError::Name(file_name(&path)))?.to_owned());
        let set = self.handle.store.edit(|settings| {
            let filter = settings.chains.get_mut(source).and_then(|chain| chain.filter_mut(key))?;
            let takes_files = |spec: &crate::filter::ParamSpec| matches!(spec.kind, ParamKind::File { .. });
            filter.spec().param(param).filter(|spec| takes_files(spec))?;
            filter.params_mut().set(param, &value).ok()
        });
        set.ok_or_else(|| FileError::FilterGone(file_name(&path)))
    }
}

/// Reads a chain or a preset, and says which value was out of range, if one was.
fn load(path: &Path) -> Result<(Content, String), FileError> {
    let name = || file_name(path);
    let named = |error| match error {
        PresetError::Read(error) => FileError::Read(name(), error),
        PresetError::TooLarge => FileError::TooLarge(name()),
        PresetError::Chain(error) => FileError::Chain(name(), error),
        error => FileError::Preset(name(), error),
    };
    let json = presets::read(path).map_err(named)?;
    let content = presets::content(&json).map_err(named)?;
    let (filters, chain) = match &content {
        Content::Preset(preset) => (&json["chain"]["filters"], &preset.chain),
        Content::Chain(chain) => (&json["filters"], chain),
    };
    let clamped = presets::first_clamped(filters, chain)
        .map(|value| format!(". {value} was out of range and was brought into it"));
    Ok((content, clamped.unwrap_or_default()))
}

/// Reads a chain file.
///
/// # Errors
/// When there is no such file, or it is not a chain.
pub fn load_chain(path: &Path) -> Result<Chain, FileError> {
    match load(path)?.0 {
        Content::Chain(chain) => Ok(chain),
        Content::Preset(preset) => Ok(preset.chain),
    }
}

/// Writes a chain file: whole or not at all.
///
/// # Errors
/// When the folder can't be written to.
pub fn save_chain(chain: &Chain, path: &Path) -> Result<(), FileError> {
    write(&format!("{:#}\n", chain.to_json()), path)
}

fn write(text: &str, path: &Path) -> Result<(), FileError> {
    let aside = path.with_added_extension("part");
    let write = || {
        let mut file = fs::File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&aside);
        FileError::Write(path.display().to_string(), error)
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The path, with an ending where it has none of the known ones.
fn with_ending(path: &Path, known: &[&str], ending: &str) -> PathBuf {
    let has = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    if has.is_some_and(|has| known.contains(&has.as_str())) {
        path.to_owned()
    } else {
        path.with_added_extension(ending)
    }
}

/// Where a file is put when the user types no more than its name.
pub fn suggested_path(purpose: &FilePurpose) -> String {
    let folder = std::env::home_dir().unwrap_or_else(|| PathBuf::from("."));
    match purpose {
        FilePurpose::SaveChain => folder.join("filters.json").display().to_string(),
        FilePurpose::SaveSnapshot => folder.join("lenscast.png").display().to_string(),
        FilePurpose::ExportLog => folder.join("lenscast-access.log").display().to_string(),
        FilePurpose::ExportPreset { name, .. } => folder.join(export_name(name)).display().to_string(),
        FilePurpose::OpenImage
        | FilePurpose::LoadChain
        | FilePurpose::ImportPreset
        | FilePurpose::FilterFile { .. }
        | FilePurpose::OpenAny => String::new(),
    }
}

/// A preset's name without what separates folders.
fn export_name(name: &str) -> String {
    format!("{}.json", name.replace(['/', '\\', ':'], "-"))
}

/// Asks with the system's dialog; `None` when the user cancelled.
fn browse(purpose: &FilePurpose) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match purpose {
        FilePurpose::OpenImage => dialog.set_title("Open image").add_filter("Pictures", &PICTURE_ENDINGS).pick_file(),
        FilePurpose::ImportPreset => dialog.set_title("Import preset").add_filter("Presets", &["json"]).pick_file(),
        FilePurpose::ExportPreset { name, .. } => dialog
            .set_title("Export preset")
            .add_filter("Presets", &["json"])
            .set_file_name(export_name(name))
            .save_file(),
        FilePurpose::FilterFile { extensions, .. } => {
            let endings: Vec<&str> = extensions.split_whitespace().collect();
            dialog.set_title("Choose file").add_filter("Files of the filter", &endings).pick_file()
        }
        FilePurpose::LoadChain => dialog.set_title("Load chain").add_filter("Filter chains", &["json"]).pick_file(),
        FilePurpose::OpenAny => dialog.set_title("Open").pick_file(),
        FilePurpose::SaveChain => dialog
            .set_title("Save chain")
            .add_filter("Filter chains", &["json"])
            .set_file_name("filters.json")
            .save_file(),
        FilePurpose::ExportLog => dialog.set_title("Export log").set_file_name("lenscast-access.log").save_file(),
        FilePurpose::SaveSnapshot => dialog
            .set_title("Save snapshot")
            .add_filter("Pictures", &["png", "jpg"])
            .set_file_name("lenscast.png")
            .save_file(),
    }
}

/// Why no dialog can be shown here; `None` where one can. Without this check a missing one looks like a cancelled one.
#[cfg(target_os = "linux")]
fn no_dialog() -> Option<&'static str> {
    let find = |variable: &str, default: &str, file: &str| {
        let folders = std::env::var_os(variable).unwrap_or_else(|| default.into());
        std::env::split_paths(&folders).any(|folder| folder.join(file).is_file())
    };
    let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    let portal = "dbus-1/services/org.freedesktop.portal.Desktop.service";
    let reachable = bus && find("XDG_DATA_DIRS", "/usr/local/share:/usr/share", portal) || find("PATH", "", "zenity");
    (!reachable)
        .then_some("This desktop has no file dialog. Install xdg-desktop-portal or zenity, or type the path here.")
}

#[cfg(not(target_os = "linux"))]
fn no_dialog() -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::create;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("lenscast-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_saved_chain_loads_again_and_leaves_nothing_beside_it() {
        let folder = folder("chain");
        let mut chain = Chain::default();
        chain.add(create("crop").unwrap());
        let path = folder.join("a.json");
        save_chain(&chain, &path).unwrap();
        assert_eq!(load_chain(&path).unwrap().to_json(), chain.to_json());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_chain_is_refused_with_the_name_of_the_file() {
        let folder = folder("refused");
        let path = folder.join("b.json");
        for text in ["", "[]", &" ".repeat(300 * 1024)] {
            fs::write(&path, text).unwrap();
            assert!(load_chain(&path).unwrap_err().to_string().starts_with("b.json"));
        }
        assert!(load_chain(&folder.join("none.json")).is_err());
        assert!(save_chain(&Chain::default(), &folder.join("no/such/folder.json")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_name_without_an_ending_gets_one() {
        assert_eq!(with_ending(Path::new("/a/b"), &["png", "jpg"], "png"), Path::new("/a/b.png"));
        assert_eq!(with_ending(Path::new("/a/b.JPG"), &["png", "jpg"], "png"), Path::new("/a/b.JPG"));
        assert_eq!(with_ending(Path::new("/a/b.1"), &["png"], "png"), Path::new("/a/b.1.png"));
    }
}
