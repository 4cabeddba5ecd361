//! Screens through `xcap`: everywhere, and slower than the direct way on X11.

use std::time::{Duration, Instant};

use xcap::Monitor;

use super::source::{Picture, Source, SourceError};
use crate::frame::{Buffer, BufferPool, PixelFormat};
use crate::geometry::{Affine, Size};

/// A monitor; every call takes a whole picture.
pub struct PortableScreen {
    monitor: Monitor,
    name: String,
}

impl PortableScreen {
    /// # Errors
    /// When there is no such monitor, or the system refuses.
    pub fn open(wanted: Option<&str>) -> Result<Self, SourceError> {
        let refused = |error: &dyn std::fmt::Display| SourceError::Screen(error.to_string());
        let mut monitors = Monitor::all().map_err(|error| refused(&error))?;
        if monitors.is_empty() {
            return Err(SourceError::Screen("no monitor was found; is this a desktop session?".to_owned()));
        }
        let position = match wanted {
            None => monitors.iter().position(|monitor| monitor.is_primary().unwrap_or(false)).or(Some(0)),
            Some(wanted) => monitors.iter().enumerate().position(|(index, monitor)| {
                wanted == index.to_string() || monitor.name().is_ok_and(|name| name == wanted)
            }),
        };
        let position = position.ok_or_else(|| SourceError::NoSuchScreen(wanted.unwrap_or_default().to_owned()))?;
        let monitor = monitors.swap_remove(position);
        let name = monitor.name().unwrap_or_else(|_| format!("Screen {}", position + 1));
        Ok(Self { monitor, name })
    }
}

impl Source for PortableScreen {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn next(&mut self, _timeout: Duration, _pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        let picture = self.monitor.capture_image().map_err(|error| SourceError::Screen(error.to_string()))?;
        let size = Size::new(picture.width(), picture.height());
        if size.is_empty() {
            return Err(SourceError::Screen("the monitor gave an empty picture".to_owned()));
        }
        // The system's input takes the monitor's own units, which are not always pixels.
        let units = |side: xcap::XCapResult<u32>, pixels: u32| f64::from(side.unwrap_or(pixels)) / f64::from(pixels);
        let scale_x = units(self.monitor.width(), size.width);
        let scale_y = units(self.monitor.height(), size.height);
        let origin = (f64::from(self.monitor.x().unwrap_or(0)), f64::from(self.monitor.y().unwrap_or(0)));
        let desktop = Affine::scaling(scale_x, scale_y).then(Affine::translation(origin.0, origin.1));
        Ok(Some(Picture {
            size,
            format: PixelFormat::Rgba,
            pixels: Buffer::from(picture.into_raw()),
            at: Instant::now(),
            desktop_from_source: Some(desktop),
            pointer: None,
            pressed: false,
        }))
    }
}

/// Name and size of every monitor.
///
/// # Errors
/// When the system refuses to tell.
pub fn monitors() -> Result<Vec<(String, Size)>, SourceError> {
    let monitors = Monitor::all().map_err(|error| SourceError::Screen(error.to_string()))?;
    let describe = |(index, monitor): (usize, &Monitor)| {
        let size = Size::new(monitor.width().unwrap_or(0), monitor.height().unwrap_or(0));
        (monitor.name().unwrap_or_else(|_| index.to_string()), size)
    };
    Ok(monitors.iter().enumerate().map(describe).collect())
}
