//! The window. It reads settings and status, collects what the user asks for, and never waits for anybody.

pub mod action;
pub mod dialogs;
pub mod model;
mod pace;
pub mod panels;
pub mod presets;
pub mod preview;
mod renderer;
pub mod slowness;
mod start;
pub mod theme;
pub mod thumbnails;
pub mod toasts;
pub mod ui;
mod viewer_history;
pub mod widgets;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use egui::{TextureHandle, TextureOptions, ViewportCommand};
use raw_window_handle::{HasWindowHandle, RawWindowHandle};

use action::{Action, FileJob};
use dialogs::Files;
use model::{Model, Overlay};
use pace::Pace;
use presets::{PresetId, Presets};
use preview::Preview;
use renderer::is_software;
pub use start::run_with_engine;
use thumbnails::{Thumbnails, Wish, wish_for};

use crate::engine::Handle;
use crate::settings::{Listing, PresetFolder};
use crate::util::{Ticket, note_own_window};

/// Pictures a second at most where the processor draws the window: filling it is what costs there.
const MOST_BY_SOFTWARE: u32 = 15;
/// Smaller than this, panels cover each other.
const SMALLEST: [f32; 2] = [1_000.0, 640.0];
const FIRST_SIZE: [f32; 2] = [1_280.0, 800.0];

/// How the window is opened.
#[derive(Debug, Clone, Default)]
pub struct WindowOptions {
    /// Where the window's place and size are kept; `None` is the usual folder of the system.
    pub persistence_path: Option<PathBuf>,
    /// Where the user's presets are; without it none can be kept.
    pub presets: Option<PresetFolder>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the window can't be opened: {0}; `lenscast --help` lists what works without one")]
    Window(#[source] eframe::Error),
}

/// Shows the window and returns when it was closed. Call it on the main thread.
///
/// # Errors
/// When there is no display, or no OpenGL.
pub fn run(handle: Handle, options: WindowOptions) -> Result<(), AppError> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Lenscast")
        .with_app_id("lenscast")
        .with_inner_size(FIRST_SIZE)
        .with_min_inner_size(SMALLEST)
        .with_drag_and_drop(true)
        .with_icon(icon());
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        dithering: false,
        persist_window: true,
        persistence_path: options.persistence_path.clone().map(|folder| folder.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Lenscast",
        native,
        Box::new(|context| Ok(Box::new(Window::new(handle, options.presets, context)))),
    )
    .map_err(AppError::Window)
}

/// Says which window is ours, so that it is not shown to viewers and hears nothing of what they do.
fn note_window(context: &eframe::CreationContext<'_>) {
    let id = match context.window_handle().map(|handle| handle.as_raw()) {
        Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window).ok(),
        Ok(RawWindowHandle::Xcb(handle)) => Some(handle.window.get()),
        _ => None,
    };
    if let Some(id) = id {
        note_own_window(id);
    }
}

/// The picture in the title bar and the task list; none if the file in this binary were broken.
fn icon() -> egui::IconData {
    let bytes = include_bytes!("../../assets/icon.png");
    match image::load_from_memory_with_format(bytes, image::ImageFormat::Png) {
        Ok(picture) => {
            let picture = picture.into_rgba8();
            let (width, height) = picture.dimensions();
            egui::IconData { rgba: picture.into_raw(), width, height }
        }
        Err(error) => {
            tracing::warn!("the window's icon can't be read: {error}");
            egui::IconData::default()
        }
    }
}

/// The machinery around [`Model`].
struct Window {
    handle: Handle,
    model: Model,
    files: Files,
    presets: Presets,
    preview: Preview,
    texture: Option<TextureHandle>,
    thumbnails: Thumbnails,
    /// What the gallery shows while it is open, and from which list that was made.
    shown: Option<(Arc<Listing>, Wish)>,
    thumbnail_textures: BTreeMap<PresetId, TextureHandle>,
    /// Held while the preview is on and the window can be seen.
    wish: Option<Ticket>,
    actions: Vec<Action>,
    pace: Pace,
}

impl Window {
    fn new(handle: Handle, folder: Option<PresetFolder>, context: &eframe::CreationContext<'_>) -> Self {
        let ctx = context.egui_ctx.clone();
        note_window(context);
        theme::install(&ctx);
        let preview = Preview::start(Box::new({
            let ctx = ctx.clone();
            move || ctx.request_repaint()
        }));
        handle.add_sink(preview.sink());
        let thumbnails = Thumbnails::start(handle.clone(), {
            let ctx = ctx.clone();
            Box::new(move || ctx.request_repaint())
        });
        handle.set_waker(Box::new(move || ctx.request_repaint()));
        let presets = Presets::new(handle.clone(), folder);
        let mut model = Model::new(handle.store.get(), handle.status.get(), Instant::now());
        model.software_rendering = context.gl.as_deref().is_some_and(is_software);
        Self {
            files: Files::new(handle.clone(), presets.clone()),
            presets,
            handle,
            model,
            preview,
            texture: None,
            thumbnails,
            shown: None,
            thumbnail_textures: BTreeMap::new(),
            wish: None,
            actions: Vec::new(),
            pace: Pace::default(),
        }
    }

