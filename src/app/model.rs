//! What the window shows: newest settings and status, and what concerns the window alone. No threads, no I/O.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::TextureId;

use super::action::FilePurpose;
use super::panels::{NetworkForm, TokenForm};
use super::presets::PresetId;
use super::slowness::Slowness;
use super::toasts::Toasts;
use super::viewer_history::ViewerHistory;
use super::widgets::QrCache;
use crate::capture::{SourceId, SourceKind};
use crate::engine::{ShareState, Status};
use crate::filter::{Chain, ChainItem, Entry, ParamKind};
use crate::settings::{Listing, Outgoing, Settings};

/// Files that are pictures.
pub const PICTURE_ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// An answer within this time was a click meant for something else.
pub const PROMPT_SEEN: Duration = Duration::from_millis(600);

/// How many seconds the plot of the bitrate goes back.
pub const HISTORY_SECONDS: usize = 60;

/// Everything that [`super::ui::root_ui`] reads.
pub struct Model {
    pub settings: Arc<Settings>,
    pub status: Arc<Status>,
    pub toasts: Toasts,
    pub preview: PreviewPicture,
    pub history: RateHistory,
    pub viewer_history: ViewerHistory,
    /// Which filters are shown as their heading alone, by source because keys belong to a chain.
    pub collapsed: BTreeSet<(SourceId, u32)>,
    /// What is typed into the search of the list of filters.
    pub filter_search: String,
    pub overlay: Option<Overlay>,
    pub gallery: Gallery,
    pub slowness: Slowness,
    pub qr: QrCache,
    /// The preview is kept at 15 a second because the processor draws the window.
    pub software_rendering: bool,
    /// Whether the device of whoever asks to come in is to be remembered.
    pub remembers: bool,
    /// Who asks, and since when that is on the screen.
    pub prompted: Option<(u64, Instant)>,
    /// The time of this frame.
    pub now: Instant,
}

/// The newest picture as a texture.
#[derive(Debug, Clone, Copy, Default)]
pub struct PreviewPicture {
    /// The texture and its size in pixels.
    pub texture: Option<(TextureId, [usize; 2])>,
    /// How large the picture can be shown, in pixels of the screen; written by the layout, read by the preview's thread.
    pub room: [usize; 2],
}

/// The presets, which take the place of the chain while they are open.
#[derive(Debug, Clone, Default)]
pub struct Gallery {
    pub is_open: bool,
    pub own: Arc<Listing>,
    /// Textures and their sizes in pixels.
    pub thumbnails: BTreeMap<PresetId, (TextureId, [usize; 2])>,
}

/// A window inside the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    About,
    Shortcuts,
    /// Who comes in, and a token that is being made.
    People(TokenForm),
    /// The server to publish to, while it is being typed.
    Outgoing(Box<Outgoing>),
    /// Ports, names and servers, while they are being typed.
    Network(Box<NetworkForm>),
    /// A preset gets a name: a new one, or the one in this file.
    PresetName {
        file: Option<String>,
        text: String,
    },
    /// A path is typed because there is no dialog, or because the user prefers it.
    Path {
        purpose: FilePurpose,
        text: String,
        reason: Option<&'static str>,
    },
}

/// Megabits a second of everything sent, once a second.
#[derive(Debug, Default)]
pub struct RateHistory {
    figures: VecDeque<f32>,
    last: Option<Instant>,
}

impl Model {
    pub fn new(settings: Arc<Settings>, status: Arc<Status>, now: Instant) -> Self {
        Self {
            settings,
            status,
            toasts: Toasts::default(),
            preview: PreviewPicture::default(),
            history: RateHistory::default(),
            viewer_history: ViewerHistory::default(),
            collapsed: BTreeSet::new(),
            filter_search: String::new(),
            overlay: None,
            gallery: Gallery::default(),
            slowness: Slowness::default(),
            qr: QrCache::default(),
            software_rendering: false,
            remembers: false,
            prompted: None,
            now,
        }
    }

