//! From packets to frames: puts packets in order, says which are missing and for how long that is worth waiting, and
//! begins anew with a keyframe where it was not. Pure: the time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::Bytes;

use super::depacketize;
use crate::receive::{Codec, Colors, Unit};

/// Packets that wait at most, for those that are missing: about a second of 12 Mbit/s, or one enormous keyframe.
const PACKETS_WAITING: usize = 2_048;
/// A packet this far from the others belongs to another stream, or to none.
const FAR: i64 = 4_096;
/// What is missing is waited for so long; a retransmission takes a round trip, or two.
const PATIENCE: Duration = Duration::from_millis(250);
/// Packets overtake each other by a little; only then one is asked for, and how often and for how many at once.
const OVERTAKEN: Duration = Duration::from_millis(8);
const ASK_GAP: Duration = Duration::from_millis(40);
const MOST_ASKS: u32 = 5;
const ASKED_AT_ONCE: usize = 64;
/// How often a keyframe is asked for while there is none.
const KEYFRAME_GAP: Duration = Duration::from_millis(500);

/// What matters here of a packet.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub number: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
    /// What this packet says about colours, which holds for those after it, too.
    pub colors: Option<Colors>,
}

/// What the sender should be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asks {
    pub missing: Vec<u16>,
    pub keyframe: bool,
}

#[derive(Debug)]
struct Waiting {
    arrival: Arrival,
    at: Instant,
}

#[derive(Debug)]
struct Missing {
    since: Instant,
    asked: Option<Instant>,
    asks: u32,
}

/// One stream.
#[derive(Debug)]
pub struct Assembly {
    codec: Codec,
    /// By their numbers, which go on where 16 bits begin anew.
    packets: BTreeMap<i64, Waiting>,
    missing: BTreeMap<i64, Missing>,
    highest: Option<i64>,
    /// The packet that comes next; without one a keyframe is looked for.
    next: Option<i64>,
    keyframe_asked: Option<Instant>,
    colors: Option<Colors>,
    /// Packets in a row that were far from all others.
    strangers: u32,
}

