//! One viewer over WebRTC, from its answer to its end: frames out, messages both ways.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rtc::rtp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::RTCPeerConnectionState;

use super::super::Shared;
use super::super::peer::sending::Sending;
use super::super::protocol::{HostMessage, PROTOCOL_VERSION};
use super::super::talk::{TICK, Talk, Wish};
use super::super::viewers::{Viewer, ViewerPlace};
use super::channels::{self, ChannelEvent, ChannelKind, EVENTS_WAITING};
use super::connection::Connection;
use super::feed::{Feed, Outgoing};
use super::link::Link;
use super::packetizer::Broadcast;
use super::sessions::SessionHandle;
use crate::geometry::Size;
use crate::util::Ticket;

/// A viewer that has not connected by then never will.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// A connection may be away for this long, for a change of network.
const DISCONNECTED_TIME: Duration = Duration::from_secs(14);
/// Frames are left out while this much waits before the network already: more would only be late. A keyframe, which is
/// many frames large, may take longer, or none would ever get through a narrow link.
const MOST_BACKLOG: Duration = Duration::from_millis(150);
const KEYFRAME_BACKLOG: Duration = Duration::from_millis(600);
const KEYFRAME_TIME: Duration = Duration::from_secs(1);
/// After that, a keyframe is asked for when it can leave soon, and one viewer asks only so often.
const BACKLOG_GONE: Duration = Duration::from_millis(50);
const KEYFRAME_GAP: Duration = Duration::from_secs(1);
/// Closing says goodbye to the viewer; a driver that does not answer is left to itself.
const CLOSE_TIME: Duration = Duration::from_secs(2);
const FRAME_GAP: Duration = Duration::from_millis(250);

/// Why a session ended; for the log.
#[derive(Debug)]
enum End {
    Asked,
    NeverConnected,
    ConnectionLost,
    ChannelClosed,
    DriverGone,
    EncoderGone,
}

/// A session that has its answer.
pub struct Session {
    pub shared: Arc<Shared>,
    pub place: ViewerPlace,
    pub handle: Arc<SessionHandle>,
    pub connection: Connection,
    pub broadcast: Arc<Broadcast>,
}

impl Session {
    /// Runs in a task of its own; whatever happens, the connection is closed and the place given back.
    pub fn spawn(self) {
        let (shared, handle, viewer) = (Arc::clone(&self.shared), Arc::clone(&self.handle), self.place.id);
        // Encoding starts while the viewer connects, so that the first keyframe is there when it can be sent.
        let warm = self.broadcast.want();
        tokio::spawn(async move {
            match tokio::spawn(self.run(warm)).await {
                Ok(end) => tracing::info!("viewer {viewer} left: {end:?}"),
                Err(error) => tracing::error!("viewer {viewer} was lost unexpectedly; please report this: {error}"),
            }
            if !matches!(timeout(CLOSE_TIME, handle.connection.close()).await, Ok(Ok(()))) {
                tracing::warn!("the connection of viewer {viewer} did not close in time");
            }
            shared.sessions.remove(&handle.names.name);
        });
    }

