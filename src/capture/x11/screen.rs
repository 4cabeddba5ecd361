//! A monitor as a source.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, KeyButMask, Window};
use x11rb::rust_connection::RustConnection;

use super::connection::{Monitor, choose, failed, query_monitors, root_size};
use super::cursor::Cursor;
use super::own::OwnWindows;
use super::segment::Segments;
use crate::capture::source::{Picture, Source, SourceError};
use crate::frame::{BYTES_PER_PIXEL, BufferPool, PixelFormat};
use crate::geometry::{Affine, Point, Size};

/// How often the pointer is looked at while nothing else moves; its motion damages nothing.
const POINTER_LOOK: Duration = Duration::from_millis(33);

/// An open monitor.
pub struct X11Screen {
    connection: RustConnection,
    root: Window,
    wanted: Option<String>,
    monitor: Monitor,
    /// The part of the monitor that lies on the X screen; a picture beyond it is an error of the server.
    size: Size,
    segments: Segments,
    damage: Option<damage::Damage>,
    cursor: Option<Cursor>,
    own: OwnWindows,
    pointer: (i32, i32),
    /// The buttons that are down, and whether one went down since the last picture.
    held: u16,
    pressed: bool,
    /// The screen or the pointer changed since the last picture.
    dirty: bool,
}

impl X11Screen {
    /// # Errors
    /// When there is no such monitor, or the server lacks MIT-SHM with file descriptors.
    pub fn open(wanted: Option<&str>) -> Result<Self, SourceError> {
        let (connection, screen_number) = x11rb::connect(None).map_err(failed)?;
        let screen = &connection.setup().roots[screen_number];
        let root = screen.root;
        if !matches!(screen.root_depth, 24 | 32) {
            return Err(SourceError::Screen(format!("the screen has {} bits a pixel", screen.root_depth)));
        }
        connection.shm_query_version().map_err(failed)?.reply().map_err(failed)?;
        let monitors = query_monitors(&connection, root)?;
        let monitor = choose(&monitors, wanted)?.clone();
        let mut screen = Self {
            root,
            wanted: wanted.map(str::to_owned),
            size: Size::new(monitor.area.width, monitor.area.height),
            monitor,
            segments: Segments::default(),
            damage: None,
            cursor: None,
            own: OwnWindows::default(),
            pointer: (0, 0),
            held: 0,
            pressed: false,
            dirty: true,
            connection,
        };
        screen.watch()?;
        screen.measure()?;
        Ok(screen)
    }

    /// Asks to be told of changes: of the picture, of the cursor and of the monitors. What the server lacks is done
    /// without: no damage means that every picture counts as changed.
    fn watch(&mut self) -> Result<(), SourceError> {
        let connection = &self.connection;
        let has = |name: &'static str| connection.extension_information(name).is_ok_and(|known| known.is_some());
        if has(damage::X11_EXTENSION_NAME) {
            connection.damage_query_version(1, 1).map_err(failed)?.reply().map_err(failed)?;
            let id = connection.generate_id().map_err(failed)?;
            connection.damage_create(id, self.root, damage::ReportLevel::NON_EMPTY).map_err(failed)?;
            self.damage = Some(id);
        }
        if has(xfixes::X11_EXTENSION_NAME) {
            connection.xfixes_query_version(5, 0).map_err(failed)?.reply().map_err(failed)?;
            let mask = xfixes::CursorNotifyMask::DISPLAY_CURSOR;
            connection.xfixes_select_cursor_input(self.root, mask).map_err(failed)?;
            self.cursor = Some(read_cursor(connection)?);
        }
        if has(randr::X11_EXTENSION_NAME) {
            let mask = randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE;
            connection.randr_select_input(self.root, mask).map_err(failed)?;
        }
        OwnWindows::watch(connection, self.root).map_err(failed)?;
        connection.flush().map_err(failed)
    }

    /// Reads where the monitor lies now and takes a segment that holds its picture.
    fn measure(&mut self) -> Result<(), SourceError> {
        let monitors = query_monitors(&self.connection, self.root)?;
        self.monitor = choose(&monitors, self.wanted.as_deref())?.clone();
        let whole = root_size(&self.connection, self.root)?;
        let left = |start: i32, length: u32, end: u32| {
            u32::try_from(i64::from(end) - i64::from(start)).unwrap_or(0).min(length)
        };
        let area = self.monitor.area;
        self.size = Size::new(left(area.x, area.width, whole.width), left(area.y, area.height, whole.height));
        if self.size.is_empty() || area.x < 0 || area.y < 0 {
            return Err(SourceError::Screen(format!("the monitor {} lies outside the screen", self.monitor.name)));
        }
        self.segments.resize(self.size.pixels() * BYTES_PER_PIXEL, &self.connection);
        self.dirty = true;
        Ok(())
    }