    /// The link to hand out, if the picture is shared.
    pub fn link(&self) -> Option<&str> {
        match &self.status.share {
            ShareState::On { links, .. } => links.first().map(String::as_str),
            ShareState::Off | ShareState::Failed(_) => None,
        }
    }

    /// Notes who asks to come in; each question begins with its own wishes.
    pub fn note_prompt(&mut self) {
        let id = self.status.door.prompt.as_ref().map(|prompt| prompt.id);
        if self.prompted.map(|(id, _)| id) != id {
            self.remembers = false;
            self.prompted = id.map(|id| (id, self.now));
        }
    }

    /// Whether the question has stood there long enough to have been seen.
    pub fn prompt_is_ready(&self) -> bool {
        self.prompted.is_some_and(|(_, since)| self.now.saturating_duration_since(since) >= PROMPT_SEEN)
    }

    pub fn is_collapsed(&self, key: u32) -> bool {
        self.collapsed.contains(&(self.settings.source.clone(), key))
    }

    pub fn toggle_collapsed(&mut self, key: u32) {
        let place = (self.settings.source.clone(), key);
        if !self.collapsed.remove(&place) {
            self.collapsed.insert(place);
        }
    }

    /// Why a filter could not be prepared.
    pub fn filter_error(&self, key: u32) -> Option<&str> {
        self.status.filter_errors.iter().find(|(broken, _)| *broken == key).map(|(_, reason)| reason.as_str())
    }

    /// Whether a row of the list stands for what the user chose; `screen` and `camera` mean the first of their kind.
    pub fn is_chosen(&self, id: &SourceId) -> bool {
        let wished = &self.settings.source;
        if id == wished {
            return true;
        }
        let first = self.status.sources.sources.iter().find(|source| source.kind == wished.kind());
        matches!(wished, SourceId::Screen(None) | SourceId::Camera(None))
            && first.is_some_and(|first| first.id == *id)
            && !self.status.sources.sources.iter().any(|source| source.id == *wished)
    }

    /// Whether the chosen source is missing from the list.
    pub fn chosen_is_missing(&self) -> bool {
        self.settings.source.kind() != SourceKind::Image
            && !self.status.sources.sources.iter().any(|source| self.is_chosen(&source.id))
    }
}

impl RateHistory {
    /// Notes the sum of what the viewers get, at most once a second.
    pub fn note(&mut self, status: &Status, now: Instant) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < Duration::from_secs(1)) {
            return;
        }
        self.last = Some(now);
        if matches!(status.share, ShareState::Off) {
            self.figures.clear();
            return;
        }
        if self.figures.len() >= HISTORY_SECONDS {
            self.figures.pop_front();
        }
        self.figures.push_back(status.viewers.iter().map(|viewer| viewer.kbps).sum::<f32>() / 1_000.0);
    }

    pub fn figures(&mut self) -> &[f32] {
        self.figures.make_contiguous()
    }
}

/// The names of the filters in a chain: the second `Crop` is `Crop 2`, so that every control has a name of its own.
pub fn item_names(chain: &Chain) -> Vec<String> {
    let label = |item: &ChainItem| match &item.entry {
        Entry::Filter(filter) => filter.spec().label.to_owned(),
        Entry::Unknown { id, .. } => id.clone(),
    };
    let mut names: Vec<String> = Vec::new();
    let labels: Vec<String> = chain.items().iter().map(label).collect();
    for (place, label) in labels.iter().enumerate() {
        let earlier = labels[..place].iter().filter(|other| *other == label).count();
        names.push(if earlier == 0 { label.clone() } else { format!("{label} {}", earlier + 1) });
    }
    names
}

/// Bits a second in three digits or so.
pub fn bitrate_text(kbps: f32) -> String {
    if kbps >= 1_000.0 { format!("{:.1} Mbit/s", kbps / 1_000.0) } else { format!("{kbps:.0} kbit/s") }
}

