//! How many parts a model's file has, counted before anything is made of it: two bytes of a file can become hundreds of
//! bytes in memory, so that a file within its limit could otherwise fill the memory, which can't be caught.

/// Parts at most. A network of 500 layers has about 15,000.
const MOST_PARTS: usize = 1 << 18;
/// Messages in messages at most; the layers of a model without loops are six deep.
const MOST_DEPTH: usize = 16;

/// What a message is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    /// Its numbers are nearly all of the file, and take at most eight times their room.
    Tensor,
    /// One that is not looked at in detail: whatever in it could be a message counts as one.
    Other,
}

impl Kind {
    /// The message in field `number` of this one; `None` for texts and numbers.
    fn of_field(self, number: u64) -> Option<Self> {
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Some(Self::Tensor),
            (Self::Model, 20 | 25) | (Self::Graph, 11..=15) | (Self::Attribute, 15 | 22 | 23) | (Self::Other, _) => {
                Some(Self::Other)
            }
            _ => None,
        }
    }
}

/// Refuses a file of too many parts.
pub(super) fn check_parts(bytes: &[u8]) -> Result<(), String> {
    let mut parts = 0;
    count(bytes, Kind::Model, MOST_DEPTH, &mut parts);
    if parts > MOST_PARTS {
        return Err(format!("the model has more than {MOST_PARTS} parts, which is too many"));
    }
    Ok(())
}

/// Counts fields, and those of the messages in them. What is none is left to the reader of the format.
fn count(mut bytes: &[u8], kind: Kind, depth: usize, parts: &mut usize) {
    while !bytes.is_empty() && *parts <= MOST_PARTS {
        let Some(key) = varint(&mut bytes) else { return };
        let skipped = match key & 7 {
            0 => varint(&mut bytes).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut bytes),
            5 => Some(4),
            _ => None,
        };
        let Some(length) = skipped.and_then(|length| usize::try_from(length).ok()) else { return };
        let Some((field, rest)) = bytes.split_at_checked(length) else { return };
        bytes = rest;
        if kind != Kind::Tensor || key & 7 == 2 {
            *parts += 1;
        }
        if key & 7 == 2
            && let Some(inner) = kind.of_field(key >> 3)
        {
            match depth.checked_sub(1) {
                Some(depth) => count(field, inner, depth, parts),
                // As many as can be in it.
                None => *parts += field.len() / 2,
            }
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn a_million_empty_nodes_are_too_many_and_a_million_weights_are_not() {
        let nodes = field(1, &[]).repeat(1_000_000);
        assert!(check_parts(&field(7, &nodes)).unwrap_err().contains("too many"));
        let weights = field(5, &field(9, &[0x0a, 0x00].repeat(1_000_000)));
        assert_eq!(check_parts(&field(7, &weights)), Ok(()));
        let tensors = field(5, &[]).repeat(1_000_000);
        assert!(check_parts(&field(7, &tensors)).is_err());
        let hidden = (0..13).fold(nodes, |inner, _| field(1, &field(5, &field(6, &inner))));
        assert!(check_parts(&field(7, &hidden)).is_err());
        let notes = field(1, &field(6, "a trace, which is long; ".repeat(100_000).as_bytes()));
        assert_eq!(check_parts(&field(7, &notes)), Ok(()));
    }

    #[test]
    fn what_is_no_message_is_left_to_the_reader() {
        for bytes in
            [&b""[..], &[0xff; 400], &[0x0a; 64], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]
        {
            assert_eq!(check_parts(bytes), Ok(()));
        }
    }
}
