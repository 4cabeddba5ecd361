//! The last step before the network: numbers every packet, lets it leave when the link can take it, and learns from what
//! the viewer reports how much that is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rtc::interceptor::{Attribute, Packet, StreamInfo, TaggedPacket, convert_twcc};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::congestion::{Estimator, Fate, Pacer, Quality};
use super::link::Link;
use super::packetizer::Broadcast;
use super::passing::{Leaving, Step};

/// The extension that numbers packets over all streams of a connection.
pub const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// What SRTP, UDP and IP add to a packet.
const BELOW_RTP: usize = 10 + 8 + 20;
/// Packets whose report may still come; three seconds of 20 Mbit/s.
const PACKETS_KEPT: usize = 6_000;
/// After a pause in sending, reports that are missing are of before it and say nothing about now.
const PAUSE: Duration = Duration::from_millis(500);

/// One packet on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    bytes: usize,
    /// The RTP sequence number; of the original, for one that was sent again.
    media: u16,
    reported: bool,
}

/// The interceptor of one connection.
pub struct Gate {
    link: Arc<Link>,
    broadcast: Arc<Broadcast>,
    estimator: Estimator,
    pacer: Pacer,
    /// Only streams to the viewer are numbered.
    streams: Vec<u32>,
    extension: Option<u8>,
    next_number: u16,
    /// The last packets, the newest of which has the number before the next.
    sent: VecDeque<Sent>,
    /// The first and the last packet since something was heard.
    unheard: Option<(Instant, Instant)>,
    waiting: VecDeque<TaggedPacket>,
    waiting_bytes: usize,
    now: Option<Instant>,
}

impl Gate {
    /// Begins with what the link is said to carry so far.
    pub fn new(link: Arc<Link>, broadcast: Arc<Broadcast>) -> Self {
        let kbps = link.quality().kbps;
        Self {
            link,
            broadcast,
            estimator: Estimator::new(kbps),
            pacer: Pacer::new(kbps),
            streams: Vec::new(),
            extension: None,
            next_number: 0,
            sent: VecDeque::new(),
            unheard: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            now: None,
        }
    }

    fn send(&mut self, mut packet: TaggedPacket, bytes: usize, now: Instant, leaving: &mut Leaving) {
        self.pacer.note(bytes);
        packet.now = now;
        let again = packet.message.has(&Attribute::Retransmission);
        if let (Packet::Rtp(rtp), Some(id)) = (&mut packet.message.packet, self.extension) {
            let number = Bytes::copy_from_slice(&self.next_number.to_be_bytes());
            if rtp.header.set_extension(id, number).is_ok() {
                self.next_number = self.next_number.wrapping_add(1);
                let original =
                    rtp.payload.first_chunk().filter(|_| again && self.streams.first() != Some(&rtp.header.ssrc));
                let media = original.map_or(rtp.header.sequence_number, |number| u16::from_be_bytes(*number));
                self.sent.push_back(Sent { at: now, bytes, media, reported: false });
                if self.sent.len() > PACKETS_KEPT {
                    self.sent.pop_front();
                }
            }
        }
        self.unheard = match self.unheard {
            Some((first, last)) if now.saturating_duration_since(last) < PAUSE => Some((first, now)),
            _ => Some((now, now)),
        };
        leaving.push_back(packet);
    }

    fn send_waiting(&mut self, now: Instant, leaving: &mut Leaving) {
        while !self.waiting.is_empty() && self.pacer.may_send(now) {
            let Some(packet) = self.waiting.pop_front() else { break };
            let bytes = bytes_of(&packet);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
            self.send(packet, bytes, now, leaving);
        }
        self.now = Some(now);
        self.link.set_backlog(self.pacer.time_of(self.waiting_bytes));
    }

