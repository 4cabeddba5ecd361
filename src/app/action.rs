//! What the user asks for in one frame. The layout only collects these; they are carried out after painting.

use std::path::PathBuf;
use std::time::Instant;

use super::panels::Network;
use super::presets::Told;
use crate::capture::SourceId;
use crate::engine::{Command, Event, Handle, Verdict};
use crate::filter::{self, Chain, MOST_FILTERS, ParamValue, create};
use crate::settings::presets::{Preset, applied};
use crate::settings::{Entry, Outgoing, PreviewRate, Reach, Settings, Theme};

/// One wish of the user.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Changes the settings; everybody who reads them sees it in the next frame.
    Edit(Edit),
    /// Goes to the engine as it is.
    Ask(Command),
    /// Touches a file, on a thread of its own.
    File(FileJob),
    /// Touches the user's presets, on a thread of its own.
    Preset(PresetJob),
    /// Gives the current source the chain of a preset, under this name; it can be taken back.
    Apply(String, Chain),
    /// Shows something for a few seconds.
    Tell(Event),
    /// The same with the way back.
    Offer(Box<Told>),
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
    /// A filter at the front that halves the picture's sides, because the others are too slow for all of it.
    HalfSize,
    /// Undoes [`Action::Apply`], unless the chain has been changed since.
    TakeBack(Box<Replaced>),
    Share(bool),
    Control(bool),
    /// Whether viewers may move the filters' sliders on the page.
    Tune(bool),
    /// Whether others may publish a picture to this computer.
    Accept(bool),
    /// Begins, ends or changes publishing to a server.
    Outgoing(Box<Outgoing>),
    WatchAnyone(bool),
    /// How others come in.
    Entry(Entry),
    Reach(Reach),
    Port(u16),
    /// The rest of the network: the UDP port, other names, and servers that help.
    Network(Box<Network>),
    Preview(PreviewRate),
    Theme(Theme),
}

/// A chain that was replaced as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced {
    pub source: SourceId,
    pub before: Chain,
    pub after: Chain,
}

/// What a file is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePurpose {
    OpenImage,
    LoadChain,
    SaveChain,
    SaveSnapshot,
    /// Who was let in, as lines of JSON.
    ExportLog,
    ImportPreset,
    /// By the name of the preset's own file, and what it is called.
    ExportPreset {
        file: String,
        name: String,
    },
    /// For a parameter of a filter in the chain of the current source; the endings are separated by spaces.
    FilterFile {
        key: u32,
        param: &'static str,
        extensions: &'static str,
    },
    /// A picture, a chain, a preset or a filter's file, told apart by the name's ending and by what is in it.
    OpenAny,
}

/// Something to do with the user's presets; `file` is the name of a preset's file.
#[derive(Debug, Clone, PartialEq)]
pub enum PresetJob {
    /// Keeps the chain of the current source.
    Save {
        name: String,
    },
    Rename {
        file: String,
        name: String,
    },
    Delete {
        file: String,
    },
    /// Undoes a deletion.
    Restore(Box<Preset>),
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

impl Action {
    /// Whether somebody may see or do more afterwards; a viewer must not be able to press that.
    fn gives_away(&self) -> bool {
        match self {
            Self::Edit(edit) => match edit {
                Edit::Share(on) | Edit::Control(on) | Edit::Tune(on) | Edit::Accept(on) | Edit::WatchAnyone(on) => *on,
                Edit::Entry(_) | Edit::Reach(_) | Edit::Source(_) | Edit::Network(_) => true,
                Edit::Outgoing(outgoing) => outgoing.on,
                _ => false,
            },
            Self::Ask(command) => match command {
                Command::Answer { verdict, .. } => *verdict != Verdict::Deny,
                Command::SetRole { given, .. } => *given,
                Command::GiveControl { .. }
                | Command::AskDesktop
                | Command::Invite
                | Command::RenewCode
                | Command::AddToken { .. } => true,
                _ => false,
            },
            _ => false,
        }
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
                    settings.chain_mut().add(filter).ok_or_else(full)?;
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
                    && let filter::Entry::Filter(filter) = &mut item.entry
                    && let Some(fresh) = create(filter.spec().id)
                {
                    *filter = fresh;
                }
            }
            Self::ClearChain => {
                settings.chains.remove(&settings.source);
            }
            Self::HalfSize => {
                let mut half = create("scale").ok_or("There is no filter that scales the picture")?;
                let percent = half.spec().param("percent").ok_or("The picture can't be scaled by per cent")?;
                let value = percent.value_from_json(&50.into()).map_err(|error| error.to_string())?;
                half.params_mut().set(percent.id, &value).map_err(|error| error.to_string())?;
                let chain = settings.chain_mut();
                let key = chain.add(half).ok_or_else(full)?;
                chain.move_to(key, 0);
            }
            Self::TakeBack(replaced) => {
                let Replaced { source, before, after } = *replaced;
                let current = settings.chains.entry(source).or_default();
                if *current != after {
                    return Err("The filters have been changed since, so nothing was undone".to_owned());
                }
                *current = before;
            }
            Self::Share(on) => {
                settings.share.on = on;
                // Nobody may be left holding the pointer of a computer that shares nothing.
                settings.share.control &= on;
                settings.share.tune &= on;
            }
            Self::Control(allowed) => settings.share.control = allowed,
            Self::Tune(allowed) => settings.share.tune = allowed,
            Self::Accept(allowed) => settings.share.accept = allowed,
            Self::Outgoing(outgoing) => settings.outgoing = *outgoing,
            Self::WatchAnyone(allowed) => settings.share.watch_anyone = allowed,
            Self::Entry(entry) => settings.share.entry = entry,
            Self::Reach(reach) => settings.share.reach = reach,
            Self::Port(port) => settings.share.port = port,
            Self::Network(network) => {
                let Network { udp_port, hosts, servers } = *network;
                let share = &mut settings.share;
                (share.udp_port, share.hosts, share.ice_servers) = (udp_port, hosts, servers);
            }
            Self::Preview(rate) => settings.preview = rate,
            Self::Theme(theme) => settings.theme = theme,
        }
        Ok(())
    }
}

