//! The header before every frame on a program's pipes. Pure; `docs/extending.md` describes it for others.

use crate::geometry::Size;

/// The version of the protocol, in the declaration and in every header.
pub const PROTOCOL_VERSION: u16 = 1;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 32;

const MAGIC: [u8; 4] = *b"LCFR";

/// What stands before the pixels of a frame; every number is little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Grows with each frame; where frames were left out, by more than one.
    pub number: u64,
    pub size: Size,
    /// Bytes of parameters between the header and the pixels; 0 in an answer.
    pub params: u32,
    pub flags: u32,
}

/// Why bytes are not a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error(
        "wrote `{0}` where a frame should begin; only frames may go to its output, everything else to its error output"
    )]
    Magic(String),
    #[error("answers in version {0} of the protocol; this Lenscast speaks version {PROTOCOL_VERSION}")]
    Version(u16),
    #[error("sent parameters back; the answer is a header and the picture alone")]
    Params,
}

impl Header {
    /// In `flags`: what the program remembers of earlier frames belongs to another picture and must not show in this one.
    pub const FORGET: u32 = 1;

    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.size.width.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.size.height.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.params.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.flags.to_le_bytes());
        bytes
    }

    /// Reads the header of an answer.
    ///
    /// # Errors
    /// When the bytes are not such a header.
    pub fn of_answer(bytes: &[u8; HEADER_BYTES]) -> Result<Self, HeaderError> {
        let four = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if bytes[0..4] != MAGIC {
            return Err(HeaderError::Magic(readable(bytes)));
        }
        let version = u16::from_le_bytes([bytes[4], bytes[5]]);
        if version != PROTOCOL_VERSION {
            return Err(HeaderError::Version(version));
        }
        let header = Self {
            number: u64::from(four(8)) | u64::from(four(12)) << 32,
            size: Size::new(four(16), four(20)),
            params: four(24),
            flags: four(28),
        };
        if header.params == 0 { Ok(header) } else { Err(HeaderError::Params) }
    }
}

/// Bytes as a text of one line that can be shown.
pub(super) fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        let header = Header { number: 1 << 40 | 7, size: Size::new(1_920, 1_080), params: 0, flags: Header::FORGET };
        assert_eq!(Header::of_answer(&header.to_bytes()), Ok(header));
        let bytes = header.to_bytes();
        assert_eq!(bytes[..8], *b"LCFR\x01\0\x20\0");
        assert_eq!(bytes[16..20], [0x80, 0x07, 0, 0]);
    }

    #[test]
    fn what_is_no_header_is_named() {
        let wrong = Header::of_answer(b"Traceback (most recent call last");
        assert!(wrong.unwrap_err().to_string().contains("`Traceback (most recent call last`"));
        let mut bytes = Header { number: 1, size: Size::new(1, 1), params: 3, flags: 0 }.to_bytes();
        assert_eq!(Header::of_answer(&bytes), Err(HeaderError::Params));
        bytes[4] = 9;
        assert_eq!(Header::of_answer(&bytes), Err(HeaderError::Version(9)));
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut state = 1_u64;
        for _ in 0..1_000 {
            let bytes = std::array::from_fn(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            });
            assert!(Header::of_answer(&bytes).is_err());
        }
    }
}