    /// What became of the packets of one report.
    fn fates(&mut self, report: &TransportLayerCc) -> Vec<Fate> {
        let (mut fates, mut lost) = (Vec::new(), Vec::new());
        // The last chunk of a report may speak of more packets than there are.
        for acknowledged in convert_twcc(report).into_iter().take(usize::from(report.packet_status_count)) {
            let back = usize::from(self.next_number.wrapping_sub(acknowledged.sequence_number));
            let Some(index) = self.sent.len().checked_sub(back) else { continue };
            let Some(sent) = self.sent.get_mut(index).filter(|sent| !sent.reported) else { continue };
            sent.reported = true;
            if !acknowledged.arrived {
                lost.push(sent.media);
            }
            // One that came at an unknown time was neither lost nor does it tell anything else.
            if !acknowledged.arrived || acknowledged.arrival.is_some() {
                fates.push(Fate { sent: sent.at, arrived: acknowledged.arrival, bytes: sent.bytes });
            }
        }
        self.link.set_lost(lost);
        fates
    }

    fn publish(&mut self, now: Instant) {
        let kbps = self.estimator.kbps();
        self.pacer.set_estimate(kbps, self.estimator.was_full(now));
        self.link.set_quality(Quality { kbps, loss: self.estimator.loss(), silent: self.estimator.is_silent() });
    }
}

/// On the wire.
fn bytes_of(packet: &TaggedPacket) -> usize {
    match &packet.message.packet {
        Packet::Rtp(rtp) => rtp.marshal_size() + BELOW_RTP,
        _ => 0,
    }
}

impl Step for Gate {
    fn bind(&mut self, stream: &StreamInfo) {
        self.streams.push(stream.ssrc);
        self.streams.extend(stream.ssrc_rtx);
        let extension = stream.rtp_header_extensions.iter().find(|extension| extension.uri == TRANSPORT_CC_URI);
        self.extension = extension.and_then(|extension| u8::try_from(extension.id).ok());
    }

    fn hear(&mut self, report: &dyn rtcp::Packet, now: Instant, _leaving: &mut Leaving) {
        let report = report.as_any();
        if let Some(report) = report.downcast_ref::<TransportLayerCc>() {
            let fates = self.fates(report);
            if let Some(round_trip) = self.link.round_trip() {
                self.estimator.set_round_trip(round_trip);
            }
            self.unheard = None;
            if self.estimator.on_fates(now, &fates) {
                // Whatever was sent in the meantime is gone for good.
                self.broadcast.request_keyframe(self.link.rung());
            }
        } else if let Some(report) = report.downcast_ref::<ReceiverReport>() {
            let ours = report.reports.iter().find(|reception| self.streams.first() == Some(&reception.ssrc));
            let Some(ours) = ours else { return };
            self.estimator.on_receiver_report(now, f64::from(ours.fraction_lost) / 256.0);
        } else if let Some(report) = report.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
            self.estimator.on_remb(now, f64::from(report.bitrate) / 1e3);
        } else {
            return;
        }
        self.publish(now);
    }

    fn pass(&mut self, packet: TaggedPacket, leaving: &mut Leaving) -> Result<(), Error> {
        let Packet::Rtp(rtp) = &packet.message.packet else {
            leaving.push_back(packet);
            return Ok(());
        };
        if !self.streams.contains(&rtp.header.ssrc) {
            leaving.push_back(packet);
            return Ok(());
        }
        let (bytes, now) = (bytes_of(&packet), packet.now);
        if let Some((first, _)) = self.unheard {
            self.estimator.on_tick(now, Some(first));
            if self.estimator.is_silent() {
                self.publish(now);
            }
        }
        let again = packet.message.has(&Attribute::Retransmission);
        // What is sent again is waited for; it is counted, and what follows waits longer.
        if (again && !self.pacer.is_deep()) || (self.waiting.is_empty() && self.pacer.may_send(now)) {
            self.send(packet, bytes, now, leaving);
        } else {
            if again {
                self.waiting.push_front(packet);
            } else {
                self.waiting.push_back(packet);
            }
            self.waiting_bytes += bytes;
            self.now = Some(now);
            self.link.set_backlog(self.pacer.time_of(self.waiting_bytes));
        }
        Ok(())
    }

    fn wakes_at(&self) -> Option<Instant> {
        if self.waiting.is_empty() { None } else { self.now.map(|now| self.pacer.ready_at(now)) }
    }

    fn wake(&mut self, now: Instant, leaving: &mut Leaving) {
        if !self.waiting.is_empty() {
            self.send_waiting(now, leaving);
        }
    }
}
