//! The engine's own thread: takes commands, follows the settings that concern sharing, and publishes the status.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Parts;
use super::command::{Command, Event};
use super::handle::Handle;
use super::sharing::Sharing;
use super::snapshot;
use super::status::{ControlStatus, EncoderStatus, FrameCounts, ShareState, Status};
use crate::capture::{self, SourceId, SourceList};
use crate::encode::EncoderStats;
use crate::input::Holder;
use crate::publish::{log_path, read_log};
use crate::settings::{Entry, Settings, Share, file};
use crate::util::{Latest, Mailbox, Worker, sentence, spawn_named, write_private};

/// The status is published at most this often.
const TICK: Duration = Duration::from_millis(100);

/// The running thread.
pub struct Supervisor {
    worker: Worker,
    ending: Arc<Mailbox<()>>,
}

impl Supervisor {
    /// # Errors
    /// When the system can't start the network's threads.
    pub fn start(parts: Arc<Parts>, commands: Receiver<Command>, saved_as: Option<PathBuf>) -> std::io::Result<Self> {
        let ending = Arc::new(Mailbox::default());
        let seen = Arc::clone(&ending);
        let sharing = Sharing::new()?;
        let keeper = saved_as.map(|path| Keeper::new(path, &parts));
        let mut state = State {
            keeper,
            sources: Arc::new(Latest::new(SourceList::default())),
            sharing,
            rates: Vec::new(),
            rates_at: Instant::now(),
            is_published_to: false,
            door_complaint: None,
            parts,
            commands,
        };
        let worker = Worker::start("engine", move || state.run(&seen));
        Ok(Self { worker, ending })
    }

    /// Stops sharing and ends the thread.
    pub fn stop(mut self, deadline: Instant) {
        self.ending.put(());
        self.worker.join(deadline);
    }
}

/// Writes the settings to their file when they have stood still for a moment.
struct Keeper {
    path: PathBuf,
    saved: Arc<Settings>,
    /// What differs from the file, and since when.
    pending: Option<(Arc<Settings>, Instant)>,
}

impl Keeper {
    /// A dragged slider changes the settings with every frame; the disk need not.
    const STILL: Duration = Duration::from_secs(1);

    fn new(path: PathBuf, parts: &Parts) -> Self {
        Self { path, saved: parts.handle.store.get(), pending: None }
    }

    fn follow(&mut self, handle: &Handle, now: Instant) {
        let current = handle.store.get();
        match &self.pending {
            Some((pending, since)) if Arc::ptr_eq(pending, &current) => {
                if now.saturating_duration_since(*since) >= Self::STILL {
                    self.save(handle);
                }
            }
            _ if Arc::ptr_eq(&self.saved, &current) => self.pending = None,
            _ => self.pending = Some((current, now)),
        }
    }

    fn save(&mut self, handle: &Handle) {
        let current = handle.store.get();
        if !Arc::ptr_eq(&self.saved, &current)
            && let Err(error) = file::save(&self.path, &current)
        {
            tracing::error!("{error}");
            handle.tell(Event::Error(error.to_string()));
        }
        // What could not be written is tried again with the next change, not ten times a second.
        self.saved = current;
        self.pending = None;
    }
}

struct State {
    keeper: Option<Keeper>,
    parts: Arc<Parts>,
    commands: Receiver<Command>,
    sharing: Sharing,
    sources: Arc<Latest<SourceList>>,
    /// Bytes and kilobits a second of each encoder at the last measurement.
    rates: Vec<(u64, f32)>,
    rates_at: Instant,
    /// Somebody publishes a picture to this computer.
    is_published_to: bool,
    /// What was wrong with the files of the door the last time.
    door_complaint: Option<String>,
}