    async fn run(self, warm: Ticket) -> End {
        let Self { shared, place, handle: _, connection, broadcast } = self;
        let Connection { peer, sending, mut channels, .. } = connection;
        let Sending { track, queue, link, ssrc, payload_type } = sending;
        let mut states = peer.states;
        let viewer = Arc::clone(place.viewer());
        let mut talk = Channels::new(shared, &viewer, broadcast.codec().id());
        let mut frames: Option<Feed> = None;
        let mut warm = Some(warm);
        let (event_sender, mut events) = mpsc::channel(EVENTS_WAITING);
        let mut listeners = tokio::task::JoinSet::new();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        let mut away_since: Option<Instant> = None;
        let mut valve = Valve::new(link, Arc::clone(&broadcast));
        let ended = viewer.ended();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => return End::Asked,
                changed = states.changed() => {
                    if changed.is_err() {
                        return End::DriverGone;
                    }
                    let state = *states.borrow_and_update();
                    match state {
                        RTCPeerConnectionState::Connected => {
                            away_since = None;
                            frames.get_or_insert_with(|| {
                                let (broadcast, link) = (Arc::clone(&broadcast), Arc::clone(&valve.link));
                                Feed::new(broadcast, link, viewer.skipped(), Instant::now())
                            });
                            warm = None;
                        }
                        RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return End::ConnectionLost,
                        RTCPeerConnectionState::Disconnected => away_since = away_since.or(Some(Instant::now())),
                        _ => {}
                    }
                }
                Some(channel) = channels.recv() => {
                    listeners.spawn(channels::listen(channel, event_sender.clone()));
                }
                Some(event) = events.recv() => {
                    if talk.on_event(event, Instant::now()).await {
                        return End::ChannelClosed;
                    }
                }
                frame = next(&mut frames) => {
                    let Some(outgoing) = frame else { return End::EncoderGone };
                    let (bytes, rtp_timestamp) = (outgoing.frame.bytes, outgoing.rtp_timestamp);
                    if !valve.lets_through(outgoing.frame.keyframe, Instant::now()) {
                        viewer.note_skipped(1);
                        continue;
                    }
                    // Said before the frame is sent, so that no click can be aimed at what nobody has told of.
                    talk.on_frame(&outgoing, Instant::now()).await;
                    if !queue.push(outgoing) {
                        viewer.note_skipped(1);
                        valve.close();
                        continue;
                    }
                    if track.write_rtp(empty_packet(ssrc, payload_type, rtp_timestamp)).await.is_err() {
                        return End::DriverGone;
                    }
                    viewer.note_sent(bytes, Instant::now());
                    if let Some(feed) = &frames {
                        viewer.note_rung(feed.rung().id());
                    }
                }
                _ = tick.tick() => {
                    let now = Instant::now();
                    if warm.is_some() && now.saturating_duration_since(started) > CONNECT_TIME {
                        return End::NeverConnected;
                    }
                    if away_since.is_some_and(|since| now.saturating_duration_since(since) > DISCONNECTED_TIME) {
                        return End::ConnectionLost;
                    }
                    // Without a frame to go with it this does nothing, except to fail when the driver has died.
                    if frames.is_some() && track.write_rtp(empty_packet(ssrc, payload_type, 0)).await.is_err() {
                        return End::DriverGone;
                    }
                    if let Some(feed) = &mut frames {
                        feed.on_tick(viewer.pinned(), now);
                    }
                    valve.on_tick(now);
                    viewer.note_way(valve.link.way());
                    talk.on_tick(now).await;
                }
            }
        }
    }
}

/// Lets frames through while there is room for them before the network. After one was left out, the following ones can't
/// be decoded, up to a keyframe.
pub struct Valve {
    link: Arc<Link>,
    broadcast: Arc<Broadcast>,
    waits_for_keyframe: bool,
    keyframe_sent: Option<Instant>,
    asked: Option<Instant>,
}

impl Valve {
    pub fn new(link: Arc<Link>, broadcast: Arc<Broadcast>) -> Self {
        Self { link, broadcast, waits_for_keyframe: false, keyframe_sent: None, asked: None }
    }

    pub fn lets_through(&mut self, keyframe: bool, now: Instant) -> bool {
        let young = self.keyframe_sent.is_some_and(|at| now.saturating_duration_since(at) < KEYFRAME_TIME);
        let limit = if young { KEYFRAME_BACKLOG } else { MOST_BACKLOG };
        if self.link.backlog() > limit {
            self.close();
        }
        if self.waits_for_keyframe && !(keyframe && self.link.backlog() <= MOST_BACKLOG) {
            self.ask(now);
            return false;
        }
        self.waits_for_keyframe = false;
        if keyframe {
            self.keyframe_sent = Some(now);
        }
        true
    }

    pub fn close(&mut self) {
        self.waits_for_keyframe = true;
    }

    /// While nothing comes from the encoder, because the picture stands still, the viewer still needs its keyframe.
    pub fn on_tick(&mut self, now: Instant) {
        self.broadcast.follow_links(now);
        if self.waits_for_keyframe {
            self.ask(now);
        }
    }

    fn ask(&mut self, now: Instant) {
        let soon = self.asked.is_some_and(|at| now.saturating_duration_since(at) < KEYFRAME_GAP);
        if !soon && self.link.backlog() <= BACKLOG_GONE {
            self.asked = Some(now);
            self.broadcast.request_keyframe(self.link.rung());
        }
    }
}

