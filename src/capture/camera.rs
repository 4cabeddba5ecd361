//! Cameras through `nokhwa`. Its own thread reads the camera, because a read can block for ever when a camera is pulled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nokhwa::Camera;
use nokhwa::pixel_format::RgbAFormat;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvRange, YuvStandardMatrix, yuv_nv12_to_rgba, yuyv422_to_rgba,
};

use super::id::SourceId;
use super::source::{Picture, Source, SourceError};
use crate::frame::{BYTES_PER_PIXEL, BufferPool, PixelFormat};
use crate::geometry::Size;
use crate::util::{Closed, Mailbox, spawn_named};

/// A camera that gives nothing for this long is taken to be gone.
const SILENCE: Duration = Duration::from_secs(3);
/// The size asked for; the nearest one that the camera has is taken.
const WISH: Resolution = Resolution { width_x: 1_280, height_y: 720 };

/// What the reading thread hands over: the newest raw picture, or why there will be none.
type Raw = Result<RawPicture, String>;

struct RawPicture {
    bytes: Vec<u8>,
    size: Size,
    format: FrameFormat,
    at: Instant,
}

/// An open camera.
pub struct CameraSource {
    name: String,
    mailbox: Arc<Mailbox<Raw>>,
    last_seen: Instant,
}

/// Id and name of every camera.
///
/// # Errors
/// When the system refuses to tell.
pub fn cameras() -> Result<Vec<(SourceId, String)>, SourceError> {
    let mut found = nokhwa::query(ApiBackend::Auto).map_err(|error| SourceError::Camera(error.to_string()))?;
    found.sort_by_key(|camera| camera.index().as_index().unwrap_or(u32::MAX));
    // What does not say that it is none is left in: a camera that another program has for itself is still a camera.
    #[cfg(target_os = "linux")]
    found.retain(|camera| camera.index().as_index().ok().and_then(super::v4l2::gives_pictures) != Some(false));
    let describe =
        |camera: &nokhwa::utils::CameraInfo| (SourceId::Camera(Some(camera.index().as_string())), camera.human_name());
    Ok(found.iter().map(describe).collect())
}

impl CameraSource {
    /// Opens a camera by its index or name; the first one without either.
    ///
    /// # Errors
    /// When there is no such camera.
    pub fn open(wanted: Option<&str>, fps: u32) -> Result<Self, SourceError> {
        let known = cameras()?;
        let matches = |(id, name): &&(SourceId, String)| match (wanted, id) {
            (None, _) => true,
            (Some(wanted), SourceId::Camera(Some(index))) => wanted == index || wanted == name,
            _ => false,
        };
        let missing = || SourceError::NoCamera(wanted.map(|name| format!(" `{name}`")).unwrap_or_default());
        let (id, name) = known.iter().find(matches).ok_or_else(missing)?;
        let SourceId::Camera(Some(index)) = id else { return Err(missing()) };
        let index = match index.parse() {
            Ok(number) => CameraIndex::Index(number),
            Err(_) => CameraIndex::String(index.clone()),
        };
        let mailbox = Arc::new(Mailbox::default());
        let readers = Arc::clone(&mailbox);
        spawn_named("camera", move || {
            if let Err(reason) = read(index, fps, &readers) {
                readers.put(Err(reason));
            }
            readers.close();
        });
        Ok(Self { name: name.clone(), mailbox, last_seen: Instant::now() })
    }
}

/// Reads until the source is dropped; what is stuck in the driver stays behind in this thread alone.
fn read(index: CameraIndex, fps: u32, mailbox: &Arc<Mailbox<Raw>>) -> Result<(), String> {
    let wish = CameraFormat::new(WISH, FrameFormat::YUYV, fps);
    let requested = RequestedFormat::with_formats(
        RequestedFormatType::Closest(wish),
        &[FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::MJPEG, FrameFormat::RAWRGB, FrameFormat::RAWBGR],
    );
    let mut camera = Camera::new(index.clone(), requested)
        .or_else(|_| Camera::new(index, RequestedFormat::new::<RgbAFormat>(RequestedFormatType::None)))
        .map_err(|error| error.to_string())?;
    camera.open_stream().map_err(|error| error.to_string())?;
    // The source holds one of the two handles: when it is gone, so is the wish for pictures.
    while Arc::strong_count(mailbox) > 1 {
        let resolution = camera.resolution();
        let format = camera.frame_format();
        let bytes = camera.frame_raw().map_err(|error| error.to_string())?.into_owned();
        let size = Size::new(resolution.width(), resolution.height());
        mailbox.put(Ok(RawPicture { bytes, size, format, at: Instant::now() }));
    }
    camera.stop_stream().map_err(|error| error.to_string())
}

impl Source for CameraSource {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn next(&mut self, timeout: Duration, pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        let raw = match self.mailbox.take(timeout) {
            Ok(Some(Ok(raw))) => raw,
            Ok(Some(Err(reason))) => return Err(SourceError::Camera(reason)),
            Err(Closed) => return Err(SourceError::Camera("it was unplugged".to_owned())),
            Ok(None) if self.last_seen.elapsed() > SILENCE => return Err(SourceError::CameraSilent),
            Ok(None) => return Ok(None),
        };
        self.last_seen = Instant::now();
        let mut pixels = pool.take(raw.size.pixels() * BYTES_PER_PIXEL);
        convert(&raw, &mut pixels).map_err(SourceError::Camera)?;
        Ok(Some(Picture {
            size: raw.size,
            format: PixelFormat::Rgba,
            pixels,
            at: raw.at,
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        }))
    }

