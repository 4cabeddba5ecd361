//! An X server of the test's own, and a window over all of it that writes down what the pointer does.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use image::RgbImage;
use lenscast::geometry::Size;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::*;
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The server; it ends when this is dropped.
pub struct XServer {
    process: Child,
    display: String,
}

impl XServer {
    /// Starts one on a display number that nobody uses; the server itself finds it.
    pub fn start(size: Size) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-screen", "0", &format!("{size}x24")]);
        Self::begin(command)
    }

    /// Starts one whose screen is a window on another: what is done to that window comes from real devices there.
    pub fn inside(outer: &Self, size: Size) -> Self {
        let mut command = Command::new("Xephyr");
        command.args(["-screen", &size.to_string()]).env("DISPLAY", outer.display());
        Self::begin(command)
    }

    fn begin(mut command: Command) -> Self {
        let mut process = command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-ac", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (scripts/setup.sh installs it)");
        let mut number = String::new();
        BufReader::new(process.stdout.take().expect("its output is piped")).read_line(&mut number).expect("it says");
        assert!(!number.trim().is_empty(), "the X server did not start");
        Self { process, display: format!(":{}", number.trim()) }
    }

    /// What goes into `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    pub fn desk(&self) -> Desk {
        Desk::open(&self.display)
    }

    /// Gives the only monitor another size, as `xrandr` does.
    pub fn resize(&self, size: Size) {
        let name = size.to_string();
        let timing =
            [size.width, size.width, size.width, size.width, size.height, size.height, size.height, size.height];
        let timing = timing.map(|number| number.to_string());
        let xrandr = |arguments: &[&str]| {
            let status = Command::new("xrandr").args(["-d", &self.display]).args(arguments).status();
            assert!(status.expect("xrandr is installed").success(), "xrandr {arguments:?}");
        };
        let mode: Vec<&str> = ["--newmode", &name, "40"].into_iter().chain(timing.iter().map(String::as_str)).collect();
        xrandr(&mode);
        xrandr(&["--addmode", "screen", &name]);
        xrandr(&["--output", "screen", "--mode", &name]);
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        // Asked to, it removes its lock and socket; nothing is left to do if it is gone already.
        let _ = Command::new("kill").arg(self.process.id().to_string()).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

/// What the pointer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// X numbers buttons: 1 left, 2 middle, 3 right, 4 to 7 the wheel up, down, left and right.
    Press(u8),
    Release(u8),
    Move,
}

/// What the pointer did, and on which pixel of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub deed: Deed,
    pub at: (i16, i16),
}

/// A connection to the X screen: paints on it, and sees what happens to it.
pub struct Desk {
    connection: RustConnection,
    root: Window,
    window: Option<(Window, Pixmap, Gcontext)>,
}

impl Desk {
    fn open(display: &str) -> Self {
        let (connection, screen) = x11rb::connect(Some(display)).expect("the X server listens");
        let root = connection.setup().roots[screen].root;
        Self { connection, root, window: None }
    }

    pub fn size(&self) -> Size {
        let geometry = self.connection.get_geometry(self.root).unwrap().reply().unwrap();
        Size::new(u32::from(geometry.width), u32::from(geometry.height))
    }

    /// Covers the screen with one colour, under an invisible cursor.
    pub fn cover(mut self, color: Rgb) -> Self {
        let Size { width, height } = self.size();
        let (width, height) = (width as u16, height as u16);
        let connection = &self.connection;
        let id = || connection.generate_id().unwrap();
        let (window, pixmap, gc) = (id(), id(), id());
        let depth = connection.setup().roots[0].root_depth;
        connection.create_pixmap(depth, pixmap, self.root, width, height).unwrap();
        connection.create_gc(gc, pixmap, &CreateGCAux::new().graphics_exposures(0)).unwrap();
        let events = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
        let look = CreateWindowAux::new().override_redirect(1).event_mask(events).background_pixmap(pixmap);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(depth, window, self.root, 0, 0, width, height, 0, class, 0, &look).unwrap();
        connection.map_window(window).unwrap();
        self.window = Some((window, pixmap, gc));
        self.paint((0, 0, width, height), color);
        self.show_cursor(0, [0; 3]);
        self
    }

