//! The user's own presets: one file each, so that one that is damaged costs no other, written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{FileError, write_whole};
use super::presets::{self, Preset, PresetError, clean_name};

/// Presets that are read; nobody finds anything among more.
const MOST_PRESETS: usize = 200;
/// Characters of a file's name, without its ending.
const MOST_STEM: usize = 40;

/// The folder of the user's presets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetFolder(PathBuf);

/// What the folder holds, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    pub presets: Vec<OwnPreset>,
    /// Files that can't be read; they are left alone.
    pub damaged: Vec<Damaged>,
}

/// A preset and the name of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPreset {
    pub file: String,
    pub preset: Preset,
}

/// A file that is no preset, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    pub file: String,
    pub reason: String,
}

/// Why a preset could not be kept, renamed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("a preset needs a name")]
    NoName,
    #[error("{0} is not there any more")]
    Gone(String),
    #[error("{file} was left as it is: {reason}")]
    Damaged { file: String, reason: PresetError },
    #[error("{file} can't be deleted: {source}")]
    Delete { file: String, source: std::io::Error },
    /// The sentence says what to do instead.
    #[error("{0}")]
    NoFolder(&'static str),
    #[error(transparent)]
    File(#[from] FileError),
}

impl PresetFolder {
    /// The folder `presets` in the folder of the settings; it is made when the first preset is saved.
    pub fn inside(settings: &Path) -> Self {
        Self(settings.join("presets"))
    }

    /// Everything in the folder, the user's presets by name.
    pub fn list(&self) -> Listing {
        let mut listing = Listing::default();
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return listing,
            Err(error) => {
                listing.damaged.push(Damaged { file: self.0.display().to_string(), reason: error.to_string() });
                return listing;
            }
        };
        let mut files: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_preset_file(name))
            .collect();
        files.sort();
        let left_out = files.len().saturating_sub(MOST_PRESETS);
        files.truncate(MOST_PRESETS);
        for file in files {
            match self.load(&file) {
                Ok(preset) => listing.presets.push(OwnPreset { file, preset }),
                Err(reason) => listing.damaged.push(Damaged { file, reason: reason.to_string() }),
            }
        }
        if left_out > 0 {
            let reason = format!("{left_out} more are not shown; {MOST_PRESETS} is the most");
            listing.damaged.push(Damaged { file: self.0.display().to_string(), reason });
        }
        listing.presets.sort_by_cached_key(|own| (own.preset.name.to_lowercase(), own.file.clone()));
        listing
    }

    /// Keeps a new preset and gives the name it got: where another one has that name, a number is added.
    ///
    /// # Errors
    /// When it has no name, or the folder can't be written to.
    pub fn add(&self, mut preset: Preset) -> Result<String, FolderError> {
        let name = clean_name(&preset.name).ok_or(FolderError::NoName)?;
        preset.name = self.free_name(&name, None);
        write_whole(&self.free_path(&stem_of(&preset.name)), preset.to_text().as_bytes())?;
        Ok(preset.name)
    }

    /// Gives a preset another name and gives back the one it got.
    ///
    /// # Errors
    /// When there is no such preset, or it is damaged (then it is left alone), or the folder can't be written to.
    pub fn rename(&self, file: &str, name: &str) -> Result<String, FolderError> {
        let mut preset = self.load_whole(file)?;
        let name = clean_name(name).ok_or(FolderError::NoName)?;
        preset.name = self.free_name(&name, Some(file));
        write_whole(&self.path(file)?, preset.to_text().as_bytes())?;
        Ok(preset.name)
    }

    /// Deletes a preset and gives it back, so that it can be restored.
    ///
    /// # Errors
    /// When there is no such preset, or it is damaged (then it is left alone), or it can't be deleted.
    pub fn delete(&self, file: &str) -> Result<Preset, FolderError> {
        let preset = self.load_whole(file)?;
        fs::remove_file(self.path(file)?).map_err(|source| FolderError::Delete { file: file.to_owned(), source })?;
        Ok(preset)
    }

    /// One preset by its file, to export it.
    ///
    /// # Errors
    /// When there is no such preset, or it is damaged.
    pub fn get(&self, file: &str) -> Result<Preset, FolderError> {
        self.load_whole(file)
    }

    fn load(&self, file: &str) -> Result<Preset, PresetError> {
        Preset::from_json(&presets::read(&self.0.join(file))?)
    }

    fn load_whole(&self, file: &str) -> Result<Preset, FolderError> {
        let path = self.path(file)?;
        if !path.exists() {
            return Err(FolderError::Gone(file.to_owned()));
        }
        self.load(file).map_err(|reason| FolderError::Damaged { file: file.to_owned(), reason })
    }

    /// The path of a file right in this folder; no name leads out of it.
    fn path(&self, file: &str) -> Result<PathBuf, FolderError> {
        let plain = Path::new(file).file_name().is_some_and(|name| name == file) && is_preset_file(file);
        if plain { Ok(self.0.join(file)) } else { Err(FolderError::Gone(file.to_owned())) }
    }

    fn free_name(&self, name: &str, but: Option<&str>) -> String {
        let listing = self.list();
        let taken =
            |name: &str| listing.presets.iter().any(|own| Some(own.file.as_str()) != but && own.preset.name == name);
        numbered(|number| if number == 1 { name.to_owned() } else { format!("{name} {number}") }, |name| taken(name))
    }

    fn free_path(&self, stem: &str) -> PathBuf {
        let path = |number| match number {
            1 => self.0.join(format!("{stem}.json")),
            number => self.0.join(format!("{stem}-{number}.json")),
        };
        numbered(path, |path| path.exists())
    }
}