/// What the expander replaces by the packets of the frame that waits in its queue.
pub fn empty_packet(ssrc: u32, payload_type: u8, timestamp: u32) -> rtp::Packet {
    let header = rtp::Header { version: 2, ssrc, payload_type, timestamp, ..rtp::Header::default() };
    rtp::Packet { header, payload: Bytes::new() }
}

/// The next frame; never, before there is a subscription.
pub async fn next(frames: &mut Option<Feed>) -> Option<Outgoing> {
    match frames {
        Some(frames) => frames.next().await,
        None => std::future::pending().await,
    }
}

/// The conversation with the page over its data channels, and what the page is told of the frames.
struct Channels {
    shared: Arc<Shared>,
    viewer: Arc<Viewer>,
    talk: Talk,
    codec: &'static str,
    control: Option<Arc<dyn DataChannel>>,
    /// The newest geometry, for a channel that opens after the first frame.
    geometry: Option<HostMessage>,
    /// What the page was told of last; another size of the picture has another one, too.
    epoch: Option<(u32, Size)>,
    frame_said: Option<Instant>,
}

impl Channels {
    fn new(shared: Arc<Shared>, viewer: &Arc<Viewer>, codec: &'static str) -> Self {
        Self {
            talk: Talk::new(Arc::clone(&shared), Arc::clone(viewer), Instant::now()),
            shared,
            viewer: Arc::clone(viewer),
            codec,
            control: None,
            geometry: None,
            epoch: None,
            frame_said: None,
        }
    }

    /// True when the page has said goodbye by closing its control channel.
    async fn on_event(&mut self, event: ChannelEvent, now: Instant) -> bool {
        match event {
            ChannelEvent::Open(ChannelKind::Control, channel) => {
                self.control = Some(channel);
                self.say(&HostMessage::Hello {
                    protocol: PROTOCOL_VERSION,
                    version: env!("CARGO_PKG_VERSION"),
                    codec: self.codec,
                    id: self.viewer.id,
                    sizes: true,
                })
                .await;
                if let Some(geometry) = self.geometry.clone() {
                    self.say(&geometry).await;
                }
                self.talk.begin_again();
                self.on_tick(now).await;
            }
            ChannelEvent::Open(..) | ChannelEvent::Closed(ChannelKind::Pointer | ChannelKind::Moves) => {}
            ChannelEvent::Closed(ChannelKind::Control) => return true,
            ChannelEvent::Message(bytes) => {
                let (answer, wish) = self.talk.on_message(&bytes, now);
                match wish {
                    Some(Wish::Quality(quality)) => self.viewer.choose(quality),
                    // RTCP acknowledges.
                    Some(Wish::Ack { .. }) | None => {}
                }
                if let Some(answer) = answer {
                    self.say(&answer).await;
                }
            }
        }
        false
    }

    async fn on_frame(&mut self, Outgoing { frame, rtp_timestamp }: &Outgoing, now: Instant) {
        let geometry = &frame.geometry;
        if self.epoch != Some((geometry.epoch, frame.size)) {
            self.epoch = Some((geometry.epoch, frame.size));
            let message = HostMessage::Geometry {
                epoch: geometry.epoch,
                rtp: *rtp_timestamp,
                width: frame.size.width,
                height: frame.size.height,
                pointer: geometry.desktop_from_source.is_some(),
            };
            self.say(&message).await;
            self.geometry = Some(message);
        }
        if self.frame_said.is_none_or(|said| now.saturating_duration_since(said) >= FRAME_GAP) {
            self.frame_said = Some(now);
            let clock = |at| self.shared.host.clock_us(at);
            let message = HostMessage::Frame {
                rtp: *rtp_timestamp,
                captured_us: clock(frame.times.captured),
                filtered_us: clock(frame.times.filtered.unwrap_or(frame.times.captured)),
                encoded_us: clock(frame.encoded),
                sent_us: clock(Instant::now()),
            };
            self.say(&message).await;
        }
    }

    async fn on_tick(&mut self, now: Instant) {
        if let Some(message) = self.talk.on_tick(now) {
            self.say(&message).await;
        }
    }

    async fn say(&self, message: &HostMessage) {
        if let Some(control) = &self.control {
            // A page that does not read misses messages; its frames go on.
            let _ = control.try_send_text(&message.to_text()).await;
        }
    }
}
