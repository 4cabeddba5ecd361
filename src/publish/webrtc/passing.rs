//! What our interceptors have in common: packets pass, in order, and one of them may look at them or add some.

use std::collections::VecDeque;
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// Packets on their way to the viewer; what is put here goes through every interceptor nearer to the network.
pub type Leaving = VecDeque<TaggedPacket>;

/// What one interceptor does; whatever it leaves out is done by [`Passing`], which lets everything through.
pub trait Step: Send + Sync {
    /// Learns which stream goes to the viewer.
    fn bind(&mut self, _stream: &StreamInfo) {}

    /// Hears one RTCP report of the viewer, and may answer it.
    fn hear(&mut self, _report: &dyn rtcp::Packet, _now: Instant, _leaving: &mut Leaving) {}

    /// Passes a packet for the viewer on: as it is, as several, or not at all.
    ///
    /// # Errors
    /// When a packet can't be made; the connection ends.
    fn pass(&mut self, packet: TaggedPacket, leaving: &mut Leaving) -> Result<(), Error> {
        leaving.push_back(packet);
        Ok(())
    }

    /// When it wants to be woken, for what it holds back.
    fn wakes_at(&self) -> Option<Instant> {
        None
    }

    /// The time it wanted to be woken at, or any other, has come.
    fn wake(&mut self, _now: Instant, _leaving: &mut Leaving) {}
}

/// A step as an interceptor: the queues that the library asks for.
pub struct Passing<S> {
    step: S,
    arrived: VecDeque<TaggedPacket>,
    leaving: Leaving,
}

impl<S> Passing<S> {
    pub fn new(step: S) -> Self {
        Self { step, arrived: VecDeque::new(), leaving: VecDeque::new() }
    }
}

impl<S: Step> Protocol<TaggedPacket, TaggedPacket, ()> for Passing<S> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                self.step.hear(report.as_ref(), packet.now, &mut self.leaving);
            }
        }
        self.arrived.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.arrived.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.step.pass(packet, &mut self.leaving)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.leaving.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.step.wake(now, &mut self.leaving);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.step.wakes_at()
    }
}

impl<S: Step> Interceptor for Passing<S> {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.step.bind(info);
    }

    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
