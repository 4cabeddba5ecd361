//! The viewer page in a real browser: what it shows, and a mouse on it.

use serde_json::{Value, json};

use super::browser::Browser;
use super::program::Program;
use super::studio::eventually;
use super::xserver::Rgb;

/// A browser that shows the page of one program after the other.
pub struct Viewing {
    pub browser: Browser,
}

/// A place on the page, in CSS pixels.
pub type Place = (f64, f64);

impl Viewing {
    pub fn open() -> Self {
        Self { browser: Browser::open(&[]) }
    }

    /// Opens the page and waits for its first picture.
    pub fn watch(&self, program: &Program, query: &str) {
        // A change of the query alone, with the same fragment, is still another document.
        self.browser.go("about:blank");
        self.browser.go(&program.page(query));
        self.browser.wait_for("a live picture", "return window.lenscast?.state === 'live' && lenscast.frames > 0");
    }

    /// A property of what the page says of itself.
    pub fn says(&self, name: &str) -> Value {
        self.browser.run(&format!("return window.lenscast.{name} ?? null"))
    }

    /// Waits until clicks are passed on.
    pub fn wait_for_control(&self) {
        self.browser.wait_for("control", "return lenscast.controlling");
    }

    /// Waits until the page shows what the program's newest geometry made.
    pub fn wait_for_geometry(&self, program: &Program) {
        eventually("the page shows the newest geometry", || {
            let newest = program.state()["geometry"]["epoch"].clone();
            newest.is_number() && self.says("epoch") == newest
        });
    }

    /// Where on the page a rectangle of this colour is shown: its middle, and how many CSS pixels a pixel of the picture
    /// takes.
    pub fn find(&self, color: Rgb) -> (Place, f64) {
        let script = format!(
            "const {{ element, width, height, box, scale }} = (() => {{ {PICTURE} }})();
             const canvas = new OffscreenCanvas(width, height), context = canvas.getContext('2d');
             context.drawImage(element, 0, 0);
             const pixels = context.getImageData(0, 0, width, height).data, wanted = {color:?};
             let count = 0, x = 0, y = 0;
             for (let i = 0; i < pixels.length; i += 4) {{
               if (wanted.some((channel, c) => Math.abs(channel - pixels[i + c]) > 70)) continue;
               count++, x += (i / 4) % width + 0.5, y += Math.floor(i / 4 / width) + 0.5;
             }}
             if (count < 30) return null;
             return [box.left + (box.width - width * scale) / 2 + x / count * scale,
                     box.top + (box.height - height * scale) / 2 + y / count * scale, scale];"
        );
        let found = self.browser.wait_for("the mark is in the picture", &script);
        let number = |index: usize| found[index].as_f64().expect("a place has numbers");
        ((number(0), number(1)), number(2))
    }

    /// A place given in fractions of the picture; beyond 0 and 1 it is on the letterbox.
    pub fn at_fraction(&self, x: f64, y: f64) -> Place {
        let script = format!(
            "const {{ width, height, box, scale }} = (() => {{ {PICTURE} }})();
             return [box.left + (box.width - width * scale) / 2 + {x} * width * scale,
                     box.top + (box.height - height * scale) / 2 + {y} * height * scale];"
        );
        let place = self.browser.run(&script);
        (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"))
    }

    /// Carries out what a mouse does: moves and presses in their order.
    pub fn mouse(&self, steps: &[Value]) {
        self.browser.act(&json!({ "actions": [{ "type": "pointer", "id": "mouse",
            "parameters": { "pointerType": "mouse" }, "actions": steps }] }));
    }

    /// Turns the wheel; positive is right and down, in CSS pixels, of which a notch has 100.
    pub fn wheel(&self, place: Place, dx: i32, dy: i32) {
        let (x, y) = whole(place);
        self.browser.act(&json!({ "actions": [{ "type": "wheel", "id": "wheel", "actions": [
            { "type": "scroll", "duration": 0, "origin": "viewport", "x": x, "y": y, "deltaX": dx, "deltaY": dy }] }] }));
    }
}

/// The picture that is shown, its size, its box on the page, and CSS pixels to a pixel.
pub const PICTURE: &str = "const element = document.querySelector('#stage .picture:not(.waits)');
    const width = element.videoWidth ?? element.width, height = element.videoHeight ?? element.height;
    const box = element.getBoundingClientRect();
    return { element, width, height, box, scale: Math.min(box.width / width, box.height / height) };";

pub const LEFT: u8 = 0;
pub const MIDDLE: u8 = 1;
pub const RIGHT: u8 = 2;

/// A step of the mouse to a place.
pub fn to(place: Place) -> Value {
    let (x, y) = whole(place);
    json!({ "type": "pointerMove", "duration": 0, "origin": "viewport", "x": x, "y": y })
}

pub fn down(button: u8) -> Value {
    json!({ "type": "pointerDown", "button": button })
}

pub fn up(button: u8) -> Value {
    json!({ "type": "pointerUp", "button": button })
}

/// WebDriver's mouse knows whole CSS pixels only.
pub fn whole((x, y): Place) -> (i64, i64) {
    (x.round() as i64, y.round() as i64)
}