    /// Puts a window of one colour over whatever is there, given as left, top, width and height.
    pub fn put(&self, (x, y, width, height): (i16, i16, u16, u16), color: Rgb) {
        let [r, g, b] = color.map(u32::from);
        let look = CreateWindowAux::new().override_redirect(1).background_pixel(r << 16 | g << 8 | b);
        let window = self.connection.generate_id().unwrap();
        let class = WindowClass::INPUT_OUTPUT;
        self.connection.create_window(24, window, self.root, x, y, width, height, 0, class, 0, &look).unwrap();
        self.connection.map_window(window).unwrap();
        self.connection.sync().unwrap();
    }

    /// Paints a rectangle, given as left, top, width and height.
    pub fn paint(&self, (x, y, width, height): (i16, i16, u16, u16), color: Rgb) {
        let (window, pixmap, gc) = self.window.expect("the screen was covered first");
        let [r, g, b] = color.map(u32::from);
        let ink = ChangeGCAux::new().foreground(r << 16 | g << 8 | b);
        self.connection.change_gc(gc, &ink).unwrap();
        self.connection.poly_fill_rectangle(pixmap, gc, &[Rectangle { x, y, width, height }]).unwrap();
        self.connection.clear_area(false, window, x, y, width, height).unwrap();
        self.connection.sync().unwrap();
    }

    /// Makes the cursor a square of `side` pixels whose upper left corner points; 0 makes it invisible.
    pub fn show_cursor(&self, side: u16, color: Rgb) {
        let (window, ..) = self.window.expect("the screen was covered first");
        let connection = &self.connection;
        let id = || connection.generate_id().unwrap();
        let (shape, gc, cursor) = (id(), id(), id());
        let length = side.max(1);
        connection.create_pixmap(1, shape, self.root, length, length).unwrap();
        connection.create_gc(gc, shape, &CreateGCAux::new().foreground(u32::from(side > 0))).unwrap();
        let whole = Rectangle { x: 0, y: 0, width: length, height: length };
        connection.poly_fill_rectangle(shape, gc, &[whole]).unwrap();
        let [r, g, b] = color.map(|channel| u16::from(channel) * 257);
        connection.create_cursor(cursor, shape, shape, r, g, b, r, g, b, 0, 0).unwrap();
        connection.change_window_attributes(window, &ChangeWindowAttributesAux::new().cursor(cursor)).unwrap();
        connection.sync().unwrap();
    }