    /// How many pictures a second the window wants now.
    fn preview_rate(&self, visible: bool) -> Option<u32> {
        let rate = self.model.settings.preview.per_second().filter(|_| visible)?;
        Some(if self.model.software_rendering { rate.min(MOST_BY_SOFTWARE) } else { rate })
    }

    fn carry_out(&mut self, ctx: &egui::Context) {
        for action in std::mem::take(&mut self.actions) {
            match action::apply(action, &self.handle) {
                None | Some(Action::Edit(_) | Action::Ask(_) | Action::Apply(..)) => {}
                Some(Action::Offer(told)) => self.model.toasts.offer(*told, self.model.now),
                Some(Action::Preset(job)) => self.presets.start(job),
                Some(Action::Tell(event)) => self.model.toasts.push(event, self.model.now),
                Some(Action::Quit) => ctx.send_viewport_cmd(ViewportCommand::Close),
                Some(Action::File(job)) => {
                    let purpose = match &job {
                        FileJob::Browse(purpose) | FileJob::Use(purpose, _) => purpose.clone(),
                    };
                    if let Err(reason) = self.files.start(job) {
                        let text = dialogs::suggested_path(&purpose);
                        self.model.overlay = Some(Overlay::Path { purpose, text, reason: Some(reason) });
                    }
                }
            }
            // What was asked for shows in the next frame.
            ctx.request_repaint();
        }
    }

    /// Follows the gallery: its presets are read when it opens, its thumbnails exist only while it is open.
    fn follow_gallery(&mut self, ctx: &egui::Context, visible: bool) {
        self.model.gallery.own = self.presets.listing();
        if !self.model.gallery.is_open {
            if self.shown.take().is_some() {
                self.thumbnails.want(None);
                self.thumbnails.take();
                self.thumbnail_textures.clear();
                self.model.gallery.thumbnails.clear();
            }
            return;
        }
        if self.shown.is_none() {
            self.presets.refresh();
        }
        let own = &self.model.gallery.own;
        let wish = match self.shown.take() {
            Some((listing, wish)) if Arc::ptr_eq(&listing, own) => wish,
            _ => wish_for(own),
        };
        self.thumbnails.want(visible.then(|| Arc::clone(&wish)));
        self.shown = Some((Arc::clone(own), wish));
        let shown = &mut self.model.gallery.thumbnails;
        for (id, image) in self.thumbnails.take() {
            let Some(image) = image else {
                shown.remove(&id);
                self.thumbnail_textures.remove(&id);
                continue;
            };
            let size = image.size;
            let texture = match self.thumbnail_textures.entry(id.clone()) {
                Entry::Occupied(entry) => {
                    let texture = entry.into_mut();
                    texture.set(image, TextureOptions::LINEAR);
                    texture
                }
                Entry::Vacant(entry) => entry.insert(ctx.load_texture("thumbnail", image, TextureOptions::LINEAR)),
            };
            shown.insert(id, (texture.id(), size));
        }
    }
}

impl eframe::App for Window {
    /// Runs before each frame, and without one while the window is hidden.
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.model.now = Instant::now();
        if self.handle.is_ending() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        self.model.settings = self.handle.store.get();
        self.model.status = self.handle.status.get();
        self.model.history.note(&self.model.status, self.model.now);
        self.model.viewer_history.note(&self.model.status.viewers, self.model.now);
        self.model.slowness.note(&self.model.status, self.model.now);
        for told in self.presets.take_told() {
            self.model.toasts.offer(told, self.model.now);
        }
        for event in self.handle.take_events() {
            self.model.toasts.push(event, self.model.now);
        }
        let visible = ctx.input(|input| input.viewport().visible()).unwrap_or(true);
        self.follow_gallery(ctx, visible);
        let rate = self.preview_rate(visible);
        self.preview.want(rate, self.model.preview.room);
        match (rate, &self.wish) {
            (Some(_), None) => self.wish = Some(self.handle.demand.want()),
            (None, Some(_)) => self.wish = None,
            _ => {}
        }
        if let Some(picture) = self.preview.take() {
            let size = picture.size;
            match &mut self.texture {
                Some(texture) => texture.set(picture, TextureOptions::LINEAR),
                None => self.texture = Some(ctx.load_texture("preview", picture, TextureOptions::LINEAR)),
            }
            self.model.preview.texture = self.texture.as_ref().map(|texture| (texture.id(), size));
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.pace.note(frame.info().cpu_usage);
        ui::root_ui(ui, &mut self.model, &mut self.actions);
        self.carry_out(ui.ctx());
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    /// Only the window's place and size are kept; everything else is settings.
    fn persist_egui_memory(&self) -> bool {
        false
    }
}