/// A figure, or a dash where it is unknown.
pub fn or_dash(figure: Option<f32>, decimals: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.decimals$}"))
}

/// What a dropped or typed file is for, by the ending of its name: a picture's is the source, and what else a filter of
/// the chain reads goes to the first that does.
pub fn purpose_of(path: &std::path::Path, chain: &Chain) -> FilePurpose {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).unwrap_or_default();
    if ending == "json" {
        return FilePurpose::LoadChain;
    }
    let reads = |item: &ChainItem| match &item.entry {
        Entry::Filter(filter) => filter.spec().params.iter().find_map(|param| match param.kind {
            ParamKind::File { extensions } if extensions.split_whitespace().any(|known| known == ending) => {
                Some(FilePurpose::FilterFile { key: item.key, param: param.id, extensions })
            }
            _ => None,
        }),
        Entry::Unknown { .. } => None,
    };
    let filter = || chain.items().iter().find_map(reads);
    if PICTURE_ENDINGS.contains(&ending.as_str()) { None } else { filter() }.unwrap_or(FilePurpose::OpenImage)
}

/// The path that a user typed: `~` is the home folder, quotation marks around it are not part of it.
pub fn typed_path(text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => Some(home.join(rest)),
        _ => Some(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{SourceInfo, SourceList};
    use crate::filter::create;

    fn model(source: SourceId, found: &[SourceId]) -> Model {
        let sources =
            found.iter().map(|id| SourceInfo { id: id.clone(), name: id.to_string(), kind: id.kind(), size: None });
        let status =
            Status { sources: SourceList { sources: sources.collect(), notes: Vec::new() }, ..Status::default() };
        let settings = Settings { source, ..Settings::default() };
        Model::new(Arc::new(settings), Arc::new(status), Instant::now())
    }

    #[test]
    fn the_primary_screen_is_the_first_of_the_list() {
        let found = [SourceId::Screen(Some("A".to_owned())), SourceId::Screen(Some("B".to_owned())), SourceId::Pattern];
        let model = model(SourceId::Screen(None), &found);
        let chosen: Vec<bool> = found.iter().map(|id| model.is_chosen(id)).collect();
        assert_eq!(chosen, [true, false, false]);
        assert!(!model.chosen_is_missing());
    }

    #[test]
    fn a_camera_that_was_unplugged_is_missing() {
        assert!(model(SourceId::Camera(None), &[SourceId::Pattern]).chosen_is_missing());
        assert!(
            model(SourceId::Camera(Some("2".to_owned())), &[SourceId::Camera(Some("0".to_owned()))])
                .chosen_is_missing()
        );
    }

    #[test]
    fn the_second_of_the_same_filter_is_numbered() {
        let mut chain = Chain::default();
        for id in ["crop", "grayscale", "crop"] {
            chain.add(create(id).unwrap());
        }
        assert_eq!(item_names(&chain), ["Crop", "Greyscale", "Crop 2"]);
    }

    #[test]
    fn history_keeps_a_minute_and_one_figure_a_second() {
        let start = Instant::now();
        let status = Status { share: ShareState::Failed("the port is taken".to_owned()), ..Status::default() };
        let mut history = RateHistory::default();
        for tenth in 0..1_000u64 {
            history.note(&status, start + Duration::from_millis(100 * tenth));
        }
        assert_eq!(history.figures().len(), HISTORY_SECONDS);
        history.note(&Status::default(), start + Duration::from_secs(200));
        assert!(history.figures().is_empty());
    }

    #[test]
    fn typed_paths_lose_their_quotation_marks() {
        assert_eq!(typed_path(" \"/tmp/a b.png\" "), Some(PathBuf::from("/tmp/a b.png")));
        assert_eq!(typed_path("  "), None);
    }
}
