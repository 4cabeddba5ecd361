//! Reads what matters here of H.264's sequence parameters: the size, and how colours are meant. Pure.

use super::decoder::Colors;

/// What a sequence parameter set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// In whole macroblocks, before cropping.
    pub width: u32,
    pub height: u32,
    /// By its own word; `None` where it says nothing.
    pub colors: Option<Colors>,
}

const SPS_TYPE: u8 = 7;
/// A parameter set is never longer than this, without its emulation prevention.
const MOST_BYTES: usize = 256;

/// The first sequence parameters of an Annex B byte stream, if there are any that can be read.
pub fn find(stream: &[u8]) -> Option<Sps> {
    let starts = stream.windows(4).enumerate().filter(|(_, four)| four[..3] == [0, 0, 1]);
    let (at, _) = starts.into_iter().find(|(_, four)| four[3] & 0x1f == SPS_TYPE)?;
    let unit = &stream[at + 4..];
    let end = unit.windows(3).position(|three| three[0] == 0 && three[1] == 0 && three[2] <= 1).unwrap_or(unit.len());
    read(&unescaped(&unit[..end.min(MOST_BYTES)]))
}

/// Without the bytes that keep start codes from arising by accident.
fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.len());
    for &byte in unit {
        if byte != 3 || !bytes.ends_with(&[0, 0]) {
            bytes.push(byte);
        }
    }
    bytes
}

/// After the NAL header, in the order of clause 7.3.2.1.1 of the standard.
fn read(bytes: &[u8]) -> Option<Sps> {
    let mut bits = Bits { bytes, at: 0 };
    let profile = bits.number(8)?;
    bits.number(16)?;
    bits.exponential()?;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        let chroma = bits.exponential()?;
        if chroma == 3 {
            bits.number(1)?;
        }
        bits.exponential()?;
        bits.exponential()?;
        bits.number(1)?;
        if bits.number(1)? == 1 {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.number(1)? == 1 {
                    bits.skip_scaling_list(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.exponential()?;
    match bits.exponential()? {
        0 => {
            bits.exponential()?;
        }
        1 => {
            bits.number(1)?;
            bits.exponential()?;
            bits.exponential()?;
            for _ in 0..bits.exponential()?.min(255) {
                bits.exponential()?;
            }
        }
        _ => {}
    }
    bits.exponential()?;
    bits.number(1)?;
    let width = bits.exponential()?.checked_add(1)?.checked_mul(16)?;
    let rows = bits.exponential()?.checked_add(1)?.checked_mul(16)?;
    let frames_only = bits.number(1)?;
    let height = rows.checked_mul(2 - frames_only)?;
    if frames_only == 0 {
        bits.number(1)?;
    }
    bits.number(1)?;
    if bits.number(1)? == 1 {
        for _ in 0..4 {
            bits.exponential()?;
        }
    }
    let colors = if bits.number(1)? == 1 { bits.colors() } else { None };
    Some(Sps { width, height, colors })
}

/// A reader of single bits and of Exp-Golomb codes.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn number(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn exponential(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.number(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        (1_u32 << zeros).checked_sub(1)?.checked_add(self.number(zeros)?)
    }

    fn skip_scaling_list(&mut self, length: u32) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..length {
            if next != 0 {
                let code = i64::from(self.exponential()?);
                let delta = if code % 2 == 1 { (code + 1) / 2 } else { -code / 2 };
                next = (last + delta).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }

    /// Of the usability information.
    fn colors(&mut self) -> Option<Colors> {
        if self.number(1)? == 1 && self.number(8)? == 255 {
            self.number(32)?;
        }
        if self.number(1)? == 1 {
            self.number(1)?;
        }
        if self.number(1)? == 0 {
            return None;
        }
        self.number(3)?;
        let full_range = self.number(1)? == 1;
        let mut bt709 = false;
        if self.number(1)? == 1 {
            self.number(16)?;
            bt709 = self.number(8)? == 1;
        }
        Some(Colors { bt709, full_range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_camera_are_read() {
        // x264, main profile, 1280 × 720, written by FFmpeg without any word about colours.
        let plain = [
            0, 0, 0, 1, 0x67, 0x4d, 0x40, 0x1f, 0xe8, 0x80, 0x28, 0x02, 0xdd, 0x80, 0xb5, 0x01, 0x01, 0x01, 0x40, 0, 0,
            0x03, 0, 0x40, 0, 0, 0x0f, 0x03, 0xc6, 0x0c, 0x44, 0x80, 0, 0, 0, 1, 0x68, 0xeb, 0xef, 0x20,
        ];
        let sps = find(&plain).expect("it has them");
        assert_eq!((sps.width, sps.height), (1_280, 720));
    }

    #[test]
    fn rubbish_is_nothing_and_never_a_panic() {
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[0, 0, 1, 0x67]), None);
        for seed in 0..2_000_u32 {
            let mut state = seed.wrapping_mul(2_654_435_761).max(1);
            let mut stream = vec![0, 0, 1, 0x67];
            stream.extend((0..40).map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state as u8
            }));
            let _ = find(&stream);
        }
    }
}
