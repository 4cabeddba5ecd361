//! Shows what moves. A movement fades within a third of a second, so that it can be seen at all.
//!
//! A repeat of the same picture has no movement of its own; it only lets the earlier ones fade.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, for_each_band_of_two};
use crate::filter::color::LUMA_709;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::filter::level::{channels, level, pixel as packed, value};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// How a movement is shown.
    pub enum MotionStyle {
        Highlight = "highlight", "Highlight";
        Difference = "difference", "Difference";
    }
}

params! {
    /// Shows what moves: in colour on a dark grey picture, or as the difference to the picture before.
    pub struct ShowMotion("motion", "Show motion", Time) {
        /// The change of brightness that counts as a movement.
        threshold: f32 = 0.08 in 0.0..=1.0 step 0.01, "Threshold", Fraction;
        /// How it is shown.
        style: MotionStyle = Highlight, "Style";
    }
}

/// Levels that a movement fades in a second.
const FADES: f32 = 765.0;
/// How bright what does not move is with the style Highlight.
const STILL: f32 = 0.35;

impl Prepare for ShowMotion {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let threshold = level(self.threshold * 255.0);
        let (before, traces) = (Vec::new(), Vec::new());
        let style = self.style;
        Ok(Kernel::Time(Box::new(Moving { size: input, threshold, style, last: None, before, traces, fades: false })))
    }
}

struct Moving {
    size: Size,
    threshold: u8,
    style: MotionStyle,
    last: Option<Instant>,
    /// The picture before.
    before: Vec<u8>,
    /// What is left of movements: the difference of each channel, and how fresh it is.
    traces: Vec<u8>,
    fades: bool,
}

impl TimeKernel for Moving {
    fn run(&mut self, pixels: &mut [u8], Moment { now, .. }: Moment) -> Shown {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let last = self.last.replace(now).filter(|_| self.before.len() == pixels.len());
        if last.is_none() {
            self.before.clear();
            self.before.extend_from_slice(pixels);
            self.traces.clear();
            self.traces.resize(pixels.len(), 0);
        }
        let seconds = last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f32());
        // Never nothing while time goes on, so that it comes to an end.
        let fading = if seconds > 0.0 { level((seconds * FADES).max(1.0)) } else { 0 };
        let (threshold, fades) = (self.threshold, AtomicBool::new(false));
        let source = &*pixels;
        for_each_band_of_two((&mut self.before, stride), (&mut self.traces, stride), |first, before, traces| {
            let pixels = &source[first * stride..][..before.len()];
            let (traces, _) = traces.as_chunks_mut::<BYTES_PER_PIXEL>();
            let pairs = (pixels.as_chunks().0, before.as_chunks().0);
            if compare(pairs, (threshold, fading), traces) {
                fades.store(true, Ordering::Relaxed);
            }
            before.copy_from_slice(pixels);
        });
        self.fades = fades.into_inner();
        let (traces, style) = (&self.traces, self.style);
        for_each_band(pixels, stride, |first, band| {
            let traces = &traces[first * stride..][..band.len()];
            let (traces, pixels) = (traces.as_chunks().0, band.as_chunks_mut().0);
            match style {
                MotionStyle::Highlight => highlight(traces, pixels),
                MotionStyle::Difference => difference(traces, pixels),
            }
        });
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        if let Ok(older) = older.downcast::<Self>()
            && older.size == self.size
        {
            (self.last, self.before, self.traces, self.fades) = (older.last, older.before, older.traces, older.fades);
        }
    }

    fn goes_on(&self) -> bool {
        self.fades
    }

    fn memory(&self) -> [usize; 2] {
        [self.before.len() + self.traces.len(), 2 * self.size.pixels() * BYTES_PER_PIXEL]
    }
}

type Pixel = [u8; BYTES_PER_PIXEL];

/// Fades the traces and adds the new ones; whether any is left.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn compare((pixels, before): (&[Pixel], &[Pixel]), (threshold, fading): (u8, u8), traces: &mut [Pixel]) -> bool {
    let mut left = 0;
    for ((trace, pixel), before) in traces.iter_mut().zip(pixels).zip(before) {
        let apart = [0, 1, 2].map(|channel: usize| pixel[channel].abs_diff(before[channel]));
        let most = apart[0].max(apart[1]).max(apart[2]);
        let moved = if (most > threshold) | ((threshold == 0) & (most > 0)) { 255 } else { 0 };
        let fresh = [apart[0] & moved, apart[1] & moved, apart[2] & moved, moved];
        for (trace, fresh) in trace.iter_mut().zip(fresh) {
            *trace = trace.saturating_sub(fading).max(fresh);
            left |= *trace;
        }
    }
    left != 0
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn highlight(traces: &[Pixel], pixels: &mut [Pixel]) {
    for (pixel, trace) in pixels.iter_mut().zip(traces) {
        let [r, g, b] = channels(*pixel);
        let gray = (LUMA_709[0] * r + LUMA_709[1] * g + LUMA_709[2] * b) * STILL;
        let fresh = value(trace[3]) * (1.0 / 255.0);
        let shown = [gray + (r - gray) * fresh, gray + (g - gray) * fresh, gray + (b - gray) * fresh];
        *pixel = packed(shown, *pixel);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn difference(traces: &[Pixel], pixels: &mut [Pixel]) {
    for (pixel, trace) in pixels.iter_mut().zip(traces) {
        *pixel = [trace[0], trace[1], trace[2], pixel[3]];
    }
}
