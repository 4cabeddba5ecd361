//! Between whoever publishes to this computer and the capture: one seat, a short queue of encoded frames, a thread that
//! decodes them, and the newest picture.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::decoder::{Codec, DecodeError, Decoded, Decoder, Unit};
use crate::frame::BufferPool;
use crate::util::{Demand, Ticket, spawn_named};

/// Network to decoder. A decoder that is this many frames behind begins again with a keyframe.
const UNITS_WAITING: usize = 30;
/// How often the decoder's thread looks whether its publisher is still there.
const NAP: Duration = Duration::from_millis(500);

/// The way in. The engine has one, for as long as it lives.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    /// Something came, or somebody left.
    changed: Condvar,
    /// Who looks at what is published; nothing is decoded without.
    demand: Arc<Demand>,
}

#[derive(Debug, Default)]
struct State {
    /// Grows with each publisher.
    seat: u64,
    publishing: Option<Publishing>,
    units: VecDeque<Unit>,
    waits_for_keyframe: bool,
    newest: Option<Decoded>,
    /// What can't be mended by a keyframe, such as a picture that is too large.
    complaint: Option<String>,
    invitation: String,
}

/// Who publishes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    pub address: IpAddr,
    pub codec: Codec,
    /// The connection is there; without it the publisher is looked for, for a while.
    pub connected: bool,
}

/// The one seat of a publisher; it is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    inbox: Arc<Inbox>,
    number: u64,
}

/// What the capture finds.
#[derive(Debug)]
pub enum Arrived {
    Picture(Decoded),
    /// Nothing new.
    Nothing,
    /// Nobody publishes, or what is published can't be shown; the sentence says what to do.
    Nobody(String),
}

impl Inbox {
    /// Takes the seat and starts its decoder; `None` when somebody else has it.
    ///
    /// # Errors
    /// When the decoder can't be started.
    pub fn enter(self: &Arc<Self>, address: IpAddr, codec: Codec) -> Result<Option<Seat>, DecodeError> {
        let decoder = codec.decoder()?;
        let number = {
            let mut state = self.lock();
            if state.publishing.is_some() {
                return Ok(None);
            }
            let (seat, invitation) = (state.seat + 1, std::mem::take(&mut state.invitation));
            let publishing = Some(Publishing { address, codec, connected: false });
            *state = State { seat, publishing, invitation, waits_for_keyframe: true, ..State::default() };
            seat
        };
        let inbox = Arc::clone(self);
        spawn_named("decode", move || inbox.decode(number, decoder));
        Ok(Some(Seat { inbox: Arc::clone(self), number }))
    }

    pub fn publishing(&self) -> Option<Publishing> {
        self.lock().publishing
    }

