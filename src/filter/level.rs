//! From a computed value to a level of 8 bits, in a form that loops over pixels turn into a few vector instructions.

/// At this size the last bit of the fraction counts ones, so that adding it rounds, a half to the even number.
pub(crate) const WHOLE: f32 = 12_582_912.0;

/// From 0 to 255. What is not a number becomes 0.
#[inline(always)]
pub(crate) fn clamped(value: f32) -> f32 {
    // The comparisons are one vector instruction each; `clamp` keeps NaN and costs more.
    let value = if value > 0.0 { value } else { 0.0 };
    if value < 255.0 { value } else { 255.0 }
}

/// Rounds to the nearest level, a half to the even one, and clamps. What is not a number becomes 0.
#[inline(always)]
pub(crate) fn level(value: f32) -> u8 {
    (clamped(value) + WHOLE).to_bits() as u8
}

/// A level as a float. Signed on the way, because that conversion is one instruction.
#[inline(always)]
pub(crate) fn value(level: u8) -> f32 {
    f32::from(level)
}

/// Red, green and blue in levels.
#[inline(always)]
pub(crate) fn channels(pixel: [u8; 4]) -> [f32; 3] {
    let packed = u32::from_le_bytes(pixel);
    // Signed, because that conversion is one instruction.
    let (r, g, b) = (packed & 0xff, packed >> 8 & 0xff, packed >> 16 & 0xff);
    [r as i32 as f32, g as i32 as f32, b as i32 as f32]
}

/// A pixel of red, green and blue in levels, with the alpha of `before`.
#[inline(always)]
pub(crate) fn pixel(channels: [f32; 3], before: [u8; 4]) -> [u8; 4] {
    let (r, g, b) = (level(channels[0]), level(channels[1]), level(channels[2]));
    let color = u32::from(r) | u32::from(g) << 8 | u32::from(b) << 16;
    (color | u32::from_le_bytes(before) & 0xff00_0000).to_le_bytes()
}

/// `part` of 255 of the way from one level to another, rounded.
#[inline(always)]
pub(crate) fn mix(from: u8, to: u8, part: u8) -> u8 {
    let (from, to, part) = (u32::from(from), u32::from(to), u32::from(part));
    // Exact division by 255 for everything up to 255 * 255.
    let sum = from * (255 - part) + to * part + 128;
    ((sum + (sum >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_clamps_and_takes_nan_for_black() {
        for (given, wanted) in [(-1.0, 0), (0.49, 0), (0.51, 1), (254.6, 255), (1e30, 255), (f32::NAN, 0)] {
            assert_eq!(level(given), wanted, "{given}");
        }
    }

    #[test]
    fn mixing_is_exact_to_the_rounding() {
        for from in 0..=255_u8 {
            for part in 0..=255_u8 {
                let to = from.wrapping_mul(7);
                let exact = (f64::from(from) * f64::from(255 - part) + f64::from(to) * f64::from(part)) / 255.0;
                assert!((f64::from(mix(from, to, part)) - exact).abs() <= 0.5 + 1e-9, "{from} {to} {part}");
            }
        }
    }
}
