//! Sends lost packets again, within limits: answering every repeated request on a narrow link makes its queue grow
//! until the delay is seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rtc::interceptor::{Attribute, AttributedPacket, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;

use super::link::Link;
use super::passing::{Leaving, Step};

/// Packets kept; about two seconds at 4 Mbit/s.
const PACKETS_KEPT: usize = 1024;
/// What is older was given up by every receiver that shows frames at once.
const MAX_AGE: Duration = Duration::from_secs(1);
/// A packet goes again only after the request for it can't be an echo of the last one; used while the round trip is unknown.
const MIN_HOLD: Duration = Duration::from_millis(30);
/// Where more than this share gets lost, what is sent again goes twice: a player that loses that as well asks for it only
/// after another tenth of a second, during which nothing is shown.
const TWICE_FROM: f64 = 0.005;
/// Bytes that may be sent again for each byte sent, and how many of them may be saved up.
const BUDGET_SHARE: f64 = 0.5;
const BUDGET_MOST: f64 = 128.0 * 1024.0;

/// Answers NACKs of one stream.
pub struct NackResponder {
    link: Arc<Link>,
    history: History,
    ssrc: u32,
    rtx: Option<Rtx>,
}

/// Where retransmissions go (RFC 4588).
struct Rtx {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

/// What was sent, and what may be sent again; pure.
struct History {
    packets: VecDeque<Sent>,
    budget: f64,
}

struct Sent {
    packet: rtp::Packet,
    at: Instant,
    again: Option<Instant>,
}

impl Default for History {
    fn default() -> Self {
        Self { packets: VecDeque::new(), budget: BUDGET_MOST }
    }
}

impl History {
    fn note(&mut self, packet: rtp::Packet, now: Instant) {
        self.budget = (self.budget + packet.payload.len() as f64 * BUDGET_SHARE).min(BUDGET_MOST);
        if self.packets.len() >= PACKETS_KEPT {
            self.packets.pop_front();
        }
        self.packets.push_back(Sent { packet, at: now, again: None });
    }

    /// The packet, if it is known, young enough, not just on its way again, and within the budget.
    fn take(&mut self, sequence: u16, hold: Duration, now: Instant) -> Option<&rtp::Packet> {
        let newest = self.packets.back()?.packet.header.sequence_number;
        let back = usize::from(newest.wrapping_sub(sequence));
        let index = self.packets.len().checked_sub(back + 1)?;
        let sent = self.packets.get_mut(index).filter(|sent| sent.packet.header.sequence_number == sequence)?;
        let waits = sent.again.is_some_and(|again| now.saturating_duration_since(again) < hold);
        let bytes = sent.packet.payload.len() as f64;
        if waits || now.saturating_duration_since(sent.at) > MAX_AGE || self.budget < bytes {
            return None;
        }
        self.budget -= bytes;
        sent.again = Some(now);
        Some(&sent.packet)
    }
}

impl NackResponder {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link, history: History::default(), ssrc: 0, rtx: None }
    }

    fn answer(&mut self, numbers: impl Iterator<Item = u16>, now: Instant, leaving: &mut Leaving) {
        let times = if self.link.quality().loss > TWICE_FROM { 2 } else { 1 };
        let hold = self.link.round_trip().unwrap_or(MIN_HOLD).max(MIN_HOLD);
        for number in numbers {
            let Some(original) = self.history.take(number, hold, now) else { continue };
            for _ in 0..times {
                let packet = self.rtx.as_mut().map_or_else(|| original.clone(), |rtx| rtx.wrap(original));
                leaving.push_back(TaggedPacket {
                    now,
                    transport: TransportContext::default(),
                    message: AttributedPacket::new(Packet::Rtp(packet)).with(Attribute::Retransmission),
                });
            }
        }
    }
}

/// The sequence numbers that a request names.
fn requested(nack: &TransportLayerNack) -> impl Iterator<Item = u16> {
    nack.nacks.iter().flat_map(|pair| {
        let following = (0..16).filter(|bit| pair.lost_packets & (1 << bit) != 0).map(|bit| bit + 1);
        std::iter::once(0).chain(following).map(|offset| pair.packet_id.wrapping_add(offset))
    })
}

impl Rtx {
    fn wrap(&mut self, original: &rtp::Packet) -> rtp::Packet {
        let mut payload = Vec::with_capacity(2 + original.payload.len());
        payload.extend_from_slice(&original.header.sequence_number.to_be_bytes());
        payload.extend_from_slice(&original.payload);
        let header = rtp::Header {
            ssrc: self.ssrc,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            ..original.header.clone()
        };
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet { header, payload: Bytes::from(payload) }
    }
}

impl Step for NackResponder {
    fn bind(&mut self, stream: &StreamInfo) {
        self.ssrc = stream.ssrc;
        self.rtx = match (stream.ssrc_rtx, stream.payload_type_rtx) {
            (Some(ssrc), Some(payload_type)) => Some(Rtx { ssrc, payload_type, sequence: 0 }),
            _ => None,
        };
    }

    fn hear(&mut self, report: &dyn rtcp::Packet, now: Instant, leaving: &mut Leaving) {
        if let Some(nack) = report.as_any().downcast_ref::<TransportLayerNack>() {
            self.answer(requested(nack), now, leaving);
        } else if report.as_any().is::<TransportLayerCc>() {
            // The request for what is missing may have been lost itself; the gate, which is nearer to the network, has
            // just read from this report what is.
            let lost = self.link.take_lost();
            self.answer(lost.into_iter(), now, leaving);
        }
    }

    fn pass(&mut self, packet: TaggedPacket, leaving: &mut Leaving) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &packet.message.packet
            && rtp.header.ssrc == self.ssrc
        {
            self.history.note(rtp.clone(), packet.now);
        }
        leaving.push_back(packet);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence_number: u16, bytes: usize) -> rtp::Packet {
        let header = rtp::Header { sequence_number, ..rtp::Header::default() };
        rtp::Packet { header, payload: Bytes::from(vec![0; bytes]) }
    }

    const HOLD: Duration = Duration::from_millis(50);

    #[test]
    fn a_repeated_request_is_answered_once_a_round_trip() {
        let (mut history, start) = (History::default(), Instant::now());
        for sequence in [65_534, 65_535, 0, 1] {
            history.note(packet(sequence, 1000), start);
        }
        let mut sent = |sequence, ms| history.take(sequence, HOLD, start + Duration::from_millis(ms)).is_some();
        assert!(sent(65_535, 0));
        assert!(!sent(65_535, 40));
        assert!(sent(65_535, 60));
        assert!(sent(0, 60));
        assert!(!sent(2, 60), "it was never sent");
        assert!(!sent(65_533, 60), "it is not kept");
        assert!(!sent(1, 1_500), "nobody waits for it any more");
    }

    #[test]
    fn retransmissions_stay_within_their_budget() {
        let (mut history, start) = (History::default(), Instant::now());
        for sequence in 0..1000 {
            history.note(packet(sequence, 1000), start);
        }
        let again = (0..1000).filter(|&sequence| history.take(sequence, HOLD, start).is_some()).count();
        assert_eq!(again, (BUDGET_MOST / 1000.0) as usize);
    }
}
