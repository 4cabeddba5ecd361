//! Every colour, size and spacing of the window, so that dark and light stay each other's equals.

use egui::style::{HandleShape, ScrollStyle, WidgetVisuals};
use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Ui, Vec2, Visuals, vec2,
};

/// Radii in points.
pub const RADIUS_CONTROL: u8 = 4;
pub const RADIUS_CARD: u8 = 6;
pub const RADIUS_WINDOW: u8 = 8;
pub const RADIUS_PILL: u8 = 9;

/// Spacing in points.
pub const SPACE_XS: f32 = 4.0;
pub const SPACE_S: f32 = 8.0;
pub const SPACE_M: f32 = 12.0;
pub const SPACE_L: f32 = 16.0;

/// Sizes in points.
pub const TOP_BAR_HEIGHT: f32 = 36.0;
pub const BANNER_HEIGHT: f32 = 44.0;
pub const STATUS_LINE_HEIGHT: f32 = 38.0;
pub const SOURCES_WIDTH: f32 = 212.0;
pub const FILTERS_WIDTH: f32 = 348.0;
pub const BROADCAST_HEIGHT: f32 = 220.0;
pub const CONTROL_HEIGHT: f32 = 26.0;
pub const BIG_BUTTON_HEIGHT: f32 = 32.0;
pub const SLIDER_ROW_HEIGHT: f32 = 24.0;
pub const SLIDER_HEIGHT: f32 = 18.0;
pub const SWITCH_SIZE: Vec2 = vec2(30.0, 16.0);
pub const ICON_SIZE: f32 = 17.0;
pub const ICON_BUTTON: Vec2 = vec2(24.0, 24.0);
pub const PILL_HEIGHT: f32 = 18.0;
/// The column of number boxes beside the sliders, so that the sliders' ends line up.
pub const NUMBER_WIDTH: f32 = 64.0;
pub const NUMBER_HEIGHT: f32 = 20.0;
pub const PARAM_LABEL_WIDTH: f32 = 92.0;

/// Type in points.
pub const TEXT_SMALL: f32 = 11.0;
pub const TEXT_BODY: f32 = 13.0;
pub const TEXT_HEADING: f32 = 15.0;
pub const TEXT_MONO: f32 = 12.0;

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Behind the picture.
    pub video: Color32,
    /// Window and panels.
    pub panel: Color32,
    pub card: Color32,
    /// Buttons, number boxes and the rails of sliders.
    pub control: Color32,
    pub hover: Color32,
    pub line: Color32,
    /// The edge of what can be clicked or typed into; apart from `line` because light cards need more of it.
    pub edge: Color32,
    pub text: Color32,
    pub strong: Color32,
    pub weak: Color32,
    pub accent: Color32,
    pub pressed: Color32,
    /// Behind what is selected.
    pub selected: Color32,
    pub live: Color32,
    pub good: Color32,
    pub warning: Color32,
    /// Text in the colour of a failure or a warning; darker than the fills in the light theme, to stay readable.
    pub live_text: Color32,
    pub warning_text: Color32,
    /// Behind a warning or a failure.
    pub live_soft: Color32,
    pub warning_soft: Color32,
    /// Text on accent and live.
    pub on_fill: Color32,
    /// The knob of a switch and the fill of a slider's handle.
    pub knob: Color32,
}

const DARK: Palette = Palette {
    video: rgb(0x0D0F12),
    panel: rgb(0x15181D),
    card: rgb(0x1C2027),
    control: rgb(0x282E37),
    hover: rgb(0x343B47),
    line: rgb(0x2A303A),
    edge: rgb(0x343B47),
    text: rgb(0xD7DCE3),
    strong: rgb(0xF4F6F8),
    weak: rgb(0x8F9AA8),
    accent: rgb(0x4C8DFF),
    pressed: rgb(0x264B8A),
    selected: rgb(0x1F3359),
    live: rgb(0xE5484D),
    good: rgb(0x3FB97F),
    warning: rgb(0xE8A33D),
    live_text: rgb(0xFF7B7F),
    warning_text: rgb(0xF0B65C),
    live_soft: rgb(0x3A1D21),
    warning_soft: rgb(0x33281A),
    on_fill: rgb(0xFFFFFF),
    knob: rgb(0xF4F6F8),
};

const LIGHT: Palette = Palette {
    video: rgb(0xDDE1E7),
    panel: rgb(0xF1F3F6),
    card: rgb(0xFFFFFF),
    control: rgb(0xE6E9EE),
    hover: rgb(0xD8DDE4),
    line: rgb(0xD9DEE5),
    edge: rgb(0xC6CCD5),
    text: rgb(0x2B323C),
    strong: rgb(0x10141A),
    weak: rgb(0x5F6B7A),
    accent: rgb(0x2A6BE0),
    pressed: rgb(0xA9C6FB),
    selected: rgb(0xDCE8FD),
    live: rgb(0xD6373D),
    good: rgb(0x23895A),
    warning: rgb(0xC97F12),
    live_text: rgb(0xB4232A),
    warning_text: rgb(0x8A5404),
    live_soft: rgb(0xFDE8E8),
    warning_soft: rgb(0xFCF1DC),
    on_fill: rgb(0xFFFFFF),
    knob: rgb(0xFFFFFF),
};

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

