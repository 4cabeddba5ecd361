//! A monitor as a source.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use super::connection::{Monitor, choose, failed, query_monitors, root_size};
use super::cursor::Cursor;
use super::segment::Segment;
use crate::capture::source::{Picture, Source, SourceError};
use crate::frame::{BYTES_PER_PIXEL, BufferPool, PixelFormat};
use crate::geometry::{Affine, Size};

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
    segment: Option<Segment>,
    damage: Option<damage::Damage>,
    cursor: Option<Cursor>,
    pointer: (i32, i32),
    /// The screen changed since it was last read.
    dirty: bool,
    /// What was read has to be shown again, because the pointer moved or a fresh picture was asked for.
    redraw: bool,
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
            segment: None,
            damage: None,
            cursor: None,
            pointer: (0, 0),
            dirty: true,
            redraw: true,
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
        let length = self.size.pixels() * BYTES_PER_PIXEL;
        if self.segment.as_ref().is_none_or(|segment| segment.len() != length) {
            if let Some(old) = self.segment.take() {
                old.release(&self.connection);
            }
            self.segment = Some(Segment::new(&self.connection, length)?);
        }
        self.dirty = true;
        Ok(())
    }

    /// Takes in what the server has told so far, without waiting.
    fn hear(&mut self) -> Result<(), SourceError> {
        let (mut cursor_changed, mut layout_changed) = (false, false);
        while let Some(event) = self.connection.poll_for_event().map_err(failed)? {
            match event {
                Event::DamageNotify(_) => self.dirty = true,
                Event::XfixesCursorNotify(_) => cursor_changed = true,
                Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => layout_changed = true,
                _ => {}
            }
        }
        if cursor_changed {
            self.cursor = Some(read_cursor(&self.connection)?);
            self.redraw = true;
        }
        if layout_changed {
            self.measure()?;
        }
        Ok(())
    }

    fn look_at_pointer(&mut self) -> Result<(), SourceError> {
        let reply = self.connection.query_pointer(self.root).map_err(failed)?.reply().map_err(failed)?;
        let at = (i32::from(reply.root_x), i32::from(reply.root_y));
        self.redraw |= at != self.pointer && self.cursor.is_some();
        self.pointer = at;
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

    /// Has the server write the monitor's picture into the segment.
    fn read(&mut self) -> Result<(), SourceError> {
        let Some(segment) = &self.segment else { return Err(SourceError::Screen("no memory is shared".to_owned())) };
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
        cookie.reply().map_err(failed)?;
        self.dirty = self.damage.is_none();
        Ok(())
    }

    fn picture(&mut self, pool: &BufferPool) -> Result<Picture, SourceError> {
        let Some(segment) = &self.segment else { return Err(SourceError::Screen("no memory is shared".to_owned())) };
        let mut pixels = pool.take(segment.len());
        pixels.copy_from_slice(segment.bytes());
        let origin = (self.monitor.area.x, self.monitor.area.y);
        if let Some(cursor) = &self.cursor {
            let at = (self.pointer.0 - origin.0, self.pointer.1 - origin.1);
            cursor.draw(at, &mut pixels, self.size);
        }
        self.redraw = false;
        Ok(Picture {
            size: self.size,
            format: PixelFormat::Bgrx,
            pixels,
            at: Instant::now(),
            desktop_from_source: Some(Affine::translation(f64::from(origin.0), f64::from(origin.1))),
        })
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

    fn next(&mut self, timeout: Duration, pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        let deadline = Instant::now() + timeout;
        loop {
            self.hear()?;
            self.look_at_pointer()?;
            if self.dirty {
                self.read()?;
                return self.picture(pool).map(Some);
            }
            if self.redraw {
                return self.picture(pool).map(Some);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.wait(left.min(POINTER_LOOK))?;
        }
    }

    fn refresh(&mut self) {
        self.dirty = true;
    }
}