    /// What is said while nobody publishes.
    pub fn set_invitation(&self, sentence: &str) {
        let mut state = self.lock();
        if state.invitation != sentence {
            sentence.clone_into(&mut state.invitation);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// A wish to see what is published; it is decoded while there is one.
    pub fn watch(&self) -> Ticket {
        self.demand.want()
    }

    /// The newest picture that nobody has taken yet, waited for at most so long.
    pub fn next(&self, timeout: Duration) -> Arrived {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(complaint) = &state.complaint {
                return Arrived::Nobody(complaint.clone());
            }
            if !state.publishing.is_some_and(|publishing| publishing.connected) {
                return Arrived::Nobody(state.invitation.clone());
            }
            if let Some(picture) = state.newest.take() {
                return Arrived::Picture(picture);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Arrived::Nothing;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The decoder's thread, until its seat is free.
    fn decode(&self, seat: u64, mut decoder: Box<dyn Decoder>) {
        let pool = BufferPool::default();
        loop {
            let unit = {
                let mut state = self.lock();
                loop {
                    if state.seat != seat || state.publishing.is_none() {
                        return;
                    }
                    if let Some(unit) = state.units.pop_front() {
                        break unit;
                    }
                    state = self.changed.wait_timeout(state, NAP).unwrap_or_else(PoisonError::into_inner).0;
                }
            };
            let decoded = decoder.decode(&unit, &pool);
            let mut state = self.lock();
            if state.seat != seat {
                return;
            }
            match decoded {
                Ok(Some(picture)) => {
                    state.newest = Some(picture);
                    state.complaint = None;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!("a published frame could not be shown: {error}");
                    state.units.clear();
                    state.waits_for_keyframe = true;
                    if let DecodeError::Size(..) = error {
                        state.complaint = Some(error.to_string());
                    }
                }
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Hands a frame to the decoder. Without anybody who looks it is left out, and so are the following ones, up to a
    /// keyframe.
    pub fn offer(&self, unit: Unit) {
        let mut state = self.inbox.lock();
        if state.seat != self.number {
            return;
        }
        if !self.inbox.demand.is_wanted() {
            state.units.clear();
            state.newest = None;
            state.waits_for_keyframe = true;
            return;
        }
        if state.units.len() >= UNITS_WAITING {
            state.units.clear();
            state.waits_for_keyframe = true;
        }
        if state.waits_for_keyframe && !unit.keyframe {
            return;
        }
        state.waits_for_keyframe = false;
        state.units.push_back(unit);
        drop(state);
        self.inbox.changed.notify_all();
    }

    /// Whether somebody looks and can see nothing without a keyframe.
    pub fn wants_keyframe(&self) -> bool {
        let wanted = self.inbox.demand.is_wanted();
        let mut state = self.inbox.lock();
        if !wanted {
            // Whoever looks next must not begin in the middle, nor see what is old.
            state.waits_for_keyframe = true;
            state.newest = None;
        }
        wanted && state.waits_for_keyframe
    }

    /// The connection came, or is being looked for.
    pub fn set_connected(&self, connected: bool) {
        let mut state = self.inbox.lock();
        if state.seat == self.number
            && let Some(publishing) = &mut state.publishing
        {
            publishing.connected = connected;
        }
        drop(state);
        self.inbox.changed.notify_all();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.inbox.lock();
        if state.seat == self.number {
            state.publishing = None;
            state.units.clear();
            state.newest = None;
            state.complaint = None;
        }
        drop(state);
        self.inbox.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn unit(keyframe: bool) -> Unit {
        Unit { data: vec![0, 0, 1, 0x67, 1, 2, 3], keyframe, colors: None, at: Instant::now() }
    }

    #[test]
    fn there_is_one_seat_and_it_is_free_again() {
        let inbox = Arc::new(Inbox::default());
        inbox.set_invitation("nobody is here");
        let seat = inbox.enter(HERE, Codec::H264).unwrap().expect("the seat is free");
        assert!(inbox.enter(HERE, Codec::H264).unwrap().is_none());
        assert!(matches!(inbox.next(Duration::ZERO), Arrived::Nobody(reason) if reason == "nobody is here"));
        seat.set_connected(true);
        assert!(matches!(inbox.next(Duration::ZERO), Arrived::Nothing));
        drop(seat);
        assert!(matches!(inbox.next(Duration::ZERO), Arrived::Nobody(_)));
        assert!(inbox.enter(HERE, Codec::H264).unwrap().is_some());
    }

    #[test]
    fn nothing_waits_for_a_decoder_unless_somebody_looks() {
        let inbox = Arc::new(Inbox::default());
        let seat = inbox.enter(HERE, Codec::H264).unwrap().expect("the seat is free");
        seat.offer(unit(true));
        assert!(inbox.lock().units.is_empty() && !seat.wants_keyframe());
        let _watching = inbox.watch();
        assert!(seat.wants_keyframe());
        seat.offer(unit(false));
        assert!(inbox.lock().units.is_empty(), "it can't begin in the middle");
        for _ in 0..10 * UNITS_WAITING {
            seat.offer(unit(true));
            assert!(inbox.lock().units.len() <= UNITS_WAITING);
        }
    }
}