impl Palette {
    /// The colours of the theme in which `ui` is painted.
    pub fn of(ui: &Ui) -> &'static Self {
        Self::for_theme(ui.visuals().dark_mode)
    }

    pub const fn for_theme(dark: bool) -> &'static Self {
        if dark { &DARK } else { &LIGHT }
    }
}

/// Gives both themes their look; once, when the window is made.
pub fn install(ctx: &egui::Context) {
    egui_material_icons::initialize(ctx);
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        ctx.set_style_of(theme, style(theme));
    }
}

/// What egui is told to follow.
pub fn preference(theme: crate::settings::Theme) -> egui::ThemePreference {
    match theme {
        crate::settings::Theme::System => egui::ThemePreference::System,
        crate::settings::Theme::Dark => egui::ThemePreference::Dark,
        crate::settings::Theme::Light => egui::ThemePreference::Light,
    }
}

fn style(theme: egui::Theme) -> Style {
    let palette = Palette::for_theme(theme == egui::Theme::Dark);
    let mut style = theme.default_style();
    style.visuals = visuals(theme, palette);
    style.text_styles = [
        (TextStyle::Small, FontId::new(TEXT_SMALL, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(TEXT_BODY, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(TEXT_BODY, FontFamily::Proportional)),
        (TextStyle::Heading, FontId::new(TEXT_HEADING, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(TEXT_MONO, FontFamily::Monospace)),
    ]
    .into();
    // Figures that change many times a second stay put when they have the width of a text, not of a button.
    style.drag_value_text_style = TextStyle::Body;
    style.animation_time = 0.12;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 6.0);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(CONTROL_HEIGHT, CONTROL_HEIGHT);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.slider_rail_height = 4.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 10.0;
    spacing.combo_width = 60.0;
    spacing.combo_height = 320.0;
    spacing.scroll = ScrollStyle { bar_width: 6.0, floating_allocated_width: 0.0, ..ScrollStyle::floating() };
    style
}

fn visuals(theme: egui::Theme, palette: &Palette) -> Visuals {
    let mut visuals = theme.default_visuals();
    let shade = if visuals.dark_mode { 110 } else { 36 };
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.card;
    visuals.window_stroke = Stroke::new(1.0, palette.edge);
    visuals.window_corner_radius = CornerRadius::same(RADIUS_WINDOW);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS_CARD);
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, color: Color32::from_black_alpha(shade) };
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 14, spread: 0, color: Color32::from_black_alpha(shade) };
    visuals.extreme_bg_color = palette.control;
    visuals.text_edit_bg_color = Some(if visuals.dark_mode { palette.video } else { palette.card });
    visuals.faint_bg_color = palette.card;
    visuals.code_bg_color = palette.control;
    visuals.hyperlink_color = palette.accent;
    visuals.error_fg_color = palette.live_text;
    visuals.warn_fg_color = palette.warning_text;
    visuals.weak_text_color = Some(palette.weak);
    visuals.selection.bg_fill = palette.pressed;
    visuals.selection.stroke = Stroke::new(1.0, palette.strong);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    // A blinking cursor would repaint a window that has nothing new to show.
    visuals.text_cursor.blink = false;
    visuals.handle_shape = HandleShape::Circle;
    visuals.slider_trailing_fill = true;
    visuals.interact_cursor = Some(egui::CursorIcon::PointingHand);
    visuals.disabled_alpha = 0.45;
    visuals.widgets.noninteractive = widget(palette.card, palette.line, palette.text, 0.0);
    visuals.widgets.inactive = widget(palette.control, Color32::TRANSPARENT, palette.text, 0.0);
    visuals.widgets.hovered = widget(palette.hover, Color32::TRANSPARENT, palette.strong, 0.0);
    visuals.widgets.active = widget(palette.hover, palette.accent, palette.strong, 0.0);
    visuals.widgets.open = widget(palette.hover, Color32::TRANSPARENT, palette.strong, 0.0);
    visuals
}

fn widget(fill: Color32, edge: Color32, text: Color32, expansion: f32) -> WidgetVisuals {
    WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, edge),
        corner_radius: CornerRadius::same(RADIUS_CONTROL),
        fg_stroke: Stroke::new(1.0, text),
        expansion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two colours as WCAG 2 defines it, 1..=21.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let linear = egui::Rgba::from(color);
            0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn text_is_readable_on_everything_it_is_written_on_in_both_themes() {
        for palette in [&DARK, &LIGHT] {
            for ground in [palette.panel, palette.card] {
                for text in [palette.text, palette.strong, palette.weak, palette.live_text, palette.warning_text] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
                }
            }
            assert!(contrast(palette.live_text, palette.live_soft) >= 4.5);
            assert!(contrast(palette.warning_text, palette.warning_soft) >= 4.5);
            assert!(contrast(palette.on_fill, palette.live) >= 3.0);
            assert!(contrast(palette.on_fill, palette.accent) >= 3.0);
        }
    }
}
