//! Loops over pixels, compiled for several instruction sets and chosen when the program runs. A distributed program is
//! built for the oldest processor of its kind, whose vectors are a half or a quarter as wide as those of the processor it
//! usually runs on.
//!
//! The code is the same for each set, in whole numbers or in floats that are never contracted, so the pictures are too.

mod lookup;
mod medians;
mod pairs;
mod rows;
mod sample;
mod taps;
mod turn;
mod windows;

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, Ordering};

/// Instruction sets that loops are compiled for beside the build's own.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Baseline,
    Avx2,
    /// With what came after the first such processors, which slow down when they use their widest vectors.
    Avx512,
}

/// The best level of this processor plus one, or 0 before it was looked for.
#[cfg(target_arch = "x86_64")]
static FOUND: AtomicU8 = AtomicU8::new(0);

#[cfg(target_arch = "x86_64")]
pub(crate) fn level() -> Level {
    match FOUND.load(Ordering::Relaxed) {
        1 => Level::Baseline,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => {
            let found = best_level();
            FOUND.store(found as u8 + 1, Ordering::Relaxed);
            found
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn best_level() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
    let avx512 = is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Baseline,
    }
}

/// Declares a function that is compiled for each [`Level`]. What it calls has to be inlined into it to profit.
macro_rules! vectorised {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident$(<const $constant:ident: $constant_type:ty>)?(
            $($argument:ident: $type:ty),* $(,)?
        ) $body:block
    )+) => {$(
        $(#[$meta])*
        $vis fn $name$(<const $constant: $constant_type>)?($($argument: $type),*) {
            #[inline(always)]
            fn plain$(<const $constant: $constant_type>)?($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,bmi1,bmi2")]
                fn avx2$(<const $constant: $constant_type>)?($($argument: $type),*) {
                    plain$(::<$constant>)?($($argument),*)
                }

                #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
                fn avx512$(<const $constant: $constant_type>)?($($argument: $type),*) {
                    plain$(::<$constant>)?($($argument),*)
                }

                match $crate::filter::simd::level() {
                    $crate::filter::simd::Level::Baseline => {}
                    $crate::filter::simd::Level::Avx2 => {
                        #[expect(unsafe_code, reason = "the compiler can't see that the processor was asked")]
                        // SAFETY: `level` has found these instructions on this processor.
                        return unsafe { avx2$(::<$constant>)?($($argument),*) };
                    }
                    $crate::filter::simd::Level::Avx512 => {
                        #[expect(unsafe_code, reason = "the compiler can't see that the processor was asked")]
                        // SAFETY: `level` has found these instructions on this processor.
                        return unsafe { avx512$(::<$constant>)?($($argument),*) };
                    }
                }
            }
            plain$(::<$constant>)?($($argument),*)
        }
    )+};
}

pub(crate) use lookup::look_up;
pub(crate) use medians::{Ranked, median_of_five_columns, median_of_three, sort_five_lines};
pub(crate) use pairs::{Pairs, blend, halve, mix_pairs, quarter};
pub(crate) use rows::{CHUNK, weighted_rows};
pub(crate) use sample::{POSITION_BITS, Walk, sample};
pub(crate) use taps::{Along, ONE, SUMS, TAPS, sum_along, sum_rows};
pub(crate) use turn::{Rows, SIDE, transpose};
pub(crate) use vectorised;
pub(crate) use windows::{few_means, sliding_means};

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::filter::Chain;
    use crate::frame::{Captured, PixelFormat};
    use crate::geometry::Size;
    use crate::pipeline::{LiveText, Stage};

    #[test]
    fn every_instruction_set_gives_the_same_picture() {
        let size = Size::new(301, 97);
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let pixels: Vec<u8> = (0..size.pixels() * 4).map(|_| next()).collect();
        let filters = [
            json!({ "filter": "gaussian_blur", "params": { "sigma": 0.7 } }),
            json!({ "filter": "gaussian_blur", "params": { "sigma": 4.2 } }),
            json!({ "filter": "gaussian_blur", "params": { "sigma": 13 } }),
            json!({ "filter": "box_blur", "params": { "radius": 9 } }),
            json!({ "filter": "sharpen", "params": { "amount": 1.7, "radius": 2.5 } }),
            json!({ "filter": "edges", "params": { "overlay": true } }),
            json!({ "filter": "pixelate", "params": { "size": 7 } }),
            json!({ "filter": "median", "params": { "radius": 1 } }),
            json!({ "filter": "median", "params": { "radius": 4 } }),
            json!({ "filter": "bilateral", "params": { "sigma_color": 60 } }),
            json!({ "filter": "cartoon" }),
            json!({ "filter": "rotate", "params": { "degrees": 33, "expand": true } }),
            json!({ "filter": "rotate", "params": { "degrees": 90, "expand": true } }),
            json!({ "filter": "flip", "params": { "horizontal": true } }),
            json!({ "filter": "zoom", "params": { "factor": 2.3 } }),
            json!({ "filter": "zoom", "params": { "factor": 1.1 } }),
            json!({ "filter": "box_blur", "params": { "radius": 2 } }),
            json!({ "filter": "median", "params": { "radius": 2 } }),
            json!({ "filter": "scale", "params": { "percent": 50 } }),
            json!({ "filter": "scale", "params": { "percent": 61 } }),
            json!({ "filter": "scale", "params": { "percent": 50, "sampling": "area" } }),
            json!({ "filter": "scale", "params": { "percent": 37, "sampling": "area" } }),
            json!({ "filter": "scale", "params": { "percent": 70, "sampling": "bicubic" } }),
            json!({ "filter": "scale", "params": { "percent": 150, "sampling": "lanczos" } }),
        ];
        for filter in filters {
            let chain = Chain::from_value(&json!({ "version": 1, "filters": [filter] })).unwrap();
            let mut first = None;
            for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
                if level > best_level() {
                    continue;
                }
                // What other tests do meanwhile is the same at each level.
                FOUND.store(level as u8 + 1, Ordering::Relaxed);
                let at = Instant::now();
                let pixels = pixels.clone().into();
                let picture = Captured {
                    id: 1,
                    size,
                    format: PixelFormat::Rgba,
                    pixels,
                    at,
                    desktop_from_source: None,
                    pointer: None,
                    pressed: false,
                };
                let frame = Stage::new().process(picture, &chain, &LiveText::default(), at).expect("it is shown");
                FOUND.store(0, Ordering::Relaxed);
                let first = first.get_or_insert_with(|| frame.pixels.to_vec());
                assert!(first[..] == frame.pixels[..], "{filter} at {level:?}");
            }
        }
    }
}
