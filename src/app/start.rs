//! The whole desktop program: the saved settings, the engine, the window, and an orderly end.

use anyhow::Context;

use super::{WindowOptions, run};
use crate::engine::{Engine, Event, end_on_signal};
use crate::settings::{PresetFolder, Settings, file};

/// Opens the window over an engine of its own; returns when the window was closed and everything has ended.
/// `complaints` were collected before and are shown as warnings.
///
/// # Errors
/// When the window can't be opened, or the engine can't start.
pub fn run_with_engine(complaints: Vec<String>) -> anyhow::Result<()> {
    let folder = file::folder();
    let path = folder.as_ref().map(|folder| folder.join("settings.json"));
    let loaded = path.as_deref().map_or_else(|| Ok(Settings::default()), file::load);
    let (settings, trouble) = match loaded {
        Ok(settings) => (settings, None),
        Err(error) => {
            // The damaged file is kept aside: what is in it may be worth more than this program can tell.
            let aside = path.as_ref().map(|path| path.with_extension("damaged.json"));
            if let (Some(path), Some(aside)) = (&path, &aside) {
                std::fs::rename(path, aside).with_context(|| format!("{error}"))?;
            }
            let kept = aside.map(|aside| format!("; it was kept as {}", aside.display())).unwrap_or_default();
            (Settings::default(), Some(format!("{error}{kept}. Lenscast starts afresh.")))
        }
    };
    let presets = folder.as_deref().map(PresetFolder::inside);
    let engine = Engine::start(settings, path, folder.clone())?;
    end_on_signal(engine.handle());
    for trouble in complaints.into_iter().chain(trouble) {
        engine.handle().tell(Event::Warning(trouble));
    }
    let result = run(engine.handle(), WindowOptions { persistence_path: folder, presets });
    engine.shutdown();
    // The window system's errors hold handles that may not leave their thread; their sentence may.
    result.map_err(|error| anyhow::anyhow!("{error}"))
}
