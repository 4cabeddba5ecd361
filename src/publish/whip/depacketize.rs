//! Takes the payloads of a frame's packets apart (RFC 6184 for H.264, RFC 7741 for VP8). Pure; what is malformed is left
//! out, and the decoder says what it lacks.

use axum::body::Bytes;

use crate::receive::Codec;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
const NAL_TYPE: u8 = 0x1f;
const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// The first and the last bit of a fragment's second byte.
const FU_START: u8 = 0x80;

/// Whether decoding can begin with this packet.
pub fn begins_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Vp8 => vp8(payload).is_some_and(|(begins, data)| begins && data.first().is_some_and(|tag| tag & 1 == 0)),
        Codec::H264 => match payload.first().map(|head| head & NAL_TYPE) {
            Some(STAP_A) => aggregated(payload).any(|unit| is_key(unit[0] & NAL_TYPE)),
            Some(FU_A) => payload.get(1).is_some_and(|head| head & FU_START != 0 && is_key(head & NAL_TYPE)),
            Some(kind) => is_key(kind),
            None => false,
        },
    }
}

/// The frame that these payloads make, and whether it is a keyframe; `None` where nothing of them is one.
pub fn frame<'a>(codec: Codec, payloads: impl Iterator<Item = &'a Bytes>) -> Option<(Vec<u8>, bool)> {
    let mut data = Vec::new();
    let mut keyframe = false;
    for payload in payloads {
        keyframe |= begins_keyframe(codec, payload);
        match codec {
            Codec::Vp8 => data.extend_from_slice(vp8(payload).map_or(&[][..], |(_, data)| data)),
            Codec::H264 => add_units(payload, &mut data),
        }
    }
    (!data.is_empty()).then_some((data, keyframe))
}

const fn is_key(kind: u8) -> bool {
    matches!(kind, IDR | SPS)
}

fn add_units(payload: &[u8], data: &mut Vec<u8>) {
    match payload {
        [head, ..] if head & NAL_TYPE == STAP_A => {
            for unit in aggregated(payload) {
                data.extend_from_slice(&START_CODE);
                data.extend_from_slice(unit);
            }
        }
        [indicator, head, fragment @ ..] if indicator & NAL_TYPE == FU_A => {
            if head & FU_START != 0 {
                data.extend_from_slice(&START_CODE);
                data.push((indicator & !NAL_TYPE) | (head & NAL_TYPE));
            }
            data.extend_from_slice(fragment);
        }
        [head, _, ..] if matches!(head & NAL_TYPE, 1..STAP_A) => {
            data.extend_from_slice(&START_CODE);
            data.extend_from_slice(payload);
        }
        _ => {}
    }
}

/// The units of an aggregation packet; each has at least one byte.
fn aggregated(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let unit = after.get(..length).filter(|unit| !unit.is_empty())?;
        rest = &after[length..];
        Some(unit)
    })
}

/// Whether a payload begins a frame, and what follows its descriptor.
fn vp8(payload: &[u8]) -> Option<(bool, &[u8])> {
    let (head, mut rest) = payload.split_first()?;
    let begins = head & 0x10 != 0 && head & 0x07 == 0;
    if head & 0x80 != 0 {
        let (extended, after) = rest.split_first()?;
        rest = after;
        if extended & 0x80 != 0 {
            // A picture id of one byte, or of two.
            let long = rest.first()? & 0x80 != 0;
            rest = rest.get(if long { 2 } else { 1 }..)?;
        }
        if extended & 0x40 != 0 {
            rest = rest.get(1..)?;
        }
        if extended & 0x30 != 0 {
            rest = rest.get(1..)?;
        }
    }
    Some((begins, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(codec: Codec, payloads: &[&[u8]]) -> Option<(Vec<u8>, bool)> {
        let payloads: Vec<Bytes> = payloads.iter().map(|payload| Bytes::copy_from_slice(payload)).collect();
        frame(codec, payloads.iter())
    }

    #[test]
    fn h264_is_put_together_from_all_three_kinds_of_packets() {
        let stap = [0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 2];
        let fragments: [&[u8]; 3] = [&[0x7c, 0x85, 3], &[0x7c, 0x05, 4], &[0x7c, 0x45, 5]];
        let whole = made(Codec::H264, &[&stap, fragments[0], fragments[1], fragments[2], &[0x41, 9]]);
        let expected =
            [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3, 4, 5, 0, 0, 0, 1, 0x41, 9].to_vec();
        assert_eq!(whole, Some((expected, true)));
        assert!(!begins_keyframe(Codec::H264, &[0x41, 9]) && begins_keyframe(Codec::H264, fragments[0]));
    }

    #[test]
    fn vp8_is_put_together_with_and_without_a_descriptor_s_extensions() {
        let whole = made(Codec::Vp8, &[&[0x90, 0x80, 0x81, 7, 0x10, 1], &[0x00, 2, 3]]);
        assert_eq!(whole, Some((vec![0x10, 1, 2, 3], true)));
        assert!(!begins_keyframe(Codec::Vp8, &[0x10, 0x11]) && !begins_keyframe(Codec::Vp8, &[0x00, 0x10]));
    }

    #[test]
    fn rubbish_is_left_out() {
        for rubbish in [&[][..], &[0x78], &[0x78, 0], &[0x78, 0, 9, 1], &[0x7c], &[0xff; 9]] {
            assert!(!begins_keyframe(Codec::H264, rubbish), "{rubbish:?}");
            assert!(made(Codec::H264, &[rubbish]).is_none(), "{rubbish:?}");
        }
        for rubbish in [&[][..], &[0x90], &[0x90, 0x80], &[0x90, 0x80, 0x80], &[0x90, 0x70, 1]] {
            assert!(!begins_keyframe(Codec::Vp8, rubbish), "{rubbish:?}");
            assert!(made(Codec::Vp8, &[rubbish]).is_none(), "{rubbish:?}");
        }
    }
}
