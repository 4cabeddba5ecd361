//! Just enough of STUN (RFC 8489) to tell whose packet it is. Pure.

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_BYTES: usize = 20;
const USERNAME: u16 = 0x0006;

/// What ties an answer to its question.
pub type Transaction = [u8; 12];

/// What a packet is.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A question; whoever asks a connection of ours names it by its `ice-ufrag`.
    Request { transaction: Transaction, ufrag: Option<&'a str> },
    /// The answer to a question of ours.
    Response(Transaction),
    /// DTLS, media, or anything else.
    Other,
}

/// Tells what a packet is; what is cut short or damaged is `Other`, or has no name.
pub fn read(bytes: &[u8]) -> Packet<'_> {
    let Some((header, attributes)) = bytes.split_at_checked(HEADER_BYTES) else { return Packet::Other };
    if header[0] & 0xc0 != 0 || header[4..8] != COOKIE {
        return Packet::Other;
    }
    let mut transaction = Transaction::default();
    transaction.copy_from_slice(&header[8..]);
    match (header[0] & 0x01, header[1] & 0x10) {
        (0, 0) => Packet::Request { transaction, ufrag: username(attributes).and_then(local_part) },
        (1, _) => Packet::Response(transaction),
        // An indication asks nothing and names nobody.
        _ => Packet::Other,
    }
}

/// The value of the first attribute `USERNAME`.
fn username(mut attributes: &[u8]) -> Option<&str> {
    loop {
        let (head, rest) = attributes.split_at_checked(4)?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if kind == USERNAME {
            return std::str::from_utf8(rest.get(..length)?).ok();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

/// The receiver's name comes first, and then the sender's.
fn local_part(username: &str) -> Option<&str> {
    username.split_once(':').map(|(local, _)| local).filter(|local| !local.is_empty())
}

/// A packet for the tests of this folder.
#[cfg(test)]
pub fn packet(kind: u16, transaction: u8, username: &str) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    let padded = username.len().next_multiple_of(4);
    // An attribute of another kind and an odd length stands before it.
    bytes.extend(((8 + 4 + padded) as u16).to_be_bytes());
    bytes.extend(COOKIE);
    bytes.extend([transaction; 12]);
    bytes.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
    bytes.extend(USERNAME.to_be_bytes());
    bytes.extend((username.len() as u16).to_be_bytes());
    bytes.extend(username.as_bytes());
    bytes.resize(HEADER_BYTES + 8 + 4 + padded, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_whom_they_are_for_and_responses_what_they_answer() {
        let request = packet(0x0001, 7, "mine:theirs");
        assert_eq!(read(&request), Packet::Request { transaction: [7; 12], ufrag: Some("mine") });
        assert_eq!(read(&packet(0x0001, 7, "nobody")), Packet::Request { transaction: [7; 12], ufrag: None });
        for kind in [0x0101, 0x0111] {
            assert_eq!(read(&packet(kind, 9, "")), Packet::Response([9; 12]));
        }
        assert_eq!(read(&packet(0x0011, 9, "mine:theirs")), Packet::Other, "an indication");
    }

    #[test]
    fn whatever_is_cut_off_or_damaged_is_read_without_harm() {
        let whole = packet(0x0001, 7, "mine:theirs");
        // The last byte is only there to fill up four.
        for length in 0..whole.len() - 1 {
            if let Packet::Request { ufrag, .. } = read(&whole[..length]) {
                assert!(ufrag.is_none(), "cut at {length}");
            }
        }
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = read(&damaged);
        }
        assert_eq!(read(&[0x16, 0xfe, 0xfd, 0, 0]), Packet::Other, "DTLS");
    }
}
