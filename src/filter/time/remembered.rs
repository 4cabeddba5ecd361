//! Pictures that are remembered in 256ths of a level, so that they can be mixed with the next one a little at a time.

use crate::filter::bands::for_each_band;

/// One level.
const ONE: i32 = 256;

/// Starts with this picture.
pub(super) fn remember(pixels: &[u8], stride: usize, remembered: &mut Vec<u16>) {
    remembered.resize(pixels.len(), 0);
    for_each_band(remembered, stride, |first, band| {
        for (remembered, level) in band.iter_mut().zip(&pixels[first * stride..]) {
            *remembered = u16::from(*level) * ONE as u16;
        }
    });
}

/// `share` of 65536 of the way to a level. While there is a way at all, it is never nothing, so that it comes to an end.
#[inline(always)]
pub(super) fn blend_towards(remembered: u16, level: u8, share: i32) -> u16 {
    let away = i32::from(level) * ONE - i32::from(remembered);
    (i32::from(remembered) + step_towards(away, share)) as u16
}

/// How far that is where the level is `away`, in 256ths.
#[inline(always)]
pub(super) fn step_towards(away: i32, share: i32) -> i32 {
    // A product of up to 2^32 would not fit; seven bits less are exact enough.
    let step = (away * (share >> 2)) >> 14;
    let least = if share > 0 { away.signum() } else { 0 };
    if step == 0 { least } else { step }
}

/// As a level, rounded.
#[inline(always)]
pub(super) fn show(remembered: u16) -> u8 {
    shown(i32::from(remembered)) as u8
}

/// The same for what is already wide.
#[inline(always)]
pub(super) fn shown(remembered: i32) -> u32 {
    (remembered as u32 + ONE as u32 / 2) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_comes_to_its_end_and_never_goes_past_it() {
        for from in (0..=255_u16).map(|level| level * 256) {
            for to in (0..=255_u8).step_by(5) {
                for share in [1, 700, 20_000, 65_535, 65_536] {
                    let (mut now, target) = (from, u16::from(to) * 256);
                    let next = blend_towards(now, to, share);
                    assert!(next.abs_diff(target) < now.abs_diff(target) || now == target, "{from} {to} {share}");
                    if share > 10_000 {
                        for _ in 0..400 {
                            now = blend_towards(now, to, share);
                        }
                        assert_eq!(show(now), to);
                    }
                }
            }
        }
        assert_eq!(blend_towards(100, 200, 0), 100);
    }
}
