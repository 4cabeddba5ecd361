//! The link as a QR code on a white card, dark on light in both themes because scanners expect that.

use egui::{
    Color32, ColorImage, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, TextureHandle, TextureOptions, Ui, vec2,
};
use fast_qr::qr::QRBuilder;

use super::describe;
use crate::app::theme::{self, Palette};

/// Light modules around the code, as the standard asks.
const QUIET_ZONE: usize = 4;

/// Keeps the texture of the last link, so that the code is made once and not for every frame.
#[derive(Default)]
pub struct QrCache {
    link: String,
    texture: Option<TextureHandle>,
}

impl QrCache {
    /// Paints the code into a square of at most `side` points.
    pub fn show(&mut self, ui: &mut Ui, link: &str, side: f32) {
        if self.link != link {
            link.clone_into(&mut self.link);
            self.texture = picture(link).map(|image| ui.ctx().load_texture("qr code", image, TextureOptions::NEAREST));
        }
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
        describe(&response, Role::Image, None, "QR code of the link");
        ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS_CARD), Color32::WHITE);
        if !ui.visuals().dark_mode {
            let edge = Stroke::new(1.0, Palette::of(ui).line);
            ui.painter().rect_stroke(rect, CornerRadius::same(theme::RADIUS_CARD), edge, StrokeKind::Inside);
        }
        if let Some(texture) = &self.texture {
            // Every module is the same whole number of pixels, or scanners see bars of different widths.
            let modules = texture.size()[0] as f32;
            let pixels = ui.ctx().pixels_per_point();
            let module = (side * pixels / modules).floor().max(1.0);
            let code = Rect::from_center_size(rect.center(), vec2(1.0, 1.0) * (modules * module / pixels));
            let code = code.translate((code.min * pixels).round() / pixels - code.min);
            let uv = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            ui.painter().image(texture.id(), code, uv, Color32::WHITE);
        }
        response.on_hover_text("Scan this with a phone on the same network");
    }
}

/// One pixel a module, with its quiet zone; `None` for a link too long for any code.
fn picture(link: &str) -> Option<ColorImage> {
    let code = QRBuilder::new(link).ecl(fast_qr::ECL::M).build().ok()?;
    let side = code.size + 2 * QUIET_ZONE;
    let mut image = ColorImage::filled([side, side], Color32::WHITE);
    for y in 0..code.size {
        for (x, module) in code[y].iter().enumerate() {
            if module.value() {
                image[(x + QUIET_ZONE, y + QUIET_ZONE)] = Color32::BLACK;
            }
        }
    }
    Some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_a_quiet_zone_of_four_modules() {
        let image = picture("http://192.168.1.20:8080/#k=0123456789abcdef").expect("a link fits");
        let [width, height] = image.size;
        assert_eq!(width, height);
        for y in 0..height {
            for x in 0..width {
                let edge = x.min(y).min(width - 1 - x).min(height - 1 - y);
                assert!(edge >= QUIET_ZONE || image[(x, y)] == Color32::WHITE);
            }
        }
        assert_eq!(image[(QUIET_ZONE, QUIET_ZONE)], Color32::BLACK);
    }
}