fn full() -> String {
    format!("A chain holds at most {MOST_FILTERS} filters; remove one first")
}

/// Replaces the chain of the current source and gives what to tell of it.
fn apply_preset(name: &str, preset: &Chain, settings: &mut Settings) -> Told {
    let before = settings.chain();
    match applied(preset, &before) {
        Ok(after) => {
            *settings.chain_mut() = after.clone();
            let replaced = Replaced { source: settings.source.clone(), before, after };
            let undo = Some(Edit::TakeBack(Box::new(replaced)).into());
            Told { event: Event::Info(format!("Applied “{name}”")), undo }
        }
        Err(error) => Told { event: Event::Warning(format!("“{name}” was not applied: {error}")), undo: None },
    }
}

/// Carries out what concerns the engine and gives back what concerns the window.
pub fn apply(action: Action, handle: &Handle) -> Option<Action> {
    if action.gives_away() && handle.unseen.lately(Instant::now()) {
        let reason = "A viewer clicked or typed in the same moment, so nothing was allowed; press it once more";
        handle.tell(Event::Warning(reason.to_owned()));
        return None;
    }
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
        Action::Apply(name, chain) => {
            Some(Action::Offer(Box::new(handle.store.edit(|settings| apply_preset(&name, &chain, settings)))))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Roles;
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
    fn what_a_viewer_may_have_pressed_gives_no_rights_and_takes_them_all_the_same() {
        let (handle, commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        let allow = || Command::Answer { request: 1, verdict: Verdict::Allow { roles: Roles::WATCH, remember: false } };
        handle.unseen.note(Instant::now());
        apply(Edit::Share(true).into(), &handle);
        apply(Edit::WatchAnyone(true).into(), &handle);
        apply(Action::Ask(allow()), &handle);
        assert!(!handle.store.get().share.on && !handle.store.get().share.watch_anyone);
        assert!(commands.try_recv().is_err(), "nobody was let in");
        apply(Action::Ask(Command::Answer { request: 1, verdict: Verdict::Deny }), &handle);
        apply(Action::Ask(Command::TakeControl), &handle);
        assert_eq!(commands.try_iter().count(), 2, "to refuse and to take is always right");
        let (handle, commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        apply(Action::Ask(allow()), &handle);
        assert_eq!(commands.try_recv(), Ok(allow()), "the host's own press counts");
    }

    #[test]
    fn a_reset_filter_has_its_defaults_and_keeps_its_key() {
        let mut settings = Settings::default();
        Edit::AddFilter("crop").apply(&mut settings).unwrap();
        Edit::Param(1, "left", ParamValue::Float(0.5)).apply(&mut settings).unwrap();
        Edit::ResetFilter(1).apply(&mut settings).unwrap();
        let chain = settings.chain();
        let Some(filter::Entry::Filter(filter)) = chain.item(1).map(|item| &item.entry) else {
            panic!("the filter is gone")
        };
        assert_eq!(filter.params().get("left"), Some(ParamValue::Float(0.0)));
    }

    #[test]
    fn a_preset_is_taken_back_once_and_only_if_nothing_was_changed_since() {
        let mut settings = Settings::default();
        for id in ["redact", "crop"] {
            Edit::AddFilter(id).apply(&mut settings).unwrap();
        }
        let before = settings.clone();
        let mut preset = Chain::default();
        preset.add(create("invert").unwrap());
        let mut undo = || match apply_preset("Test", &preset, &mut settings).undo {
            Some(Action::Edit(undo)) => (undo, settings.clone()),
            other => panic!("{other:?}"),
        };
        let (taken_back, applied) = undo();
        assert!(applied.chain().keeps_hidden_regions_of(&before.chain()));
        assert_eq!(applied.chain().items().len(), 2);
        taken_back.clone().apply(&mut settings).unwrap();
        assert_eq!(settings, before);
        assert!(taken_back.apply(&mut settings).is_err());
        let (late, _) = (apply_preset("Test", &preset, &mut settings).undo, ());
        Edit::AddFilter("hue").apply(&mut settings).unwrap();
        let Some(Action::Edit(late)) = late else { panic!("nothing to undo") };
        let changed = settings.clone();
        assert!(late.apply(&mut settings).unwrap_err().contains("changed since"));
        assert_eq!(settings, changed);
    }

    #[test]
    fn half_size_is_a_filter_at_the_front() {
        let mut settings = Settings::default();
        Edit::AddFilter("crop").apply(&mut settings).unwrap();
        Edit::HalfSize.apply(&mut settings).unwrap();
        let filter::Entry::Filter(first) = &settings.chain().items()[0].entry.clone() else { panic!("unknown") };
        assert_eq!(first.spec().id, "scale");
        assert_eq!(first.params().get("percent"), Some(ParamValue::Float(50.0)));
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