    /// Takes in what the server has told so far, without waiting.
    fn hear(&mut self) -> Result<(), SourceError> {
        let (mut cursor_changed, mut layout_changed) = (false, false);
        while let Some(event) = self.connection.poll_for_event().map_err(failed)? {
            self.own.hear(&event);
            match event {
                Event::DamageNotify(_) => self.dirty = true,
                Event::XfixesCursorNotify(_) => cursor_changed = true,
                Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => layout_changed = true,
                _ => {}
            }
        }
        if cursor_changed {
            self.cursor = Some(read_cursor(&self.connection)?);
            self.dirty = true;
        }
        if layout_changed {
            self.measure()?;
        }
        Ok(())
    }

    fn look_at_pointer(&mut self) -> Result<(), SourceError> {
        let reply = self.connection.query_pointer(self.root).map_err(failed)?.reply().map_err(failed)?;
        let at = (i32::from(reply.root_x), i32::from(reply.root_y));
        self.dirty |= at != self.pointer && self.cursor.is_some();
        self.pointer = at;
        let held = u16::from(reply.mask & (KeyButMask::BUTTON1 | KeyButMask::BUTTON2 | KeyButMask::BUTTON3));
        self.pressed |= held & !self.held != 0;
        self.dirty |= self.pressed;
        self.held = held;
        Ok(())
    }

    /// Waits until the server says something, at most `timeout`.
    fn wait(&self, timeout: Duration) -> Result<(), SourceError> {
        let stream = self.connection.stream();
        let mut descriptors = [PollFd::new(stream, PollFlags::IN)];
        let timeout = Timespec::try_from(timeout).map_err(failed)?;
        match poll(&mut descriptors, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Has the server write the monitor's picture into a free segment; `None` while there is none.
    fn read(&mut self) -> Result<Option<Picture>, SourceError> {
        let Some(mut segment) = self.segments.take(&self.connection)? else { return Ok(None) };
        if let Some(damage) = self.damage {
            // Before the picture: what changes while it is taken counts as changed again.
            self.connection.damage_subtract(damage, x11rb::NONE, x11rb::NONE).map_err(failed)?;
        }
        let (area, size) = (self.monitor.area, self.size);
        let (x, y) = (i16::try_from(area.x).map_err(failed)?, i16::try_from(area.y).map_err(failed)?);
        let (width, height) = (u16::try_from(size.width).map_err(failed)?, u16::try_from(size.height).map_err(failed)?);
        let format = ImageFormat::Z_PIXMAP.into();
        let cookie =
            self.connection.shm_get_image(self.root, x, y, width, height, !0, format, segment.id, 0).map_err(failed)?;
        if let Err(error) = cookie.reply() {
            self.segments.give_back(segment, &self.connection);
            return Err(failed(error));
        }
        self.dirty = self.damage.is_none();
        // What was told up to now may have moved a window before the picture was taken.
        let size_before = self.size;
        if let Err(error) = self.hear() {
            self.segments.give_back(segment, &self.connection);
            return Err(error);
        }
        if self.size != size_before {
            // Another picture of the new size comes next.
            self.segments.give_back(segment, &self.connection);
            return Ok(None);
        }
        if let Err(error) = self.own.cover(&self.connection, self.root, area, segment.bytes_mut(), size) {
            self.segments.give_back(segment, &self.connection);
            return Err(failed(error));
        }
        let at = (self.pointer.0 - area.x, self.pointer.1 - area.y);
        if let Some(cursor) = &self.cursor {
            cursor.draw(at, segment.bytes_mut(), size);
        }
        Ok(Some(Picture {
            size,
            format: PixelFormat::Bgrx,
            pixels: self.segments.lend(segment),
            at: Instant::now(),
            desktop_from_source: Some(Affine::translation(f64::from(area.x), f64::from(area.y))),
            pointer: Some(Point::new(f64::from(at.0) + 0.5, f64::from(at.1) + 0.5)),
            pressed: std::mem::take(&mut self.pressed),
        }))
    }
}

fn read_cursor(connection: &RustConnection) -> Result<Cursor, SourceError> {
    let reply = connection.xfixes_get_cursor_image().map_err(failed)?.reply().map_err(failed)?;
    Ok(Cursor::from(reply))
}

impl Source for X11Screen {
    fn name(&self) -> String {
        format!("Screen {}", self.monitor.name)
    }

    fn next(&mut self, timeout: Duration, _pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        let deadline = Instant::now() + timeout;
        loop {
            self.hear()?;
            self.look_at_pointer()?;
            if self.dirty
                && let Some(picture) = self.read()?
            {
                return Ok(Some(picture));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.wait(left.min(POINTER_LOOK))?;
        }
    }
}
