//! What the user asks for in one frame. The layout only collects these; they are carried out after painting.

use std::path::PathBuf;

use crate::capture::SourceId;
use crate::engine::{Command, Event, Handle};
use crate::filter::{Entry, MOST_FILTERS, ParamValue, create};
use crate::settings::{PreviewRate, Reach, Settings, Theme};

/// One wish of the user.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Changes the settings; everybody who reads them sees it in the next frame.
    Edit(Edit),
    /// Goes to the engine as it is.
    Ask(Command),
    /// Touches a file, on a thread of its own.
    File(FileJob),
    /// Shows something for a few seconds.
    Tell(Event),
    Quit,
}

/// A change of the settings. Filters are named by their key in the chain of the current source.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    Source(SourceId),
    Fps(u32),
    AddFilter(&'static str),
    RemoveFilter(u32),
    EnableFilter(u32, bool),
    /// To a place, 0 for the first.
    MoveFilter(u32, usize),
    Param(u32, &'static str, ParamValue),
    /// All parameters of a filter back to their defaults.
    ResetFilter(u32),
    ClearChain,
    Share(bool),
    Control(bool),
    WatchAnyone(bool),
    Reach(Reach),
    Port(u16),
    Preview(PreviewRate),
    Theme(Theme),
}

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePurpose {
    OpenImage,
    LoadChain,
    SaveChain,
    SaveSnapshot,
    /// A picture or a chain, told apart by the name's ending.
    OpenAny,
}

/// Something to do with a file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileJob {
    /// Ask with the system's dialog.
    Browse(FilePurpose),
    /// The path is known: typed, dropped or chosen.
    Use(FilePurpose, PathBuf),
}

impl From<Edit> for Action {
    fn from(edit: Edit) -> Self {
        Self::Edit(edit)
    }
}

impl Edit {
    /// Carries the change out; `Err` says in a sentence why it was not possible.
    ///
    /// # Errors
    /// When the chain is full.
    pub fn apply(self, settings: &mut Settings) -> Result<(), String> {
        match self {
            Self::Source(source) => settings.source = source,
            Self::Fps(fps) => settings.fps = fps,
            Self::AddFilter(id) => {
                if let Some(filter) = create(id) {
                    let added = settings.chain_mut().add(filter);
                    added.ok_or_else(|| format!("A chain holds at most {MOST_FILTERS} filters; remove one first"))?;
                }
            }
            Self::RemoveFilter(key) => settings.chain_mut().remove(key),
            Self::EnableFilter(key, enabled) => {
                if let Some(item) = settings.chain_mut().item_mut(key) {
                    item.enabled = enabled;
                }
            }
            Self::MoveFilter(key, place) => settings.chain_mut().move_to(key, place),
            Self::Param(key, param, value) => {
                if let Some(filter) = settings.chain_mut().filter_mut(key) {
                    filter.params_mut().set(param, &value).map_err(|error| error.to_string())?;
                }
            }
            Self::ResetFilter(key) => {
                if let Some(item) = settings.chain_mut().item_mut(key)
                    && let Entry::Filter(filter) = &mut item.entry
                    && let Some(fresh) = create(filter.spec().id)
                {
                    *filter = fresh;
                }
            }
            Self::ClearChain => {
                settings.chains.remove(&settings.source);
            }
            Self::Share(on) => {
                settings.share.on = on;
                // Nobody may be left holding the pointer of a computer that shares nothing.
                settings.share.control &= on;
            }
            Self::Control(allowed) => settings.share.control = allowed,
            Self::WatchAnyone(allowed) => settings.share.watch_anyone = allowed,
            Self::Reach(reach) => settings.share.reach = reach,
            Self::Port(port) => settings.share.port = port,
            Self::Preview(rate) => settings.preview = rate,
            Self::Theme(theme) => settings.theme = theme,
        }
        Ok(())
    }
}

/// Carries out what concerns the engine and gives back what concerns the window.
pub fn apply(action: Action, handle: &Handle) -> Option<Action> {
    match action {
        Action::Edit(edit) => {
            // Taking the pointer away is also a command, so that what is held is released at once.
            if matches!(edit, Edit::Control(false) | Edit::Share(false)) && handle.store.get().share.control {
                handle.command(Command::StopControl);
            }
            if let Err(reason) = handle.store.edit(|settings| edit.apply(settings)) {
                handle.tell(Event::Warning(reason));
            }
            None
        }
        Action::Ask(command) => {
            handle.command(command);
            None
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::settings::Store;

    #[test]
    fn switching_sharing_off_takes_the_pointer_away() {
        let mut settings = Settings::default();
        settings.share.on = true;
        settings.share.control = true;
        Edit::Share(false).apply(&mut settings).unwrap();
        assert!(!settings.share.control);
    }

    #[test]
    fn a_reset_filter_has_its_defaults_and_keeps_its_key() {
        let mut settings = Settings::default();
        Edit::AddFilter("crop").apply(&mut settings).unwrap();
        Edit::Param(1, "left", ParamValue::Float(0.5)).apply(&mut settings).unwrap();
        Edit::ResetFilter(1).apply(&mut settings).unwrap();
        let chain = settings.chain();
        let Some(Entry::Filter(filter)) = chain.item(1).map(|item| &item.entry) else { panic!("the filter is gone") };
        assert_eq!(filter.params().get("left"), Some(ParamValue::Float(0.0)));
    }

    #[test]
    fn a_full_chain_says_so() {
        let (handle, _commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        for _ in 0..=MOST_FILTERS {
            apply(Edit::AddFilter("crop").into(), &handle);
        }
        assert_eq!(handle.store.get().chain().items().len(), MOST_FILTERS);
        assert_eq!(handle.take_events().len(), 1);
    }

    #[test]
    fn stopping_control_is_also_a_command() {
        let (handle, commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        apply(Edit::Control(true).into(), &handle);
        apply(Edit::Control(false).into(), &handle);
        assert!(!handle.store.get().share.control);
        assert_eq!(commands.try_recv(), Ok(Command::StopControl));
    }
}