/// The first of a numbered series that is not taken.
fn numbered<T>(make: impl Fn(u32) -> T, taken: impl Fn(&T) -> bool) -> T {
    let mut number = 1;
    loop {
        let made = make(number);
        if !taken(&made) {
            return made;
        }
        number += 1;
    }
}

fn is_preset_file(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// A file name that every system takes, from a name in any script.
fn stem_of(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let stem: String = name.chars().map(plain).take(MOST_STEM).collect();
    let stem = stem.trim_matches('-');
    // Devices of Windows, whatever their ending, and what is left of a name without Latin letters.
    let numbered = |device| stem.len() == 4 && stem.starts_with(device);
    let reserved = ["con", "prn", "aux", "nul"].contains(&stem) || numbered("com") || numbered("lpt");
    if stem.is_empty() || reserved {
        format!("preset-{stem}").trim_end_matches('-').to_owned()
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Chain, create};

    /// A folder that is removed at its end.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> (Self, PresetFolder) {
            let path = std::env::temp_dir().join(format!("lenscast-presets-{name}-{}", std::process::id()));
            let folder = PresetFolder::inside(&path);
            (Self(path), folder)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn preset(name: &str) -> Preset {
        let mut chain = Chain::default();
        chain.add(create("invert").unwrap());
        Preset { name: name.to_owned(), about: String::new(), chain }
    }

    fn names(folder: &PresetFolder) -> Vec<String> {
        folder.list().presets.into_iter().map(|own| own.preset.name).collect()
    }

    #[test]
    fn presets_are_kept_renamed_deleted_and_restored() {
        let (_temporary, folder) = Temporary::new("kept");
        assert_eq!(folder.list(), Listing::default());
        assert_eq!(folder.add(preset("Zwei")).unwrap(), "Zwei");
        assert_eq!(folder.add(preset(" Eins\n")).unwrap(), "Eins");
        assert_eq!(folder.add(preset("Zwei")).unwrap(), "Zwei 2");
        assert_eq!(names(&folder), ["Eins", "Zwei", "Zwei 2"]);
        let file = folder.list().presets[0].file.clone();
        assert_eq!(folder.rename(&file, "漢字").unwrap(), "漢字");
        let deleted = folder.delete(&file).unwrap();
        assert_eq!(names(&folder), ["Zwei", "Zwei 2"]);
        folder.add(deleted).unwrap();
        assert_eq!(names(&folder), ["Zwei", "Zwei 2", "漢字"]);
        assert!(matches!(folder.add(preset(" \t")), Err(FolderError::NoName)));
    }

    #[test]
    fn a_damaged_file_is_listed_with_the_reason_and_never_touched() {
        let (_temporary, folder) = Temporary::new("damaged");
        folder.add(preset("Good")).unwrap();
        let path = folder.0.join("bad.json");
        fs::write(&path, "{ \"version\": 1, \"name\": ").unwrap();
        fs::write(folder.0.join(".hidden.json"), "x").unwrap();
        let listing = folder.list();
        assert_eq!(listing.presets.len(), 1);
        assert_eq!(listing.damaged.len(), 1);
        assert!(listing.damaged[0].reason.contains("not JSON"), "{:?}", listing.damaged);
        assert!(matches!(folder.rename("bad.json", "x"), Err(FolderError::Damaged { .. })));
        assert!(matches!(folder.delete("bad.json"), Err(FolderError::Damaged { .. })));
        // A new preset of that name gets another file.
        folder.add(preset("Bad")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{ \"version\": 1, \"name\": ");
        assert_eq!(names(&folder), ["Bad", "Good"]);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let (temporary, folder) = Temporary::new("outside");
        folder.add(preset("In")).unwrap();
        fs::write(temporary.0.join("out.json"), preset("Out").to_text()).unwrap();
        for file in ["../out.json", "/etc/passwd", "", "in", ".json"] {
            assert!(matches!(folder.delete(file), Err(FolderError::Gone(_))), "{file}");
        }
    }

    #[test]
    fn every_name_gives_a_file_that_every_system_takes() {
        assert_eq!(stem_of("My look!"), "my-look");
        assert_eq!(stem_of("漢字"), "preset");
        assert_eq!(stem_of("CON"), "preset-con");
        assert_eq!(stem_of("../../etc"), "etc");
        assert!(stem_of(&"x".repeat(500)).len() <= MOST_STEM);
    }
}
