//! One session with a server, from the offer to the goodbye.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::RTCPeerConnectionState;

use super::super::peer::Certificate;
use super::super::peer::sending::Sending;
use super::super::webrtc::feed::Feed;
use super::super::webrtc::packetizer::Broadcast;
use super::super::webrtc::session::{Valve, empty_packet, next};
use super::connection::{self, Connection};
use super::request::{Refusal, Server};

/// Without a way to the server by then there is none.
const CONNECT_TIME: Duration = Duration::from_secs(12);
/// A connection may be away for this long, for a change of network.
const DISCONNECTED_TIME: Duration = Duration::from_secs(10);
const CLOSE_TIME: Duration = Duration::from_millis(700);
const TICK: Duration = Duration::from_millis(250);
/// The bitrate that is shown is that of the last seconds.
const RATE_TIME: Duration = Duration::from_secs(2);

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Asked,
    /// Worth trying again, at the earliest after this time.
    Failed {
        reason: String,
        after: Duration,
    },
    /// Not worth it before something is changed.
    Refused(String),
}

/// A session that is about to begin.
pub struct Session<'a> {
    pub broadcast: Arc<Broadcast>,
    pub certificate: &'a Certificate,
    pub server: &'a mut Server,
}

impl Session<'_> {
    /// Publishes until it is stopped or something breaks; tells the bitrate now and then, from the connection on.
    ///
    /// # Errors
    /// When the server takes no video of this codec.
    pub async fn run(self, mut stop: watch::Receiver<bool>, tell: impl Fn(u32)) -> Result<Ended, Ended> {
        let Self { broadcast, certificate, server } = self;
        let connection = match connection::offer(&broadcast, certificate, &server.ice_servers).await {
            Ok(connection) => connection,
            Err(error) => return Ok(failed(format!("WebRTC could not be set up ({error})"))),
        };
        let peer = Arc::clone(&connection.peer.connection);
        // Stopping must not wait for a server that does not answer.
        let posted = tokio::select! {
            posted = server.post(connection.offer.clone()) => Some(posted),
            () = asked(&mut stop) => None,
        };
        let (ended, location) = match posted {
            None => (Ok(Ended::Asked), None),
            Some(Err(Refusal::Codec(reason))) => (Err(Ended::Refused(reason)), None),
            Some(Err(Refusal::Other(ended))) => (Ok(ended), None),
            Some(Ok(created)) => {
                if !created.ice_servers.is_empty() {
                    server.ice_servers = created.ice_servers;
                }
                let ended = match connection::accept(peer.as_ref(), created.answer).await {
                    Ok(()) => send(connection, broadcast, &mut stop, tell).await,
                    Err(error) => failed(format!("its answer was not understood ({error})")),
                };
                (Ok(ended), created.location)
            }
        };
        let goodbye = async {
            if let Some(location) = location {
                server.delete(location).await;
            }
        };
        // Both at once, because a program that ends has no time to lose.
        let (closed, _) = tokio::join!(timeout(CLOSE_TIME, peer.close()), timeout(CLOSE_TIME, goodbye));
        if !matches!(closed, Ok(Ok(()))) {
            tracing::warn!("the connection to the server did not close in time");
        }
        ended
    }
}

async fn send(
    connection: Connection,
    broadcast: Arc<Broadcast>,
    stop: &mut watch::Receiver<bool>,
    tell: impl Fn(u32),
) -> Ended {
    let Connection { peer, sending, .. } = connection;
    let Sending { track, queue, link, ssrc, payload_type } = sending;
    let mut states = peer.states;
    // Encoding starts while the connection is made, so that the first keyframe is there when it can be sent.
    let mut warm = Some(broadcast.want());
    let mut frames: Option<Feed> = None;
    let mut valve = Valve::new(Arc::clone(&link), Arc::clone(&broadcast));
    let mut rate = Rate::default();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let started = Instant::now();
    let mut away_since: Option<Instant> = None;
    let lost = || failed("the connection was lost".to_owned());
    loop {
        tokio::select! {
            () = asked(stop) => return Ended::Asked,
            changed = states.changed() => {
                if changed.is_err() {
                    return lost();
                }
                let state = *states.borrow_and_update();
                match state {
                    RTCPeerConnectionState::Connected => {
                        away_since = None;
                        frames.get_or_insert_with(|| {
                            let (broadcast, link) = (Arc::clone(&broadcast), Arc::clone(&link));
                            Feed::new(broadcast, link, Arc::new(AtomicU64::new(0)), Instant::now())
                        });
                        warm = None;
                        tell(0);
                    }
                    RTCPeerConnectionState::Failed if frames.is_none() => return no_way(),
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return lost(),
                    RTCPeerConnectionState::Disconnected => away_since = away_since.or(Some(Instant::now())),
                    _ => {}
                }
            }
            frame = next(&mut frames) => {
                let Some(outgoing) = frame else { return failed("the encoder ended".to_owned()) };
                let now = Instant::now();
                let (bytes, rtp_timestamp) = (outgoing.frame.bytes, outgoing.rtp_timestamp);
                if !valve.lets_through(outgoing.frame.keyframe, now) {
                    continue;
                }
                if !queue.push(outgoing) {
                    valve.close();
                    continue;
                }
                if track.write_rtp(empty_packet(ssrc, payload_type, rtp_timestamp)).await.is_err() {
                    return lost();
                }
                rate.note(bytes, now);
            }
            _ = tick.tick() => {
                let now = Instant::now();
                if warm.is_some() && now.saturating_duration_since(started) > CONNECT_TIME {
                    return no_way();
                }
                if away_since.is_some_and(|since| now.saturating_duration_since(since) > DISCONNECTED_TIME) {
                    return lost();
                }
                // Without a frame to go with it this does nothing, except to fail when the driver has died.
                if let Some(feed) = &mut frames {
                    feed.on_tick(None, now);
                    if track.write_rtp(empty_packet(ssrc, payload_type, 0)).await.is_err() {
                        return lost();
                    }
                    tell(rate.kbps(now));
                }
                valve.on_tick(now);
            }
        }
    }
}

/// Resolves when publishing has to stop.
async fn asked(stop: &mut watch::Receiver<bool>) {
    // Without a sender there is nobody left who wants anything.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn failed(reason: String) -> Ended {
    Ended::Failed { reason, after: Duration::ZERO }
}

fn no_way() -> Ended {
    failed("it took the offer, but no video gets through; a firewall may keep UDP from it".to_owned())
}

/// Bytes of the last seconds.
#[derive(Default)]
struct Rate {
    sent: VecDeque<(Instant, usize)>,
}

impl Rate {
    fn note(&mut self, bytes: usize, now: Instant) {
        self.sent.push_back((now, bytes));
        self.forget(now);
    }

    /// To a tenth of a megabit, because finer changes are no news.
    fn kbps(&mut self, now: Instant) -> u32 {
        self.forget(now);
        let bytes: usize = self.sent.iter().map(|(_, bytes)| bytes).sum();
        let kbps = bytes as f64 * 8.0 / 1e3 / RATE_TIME.as_secs_f64();
        (kbps / 100.0).round() as u32 * 100
    }

    fn forget(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > RATE_TIME) {
            self.sent.pop_front();
        }
    }
}