impl Assembly {
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            packets: BTreeMap::new(),
            missing: BTreeMap::new(),
            highest: None,
            next: None,
            keyframe_asked: None,
            colors: None,
            strangers: 0,
        }
    }

    /// Takes a packet; gives the frames that are whole now, in order.
    pub fn take(&mut self, arrival: Arrival, now: Instant) -> Vec<Unit> {
        let Some(number) = self.place(arrival.number) else { return Vec::new() };
        if self.next.is_some_and(|next| number < next) {
            return Vec::new();
        }
        self.note_missing(number, now);
        let begins = depacketize::begins_keyframe(self.codec, &arrival.payload);
        if !arrival.payload.is_empty() || self.next.is_some() {
            self.packets.entry(number).or_insert(Waiting { arrival, at: now });
        }
        // Those that wait already begin nothing: that would have been found when they came.
        let mut can_go_on = begins || self.next.is_some();
        while self.packets.len() > PACKETS_WAITING {
            self.packets.pop_first();
            can_go_on |= self.next.take().is_some();
        }
        if can_go_on { self.frames() } else { Vec::new() }
    }

    /// Gives up what was waited for too long, and says what to ask for; to be called every few milliseconds.
    pub fn on_tick(&mut self, wants_keyframe: bool, now: Instant) -> (Vec<Unit>, Asks) {
        let first_missing = self.next.filter(|next| !self.packets.contains_key(next));
        let lost = first_missing.is_some_and(|_| {
            let waited = self.packets.first_key_value().map(|(_, packet)| packet.at);
            waited.is_some_and(|at| now.saturating_duration_since(at) > PATIENCE)
        });
        // In the middle of a frame the gap comes after packets that are there.
        let torn = self.missing.values().next().is_some_and(|gap| now.saturating_duration_since(gap.since) > PATIENCE);
        let mut units = Vec::new();
        if lost || (torn && self.next.is_some()) {
            self.give_up();
            units = self.frames();
        }
        let mut asks = Asks::default();
        let begins = self.next.is_none();
        for (number, gap) in &mut self.missing {
            let due = match gap.asked {
                None => now.saturating_duration_since(gap.since) >= OVERTAKEN,
                Some(at) => now.saturating_duration_since(at) >= ASK_GAP && gap.asks < MOST_ASKS,
            };
            if due && asks.missing.len() < ASKED_AT_ONCE {
                gap.asked = Some(now);
                gap.asks += 1;
                asks.missing.push(*number as u16);
            }
        }
        self.missing.retain(|_, gap| now.saturating_duration_since(gap.since) <= 2 * PATIENCE);
        let soon = self.keyframe_asked.is_some_and(|at| now.saturating_duration_since(at) < KEYFRAME_GAP);
        if (begins || wants_keyframe) && !soon {
            self.keyframe_asked = Some(now);
            asks.keyframe = true;
        }
        (units, asks)
    }

    /// How many packets wait; for those who look for leaks.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.packets.len() + self.missing.len()
    }

    /// The number without its wrapping, nearest to the highest one.
    fn place(&mut self, number: u16) -> Option<i64> {
        let Some(highest) = self.highest else {
            self.highest = Some(i64::from(number));
            return self.highest;
        };
        let ahead = i64::from(number.wrapping_sub(highest as u16) as i16);
        if ahead.abs() > FAR {
            self.strangers += 1;
            if self.strangers > 8 {
                // The sender began anew with other numbers.
                let codec = self.codec;
                *self = Self { keyframe_asked: self.keyframe_asked, ..Self::new(codec) };
                self.highest = Some(i64::from(number));
                return self.highest;
            }
            return None;
        }
        self.strangers = 0;
        Some(highest + ahead)
    }

    fn note_missing(&mut self, number: i64, now: Instant) {
        let highest = self.highest.unwrap_or(number);
        self.missing.remove(&number);
        for between in highest + 1..number {
            self.missing.insert(between, Missing { since: now, asked: None, asks: 0 });
        }
        while self.missing.len() > PACKETS_WAITING {
            self.missing.pop_first();
        }
        self.highest = Some(highest.max(number));
    }

    /// Leaves out what is before the gap, and looks for a keyframe behind it.
    fn give_up(&mut self) {
        let gap = self.missing.keys().next().copied().or(self.next);
        if let Some(gap) = gap {
            self.packets = self.packets.split_off(&gap);
            self.missing = self.missing.split_off(&(gap + 1));
        }
        // Further gaps are behind us if they are before a packet that came as long ago.
        self.next = None;
    }

    fn frames(&mut self) -> Vec<Unit> {
        let mut units = Vec::new();
        loop {
            if self.next.is_none() {
                let starts =
                    |(_, packet): &(&i64, &Waiting)| depacketize::begins_keyframe(self.codec, &packet.arrival.payload);
                let Some(first) = self.packets.iter().find(starts).map(|(number, _)| *number) else { return units };
                self.packets = self.packets.split_off(&first);
                self.missing = self.missing.split_off(&first);
                self.next = Some(first);
            }
            let Some((first, last)) = self.whole_frame() else { return units };
            let rest = self.packets.split_off(&(last + 1));
            let packets = std::mem::replace(&mut self.packets, rest);
            self.missing = self.missing.split_off(&(last + 1));
            self.next = Some(last + 1);
            let at = packets.values().map(|packet| packet.at).max();
            self.colors = packets.values().filter_map(|packet| packet.arrival.colors).next_back().or(self.colors);
            let payloads = packets.range(first..).map(|(_, packet)| &packet.arrival.payload);
            let (Some(at), Some((data, keyframe))) = (at, depacketize::frame(self.codec, payloads)) else { continue };
            units.push(Unit { data, keyframe, colors: self.colors, at });
        }
    }

    /// The first and the last packet of the next frame, if all of it is here: up to the marker, or up to where another
    /// timestamp begins.
    fn whole_frame(&self) -> Option<(i64, i64)> {
        let first = self.next?;
        let timestamp = self.packets.get(&first)?.arrival.timestamp;
        let mut last = first;
        loop {
            let packet = self.packets.get(&last)?;
            if packet.arrival.timestamp != timestamp {
                return Some((first, last - 1));
            }
            if packet.arrival.marker {
                return Some((first, last));
            }
            last += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// VP8: the first packet of a frame, of which a keyframe's first byte is even.
    fn packet(number: u16, frame: u32, keyframe: bool, part: u8, last: bool) -> Arrival {
        let descriptor = if part == 0 { 0x10 } else { 0x00 };
        let payload = Bytes::from(vec![descriptor, u8::from(!keyframe), part, 0, 0, 0]);
        Arrival { number, timestamp: frame * 3_000, marker: last, payload, colors: None }
    }

    /// Two packets a frame, the first one a keyframe's, over the end of the numbers.
    fn stream(frames: u32) -> Vec<Arrival> {
        let number = |frame: u32, part: u32| 65_530_u16.wrapping_add((frame * 2 + part) as u16);
        (0..frames)
            .flat_map(|frame| {
                [0, 1].map(|part| packet(number(frame, part), frame, frame % 10 == 0, part as u8, part == 1))
            })
            .collect()
    }

    #[test]
    fn frames_come_out_in_order_whatever_order_their_packets_come_in() {
        let now = Instant::now();
        let mut assembly = Assembly::new(Codec::Vp8);
        let mut packets = stream(40);
        for pair in packets[4..].chunks_mut(3) {
            pair.reverse();
        }
        let units: Vec<Unit> = packets.into_iter().flat_map(|packet| assembly.take(packet, now)).collect();
        assert_eq!(units.len(), 40);
        assert!(units.iter().enumerate().all(|(at, unit)| unit.keyframe == (at % 10 == 0)));
        assert_eq!(assembly.waiting(), 0);
    }

    #[test]
    fn what_is_missing_is_asked_for_and_what_comes_late_is_used() {
        let start = Instant::now();
        let mut assembly = Assembly::new(Codec::Vp8);
        let packets = stream(10);
        let late = packets[5].clone();
        let mut units = 0;
        for (at, packet) in packets.into_iter().enumerate().filter(|(at, _)| *at != 5) {
            units += assembly.take(packet, start + Duration::from_millis(at as u64)).len();
        }
        assert_eq!(units, 2);
        let (_, asks) = assembly.on_tick(false, start + Duration::from_millis(30));
        assert_eq!((asks.missing, asks.keyframe), (vec![late.number], false));
        let (_, asks) = assembly.on_tick(false, start + Duration::from_millis(40));
        assert!(asks.missing.is_empty(), "not again so soon");
        assert_eq!(assembly.take(late, start + Duration::from_millis(60)).len(), 8);
        assert_eq!(assembly.on_tick(false, start + Duration::from_secs(1)).1, Asks::default());
    }

    #[test]
    fn what_never_comes_is_given_up_and_the_next_keyframe_is_where_it_goes_on() {
        let start = Instant::now();
        let mut assembly = Assembly::new(Codec::Vp8);
        let mut keyframes_asked = 0;
        let mut units = Vec::new();
        for (at, packet) in stream(30).into_iter().enumerate().filter(|(at, _)| *at != 8) {
            let now = start + Duration::from_millis(33 * at as u64);
            units.extend(assembly.take(packet, now));
            let (more, asks) = assembly.on_tick(false, now);
            units.extend(more);
            keyframes_asked += u32::from(asks.keyframe);
        }
        // Four frames before the gap; from the second keyframe on all of them.
        assert_eq!(units.len(), 4 + 20, "{keyframes_asked}");
        assert!(units[4].keyframe);
        assert!(keyframes_asked >= 1);
    }

    #[test]
    fn nothing_grows_whatever_comes() {
        let start = Instant::now();
        let mut assembly = Assembly::new(Codec::H264);
        let mut state = 7_u32;
        for at in 0..50_000_u64 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let payload = Bytes::from(state.to_be_bytes()[..state as usize % 5].to_vec());
            let arrival =
                Arrival { number: (state >> 8) as u16, timestamp: state >> 20, marker: false, payload, colors: None };
            let now = start + Duration::from_micros(100 * at);
            assembly.take(arrival, now);
            if at % 100 == 0 {
                assembly.on_tick(false, now);
            }
            assert!(assembly.waiting() <= 2 * PACKETS_WAITING + FAR as usize);
        }
    }
}