impl State {
    fn run(&mut self, ending: &Mailbox<()>) {
        self.refresh_sources();
        loop {
            match self.commands.recv_timeout(TICK) {
                Ok(command) => self.carry_out(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !matches!(ending.take(Duration::ZERO), Ok(None)) {
                break;
            }
            self.sharing.follow(&self.parts);
            self.follow_publisher();
            self.follow_door();
            self.publish_status();
            if let Some(keeper) = &mut self.keeper {
                keeper.follow(&self.parts.handle, Instant::now());
            }
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.save(&self.parts.handle);
        }
        self.sharing.end();
        self.parts.door.clear();
        self.follow_door();
        self.publish_status();
    }

    fn carry_out(&mut self, command: Command) {
        let handle = &self.parts.handle;
        match command {
            Command::RefreshSources => self.refresh_sources(),
            Command::RetrySource => self.parts.retry_source(),
            Command::Disconnect { viewer } => {
                if let Some(publisher) = self.sharing.publisher() {
                    publisher.disconnect(viewer);
                }
            }
            Command::Pin { viewer, rung } => {
                if let Some(publisher) = self.sharing.publisher() {
                    publisher.pin(viewer, rung);
                }
            }
            Command::SaveSnapshot { path } => {
                let newest = self.parts.processing.facts().newest.clone();
                let saved = newest.ok_or(snapshot::SnapshotError::NoPicture);
                match saved.and_then(|frame| snapshot::save(&frame, &path)) {
                    Ok(()) => handle.tell(Event::Info(format!("The picture was saved as {}", path.display()))),
                    Err(error) => handle.tell(Event::Error(error.to_string())),
                }
            }
            // The settings say so already; what follows every command looks at them.
            Command::StopSharing => {}
            Command::GiveControl { viewer } => {
                self.parts.input.give(viewer.map_or(Holder::Nobody, Holder::Session));
            }
            Command::TakeControl => self.parts.input.give(Holder::Host),
            Command::AskDesktop => self.parts.input.open(),
            Command::StopControl => handle.store.edit(|settings| settings.share.control = false),
            other => self.at_the_door(other),
        }
    }

    /// What concerns who is let in.
    fn at_the_door(&self, command: Command) {
        let (handle, door, now) = (&self.parts.handle, &self.parts.door, Instant::now());
        let complain = |error: &dyn std::fmt::Display| handle.tell(Event::Error(sentence(&error.to_string())));
        match command {
            Command::Answer { request, verdict } => door.answer(request, verdict, now),
            Command::SetRole { guest, role, given } => door.set_role(guest, role, given),
            Command::RenameGuest { guest, name } => door.rename(guest, &name),
            Command::RemoveGuest { guest } => door.remove(guest),
            Command::ForgetDevice { device } => door.forget(device),
            Command::Invite => {
                if let Err(error) = door.invite(now) {
                    complain(&error);
                }
            }
            Command::RenewCode => {
                if let Err(error) = door.renew_code(now) {
                    complain(&error);
                }
            }
            Command::AddToken { name, roles, origins } => {
                if let Err(error) = door.add_token(&name, roles, &origins) {
                    complain(&error);
                }
            }
            Command::HideNewToken => door.hide_new_token(),
            Command::RemoveToken { name } => {
                if let Err(error) = door.remove_token(&name) {
                    complain(&error);
                }
            }
            Command::ExportLog { path } => {
                let text = door.folder().map(|folder| read_log(&log_path(folder))).unwrap_or_else(|| Ok(String::new()));
                match text.and_then(|text| write_private(&path, text.as_bytes())) {
                    Ok(()) => handle.tell(Event::Info(format!("The log was saved as {}", path.display()))),
                    Err(error) => complain(&format!("{} can't be written: {error}", path.display())),
                }
            }
            Command::RefreshSources
            | Command::RetrySource
            | Command::Disconnect { .. }
            | Command::Pin { .. }
            | Command::SaveSnapshot { .. }
            | Command::StopSharing
            | Command::GiveControl { .. }
            | Command::TakeControl
            | Command::AskDesktop
            | Command::StopControl => {}
        }
    }

    /// Reads and writes the files of the door; a complaint is told once.
    fn follow_door(&mut self) {
        let complaint = self.parts.door.follow_files().err();
        if let Some(complaint) = &complaint
            && self.door_complaint.as_ref() != Some(complaint)
        {
            tracing::error!("{complaint}");
            self.parts.handle.tell(Event::Error(sentence(complaint)));
        }
        self.door_complaint = complaint;
    }

    /// Says where to publish to, and opens the source at once when somebody does.
    fn follow_publisher(&mut self) {
        let (handle, settings) = (&self.parts.handle, self.parts.handle.store.get());
        handle.inbox.set_invitation(&invitation(&self.sharing.state, &settings.share));
        let is_published_to = handle.inbox.publishing().is_some_and(|publishing| publishing.connected);
        if is_published_to && !self.is_published_to && settings.source == SourceId::Whip {
            self.parts.retry_source();
        }
        self.is_published_to = is_published_to;
    }

    /// Looks for screens and cameras on a thread of its own: a camera driver can take seconds to answer.
    fn refresh_sources(&self) {
        let (sources, handle) = (Arc::clone(&self.sources), self.parts.handle.clone());
        spawn_named("list-sources", move || {
            sources.publish(capture::list());
            handle.wake();
        });
    }

    fn publish_status(&mut self) {
        let status = Arc::new(self.status(Instant::now()));
        let handle = &self.parts.handle;
        let mut changed = false;
        handle.status.update(|current| {
            changed = **current != *status;
            if changed {
                *current = Arc::clone(&status);
            }
            changed
        });
        if changed {
            handle.wake();
        }
    }

    fn status(&mut self, now: Instant) -> Status {
        let viewers = self.sharing.publisher().map(|publisher| publisher.viewers()).unwrap_or_default();
        let mut encoders = self.encoders(now);
        for encoder in &mut encoders {
            let hub = self.parts.video.iter().find(|hub| hub.codec().id() == encoder.codec);
            encoder.gives_way = hub.and_then(|hub| hub.relief().sentence());
            // Not the wishes an encoder has: all viewers of MJPEG together are one.
            encoder.viewers = viewers.iter().filter(|viewer| viewer.codec == encoder.codec).count();
        }
        let input = self.parts.input.stats();
        let control = self.parts.input.control(now);
        let settings = self.parts.handle.store.get();
        let mut facts = self.parts.processing.facts();
        facts.viewers = viewers.len();
        Status {
            sources: self.sources.get(),
            capture: facts.state.clone(),
            source: facts.source.clone(),
            source_name: facts.source_name.clone(),
            source_size: facts.source_size,
            output_size: facts.output_size,
            captured_fps: tenths(facts.captured_rate.per_second(now)),
            filtered_fps: tenths(facts.filtered_rate.per_second(now)),
            filter_ms: tenths(facts.filter_ms),
            frames: FrameCounts { captured: facts.captured, filtered: facts.filtered, dropped: facts.dropped },
            filter_errors: facts.filter_errors.clone(),
            passes: facts.passes.clone(),
            share: self.sharing.state.clone(),
            outgoing: self.sharing.outgoing(),
            viewers,
            door: Arc::new(self.parts.door.view(now)),
            encoders,
            control: ControlStatus {
                allowed: settings.share.on && settings.share.control,
                unavailable: input.unavailable,
                asking_desktop: input.asking,
                received: input.received,
                injected: input.injected,
                refused: input.refused,
                holder: match control.holder {
                    Holder::Session(session) => Some(session),
                    Holder::Nobody | Holder::Host => None,
                },
                taken: control.holder == Holder::Host,
                busy: control.busy,
                asking: control.asking,
                local: control.local,
            },
        }
    }

    fn encoders(&mut self, now: Instant) -> Vec<EncoderStatus> {
        let jpeg = ("jpeg", self.parts.jpeg.stats());
        let video = self.parts.video.iter().map(|hub| (hub.codec().id(), hub.stats()));
        let stats: Vec<(&'static str, EncoderStats)> = std::iter::once(jpeg).chain(video).collect();
        self.rates.resize(stats.len(), (0, 0.0));
        let span = now.saturating_duration_since(self.rates_at).as_secs_f32();
        if span >= 1.0 {
            for ((bytes, kbps), (_, stats)) in self.rates.iter_mut().zip(&stats) {
                *kbps = (stats.bytes - *bytes) as f32 * 8.0 / 1e3 / span;
                *bytes = stats.bytes;
            }
            self.rates_at = now;
        }
        stats
            .into_iter()
            .zip(&self.rates)
            .map(|((codec, stats), &(_, kbps))| EncoderStatus {
                codec,
                viewers: stats.viewers,
                encoded: stats.encoded,
                keyframes: stats.keyframes,
                ms: tenths(stats.ms),
                kbps: kbps.round(),
                gives_way: None,
            })
            .collect()
    }
}

/// What is shown in place of a published picture.
fn invitation(state: &ShareState, share: &Share) -> String {
    let link = match state {
        ShareState::On { links, .. } => links.first().and_then(|link| link.rsplit_once('/')),
        ShareState::Off | ShareState::Failed(_) => None,
    };
    match (link, share.accept) {
        (_, false) => {
            "nobody may publish to this computer yet; allow it at the source in the window, or with --accept-whip"
                .to_owned()
        }
        (None, true) => "nobody can publish to this computer before it shares; press Share".to_owned(),
        (Some((base, _)), true) => {
            let word = if share.entry == Entry::Link { "the link's secret" } else { "a token that may tune" };
            format!("nobody publishes to this computer; publish to {base}/whip with {word} as bearer token")
        }
    }
}

/// Figures are shown with one decimal; finer changes are no news.
fn tenths(value: f32) -> f32 {
    (value * 10.0).round() / 10.0
}