    fn paces_itself(&self) -> bool {
        true
    }
}

/// Raw camera bytes to RGBA; a picture that is too short is an error, never a read beyond it.
fn convert(raw: &RawPicture, rgba: &mut [u8]) -> Result<(), String> {
    let Size { width, height } = raw.size;
    let stride = width * BYTES_PER_PIXEL as u32;
    let enough = |per_pixel_halves: usize| {
        let needed = raw.size.pixels() * per_pixel_halves / 2;
        if raw.bytes.len() < needed { Err("it sent a picture that is cut off".to_owned()) } else { Ok(needed) }
    };
    // Cameras send BT.601 in limited range unless they say otherwise, and V4L2 gives no way to hear it here.
    let (range, matrix, mode) = (YuvRange::Limited, YuvStandardMatrix::Bt601, YuvConversionMode::Balanced);
    match raw.format {
        FrameFormat::YUYV => {
            let needed = enough(4)?;
            let packed = YuvPackedImage { yuy: &raw.bytes[..needed], yuy_stride: width * 2, width, height };
            yuyv422_to_rgba(&packed, rgba, stride, range, matrix).map_err(|error| error.to_string())
        }
        FrameFormat::NV12 => {
            let needed = enough(3)?;
            let (y_plane, uv_plane) = raw.bytes[..needed].split_at(raw.size.pixels());
            let planes = YuvBiPlanarImage { y_plane, y_stride: width, uv_plane, uv_stride: width, width, height };
            yuv_nv12_to_rgba(&planes, rgba, stride, range, matrix, mode).map_err(|error| error.to_string())
        }
        FrameFormat::MJPEG => decode_jpeg(raw, rgba),
        FrameFormat::GRAY => {
            enough(2)?;
            for (pixel, &grey) in rgba.chunks_exact_mut(BYTES_PER_PIXEL).zip(&raw.bytes) {
                pixel.copy_from_slice(&[grey, grey, grey, 255]);
            }
            Ok(())
        }
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => {
            enough(6)?;
            let (red, blue) = if raw.format == FrameFormat::RAWRGB { (0, 2) } else { (2, 0) };
            for (pixel, color) in rgba.chunks_exact_mut(BYTES_PER_PIXEL).zip(raw.bytes.chunks_exact(3)) {
                pixel.copy_from_slice(&[color[red], color[1], color[blue], 255]);
            }
            Ok(())
        }
    }
}

#[cfg(feature = "turbojpeg")]
fn decode_jpeg(raw: &RawPicture, rgba: &mut [u8]) -> Result<(), String> {
    let mut decoder = turbojpeg::Decompressor::new().map_err(|error| error.to_string())?;
    let header = decoder.read_header(&raw.bytes).map_err(|error| error.to_string())?;
    if (header.width, header.height) != (raw.size.width as usize, raw.size.height as usize) {
        return Err("it sent a picture of another size than it said".to_owned());
    }
    let picture = turbojpeg::Image {
        pixels: rgba,
        width: header.width,
        pitch: header.width * BYTES_PER_PIXEL,
        height: header.height,
        format: turbojpeg::PixelFormat::RGBA,
    };
    decoder.decompress(&raw.bytes, picture).map_err(|error| error.to_string())
}

#[cfg(not(feature = "turbojpeg"))]
fn decode_jpeg(raw: &RawPicture, rgba: &mut [u8]) -> Result<(), String> {
    let picture = image::load_from_memory_with_format(&raw.bytes, image::ImageFormat::Jpeg)
        .map_err(|error| error.to_string())?
        .into_rgba8();
    if picture.as_raw().len() != rgba.len() {
        return Err("it sent a picture of another size than it said".to_owned());
    }
    rgba.copy_from_slice(picture.as_raw());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(format: FrameFormat, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let raw = RawPicture { bytes: bytes.to_vec(), size: Size::new(2, 2), format, at: Instant::now() };
        let mut rgba = vec![0; 16];
        convert(&raw, &mut rgba).map(|()| rgba)
    }

    #[test]
    fn every_format_gives_white_for_white() {
        let white_yuyv = [235, 128, 235, 128, 235, 128, 235, 128];
        let white_nv12 = [235, 235, 235, 235, 128, 128];
        for (format, bytes) in [
            (FrameFormat::YUYV, &white_yuyv[..]),
            (FrameFormat::NV12, &white_nv12),
            (FrameFormat::RAWRGB, &[255; 12]),
            (FrameFormat::RAWBGR, &[255; 12]),
            (FrameFormat::GRAY, &[255; 4]),
        ] {
            assert_eq!(converted(format, bytes), Ok(vec![255; 16]), "{format:?}");
        }
    }

    #[test]
    fn short_and_broken_pictures_are_errors() {
        for format in [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::RAWRGB, FrameFormat::GRAY, FrameFormat::MJPEG]
        {
            assert!(converted(format, &[1, 2, 3]).is_err(), "{format:?}");
        }
    }
}