    pub fn move_pointer(&self, x: i16, y: i16) {
        self.connection.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x, y).unwrap();
        self.connection.sync().unwrap();
    }

    /// Moves the pointer with the device that programs have: what is below sees a device of its own move.
    pub fn drag_pointer(&self, x: i16, y: i16) {
        self.connection.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, self.root, x, y, 0).unwrap();
        self.connection.sync().unwrap();
    }

    /// Has the keys go to the window over the screen, and writes down what they do.
    pub fn take_keys(&self) {
        let (window, ..) = self.window.expect("the screen was covered first");
        let events = EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::POINTER_MOTION
            | EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE;
        self.connection.change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(events)).unwrap();
        self.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME).unwrap();
        self.connection.sync().unwrap();
    }

    /// What the keys did since it was asked last: the symbol, with the modifiers that were on, and whether it went down.
    pub fn strokes(&self) -> Vec<(u32, bool)> {
        self.connection.sync().unwrap();
        let events: Vec<Event> = std::iter::from_fn(|| self.connection.poll_for_event().unwrap()).collect();
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.connection.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let symbol = |event: &KeyPressEvent| {
            let row = usize::from(event.detail - first) * usize::from(map.keysyms_per_keycode);
            let has = |mask| event.state.contains(mask);
            let capital = has(KeyButMask::SHIFT) != has(KeyButMask::LOCK);
            // Level three, of AltGr, begins in the fifth column.
            let column = usize::from(capital) + if has(KeyButMask::MOD5) { 4 } else { 0 };
            let at = |column: usize| map.keysyms.get(row + column).copied().filter(|&symbol| symbol != 0);
            at(column).or(at(0)).unwrap_or(0)
        };
        let stroke = |event: &Event| match event {
            Event::KeyPress(event) => Some((symbol(event), true)),
            Event::KeyRelease(event) => Some((symbol(event), false)),
            _ => None,
        };
        events.iter().filter_map(stroke).collect()
    }

    /// What is down now: the buttons' and modifiers' bits, and how many keys.
    pub fn held(&self) -> (u16, u32) {
        let mask = self.connection.query_pointer(self.root).unwrap().reply().unwrap().mask;
        let keys = self.connection.query_keymap().unwrap().reply().unwrap().keys;
        (u16::from(mask), keys.iter().map(|byte| byte.count_ones()).sum())
    }

    /// Where the pointer is.
    pub fn pointer(&self) -> (i16, i16) {
        let pointer = self.connection.query_pointer(self.root).unwrap().reply().unwrap();
        (pointer.root_x, pointer.root_y)
    }

    /// Presses and releases the left button where the pointer is, and takes as long about it as a finger.
    pub fn click(&self) {
        for kind in [BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT] {
            self.connection.xtest_fake_input(kind, 1, 0, self.root, 0, 0, 0).unwrap();
            self.connection.sync().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Everything the pointer did on the window since it was asked last.
    pub fn seen(&self) -> Vec<Seen> {
        self.connection.sync().unwrap();
        let events = std::iter::from_fn(|| self.connection.poll_for_event().unwrap());
        let note = |event| match event {
            Event::ButtonPress(e) => Some(Seen { deed: Deed::Press(e.detail), at: (e.root_x, e.root_y) }),
            Event::ButtonRelease(e) => Some(Seen { deed: Deed::Release(e.detail), at: (e.root_x, e.root_y) }),
            Event::MotionNotify(e) => Some(Seen { deed: Deed::Move, at: (e.root_x, e.root_y) }),
            _ => None,
        };
        events.filter_map(note).collect()
    }

    /// The screen as it is now, without the cursor.
    pub fn screenshot(&self) -> RgbImage {
        let Size { width, height } = self.size();
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width as u16, height as u16, !0);
        let bytes = image.unwrap().reply().unwrap().data;
        let pixels = bytes.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        RgbImage::from_raw(width, height, pixels).expect("a picture has as many bytes as its size says")
    }

    /// Presses keys one after the other, by their symbols, and releases them all.
    pub fn chord(&self, symbols: &[u32]) {
        let keys: Vec<u8> = symbols.iter().map(|&symbol| self.key(symbol)).collect();
        for &key in &keys {
            self.connection.xtest_fake_input(KEY_PRESS_EVENT, key, 0, self.root, 0, 0, 0).unwrap();
        }
        for &key in keys.iter().rev() {
            self.connection.xtest_fake_input(KEY_RELEASE_EVENT, key, 0, self.root, 0, 0, 0).unwrap();
        }
        self.connection.sync().unwrap();
    }

    /// Presses and releases a letter with Ctrl held, as hands would.
    pub fn press_with_ctrl(&self, letter: char) {
        let (ctrl, key) = (self.key(0xffe3), self.key(u32::from(letter)));
        let strokes =
            [(KEY_PRESS_EVENT, ctrl), (KEY_PRESS_EVENT, key), (KEY_RELEASE_EVENT, key), (KEY_RELEASE_EVENT, ctrl)];
        for (kind, key) in strokes {
            self.connection.xtest_fake_input(kind, key, 0, self.root, 0, 0, 0).unwrap();
        }
        self.connection.sync().unwrap();
    }

    /// The key that bears a symbol.
    fn key(&self, symbol: u32) -> u8 {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.connection.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let rows = map.keysyms.chunks(usize::from(map.keysyms_per_keycode));
        let found = (first..=last).zip(rows).find(|(_, symbols)| symbols.contains(&symbol));
        found.expect("every keyboard has this key").0
    }
}
