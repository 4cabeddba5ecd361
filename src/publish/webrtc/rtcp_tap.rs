//! Listens to what a viewer says over RTCP: its keyframe requests, and how long the round trip is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{Packet, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::shared::error::Error;

use super::link::Link;
use super::packetizer::Broadcast;
use super::passing::{Leaving, Step};

/// Sender reports that a receiver may still refer to; there is one a second.
const REPORTS_KEPT: usize = 8;

/// The interceptor nearest to the network.
pub struct RtcpTap {
    link: Arc<Link>,
    broadcast: Arc<Broadcast>,
    /// The middle 32 bits of a sender report's NTP time, and when it left.
    reports: VecDeque<(u32, Instant)>,
}

impl RtcpTap {
    pub fn new(link: Arc<Link>, broadcast: Arc<Broadcast>) -> Self {
        Self { link, broadcast, reports: VecDeque::new() }
    }

    fn note(&mut self, report: &SenderReport, now: Instant) {
        if self.reports.len() >= REPORTS_KEPT {
            self.reports.pop_front();
        }
        // The middle of the 64 bits is what the receiver gives back.
        self.reports.push_back(((report.ntp_time >> 16) as u32, now));
    }
}

impl Step for RtcpTap {
    fn hear(&mut self, report: &dyn rtcp::Packet, now: Instant, _leaving: &mut Leaving) {
        let report = report.as_any();
        if report.is::<PictureLossIndication>() || report.is::<FullIntraRequest>() {
            self.broadcast.request_keyframe(self.link.rung());
        } else if let Some(report) = report.downcast_ref::<ReceiverReport>() {
            for reception in &report.reports {
                let sent = self.reports.iter().find(|(ntp, _)| *ntp == reception.last_sender_report);
                let Some((_, sent)) = sent else { continue };
                // The receiver's own delay, in 65,536ths of a second, is not the network's.
                let held = Duration::from_secs_f64(f64::from(reception.delay) / 65_536.0);
                let round_trip = now.saturating_duration_since(*sent).saturating_sub(held);
                self.link.set_round_trip(round_trip);
            }
        }
    }

    fn pass(&mut self, packet: TaggedPacket, leaving: &mut Leaving) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                if let Some(report) = report.as_any().downcast_ref::<SenderReport>() {
                    self.note(report, packet.now);
                }
            }
        }
        leaving.push_back(packet);
        Ok(())
    }
}
