//! Transparent pictures as viewers see them: JPEG and video have no alpha, so they are over black.

use std::sync::Arc;

use multiversion::multiversion;

use crate::filter::bands::for_each_band;
use crate::filter::{Chain, Class, Entry};
use crate::frame::{BYTES_PER_PIXEL, Frame, PixelFormat};

/// Puts the frame of a chain with a key over black and makes it opaque; other frames stay as they are. The frame's pixels
/// must not be held by anybody else yet.
pub fn over_black(frame: &mut Frame, chain: &Chain) {
    let is_key = |entry: &Entry| matches!(entry, Entry::Filter(filter) if filter.spec().class == Class::Key);
    let has_key = chain.items().iter().any(|item| item.enabled && is_key(&item.entry));
    let stride = frame.stride();
    if !has_key || frame.format != PixelFormat::Rgba || stride == 0 {
        return;
    }
    // What is held by others was passed on as it was captured: the key did nothing.
    let Some(pixels) = Arc::get_mut(&mut frame.pixels) else { return };
    for_each_band(pixels, stride, |_, band| flatten(band.as_chunks_mut().0));
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn flatten(pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    for pixel in pixels {
        let [r, g, b, a] = pixel.map(u32::from);
        // Exact division by 255, rounded.
        let [r, g, b] = [r, g, b].map(|channel| channel * a + 128).map(|sum| ((sum + (sum >> 8)) >> 8) as u8);
        *pixel = [r, g, b, 255];
    }
}
