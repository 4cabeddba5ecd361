//! One publisher, from its answer to its end: packets in, frames to the decoder, and what is missing asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::RTCPeerConnectionState;

use super::super::Shared;
use super::super::admit::Pass;
use super::super::roles::Role;
use super::assembly::{Arrival, Assembly};
use super::connection::Connection;
use super::offer;
use super::place::Handle;
use crate::receive::{Codec, Seat};

/// A publisher that has not connected by then never will.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// A connection may be away for this long, for a change of network.
const DISCONNECTED_TIME: Duration = Duration::from_secs(14);
/// Closing says goodbye; a driver that does not answer is left to itself.
const CLOSE_TIME: Duration = Duration::from_secs(2);
/// How often missing packets are looked after.
const TICK: Duration = Duration::from_millis(20);
/// Track to session: half a second of packets. A full channel drops what comes, which is asked for again.
const PACKETS_WAITING: usize = 512;

/// Why a session ended; for the log.
#[derive(Debug)]
enum End {
    Asked,
    Forbidden,
    NeverConnected,
    ConnectionLost,
    DriverGone,
}

/// A session that has its answer.
pub struct Session {
    pub shared: Arc<Shared>,
    pub seat: Seat,
    pub codec: Codec,
    /// The number of the header extension that says what colours mean.
    pub colors_id: Option<u8>,
    pub handle: Arc<Handle>,
    pub connection: Connection,
    /// By which right; it ends with that.
    pub pass: Pass,
}

impl Session {
    /// Runs in a task of its own; whatever happens, the connection is closed and the seat given back.
    pub fn spawn(self) {
        let (shared, handle) = (Arc::clone(&self.shared), Arc::clone(&self.handle));
        tokio::spawn(async move {
            match tokio::spawn(self.run()).await {
                Ok(end) => tracing::info!("the publisher at {} left: {end:?}", handle.address),
                Err(error) => tracing::error!("a publisher was lost unexpectedly; please report this: {error}"),
            }
            if !matches!(timeout(CLOSE_TIME, handle.connection.close()).await, Ok(Ok(()))) {
                tracing::warn!("the connection of the publisher did not close in time");
            }
            shared.whip.leave(&handle);
        });
    }

    async fn run(self) -> End {
        let Self { shared, seat, codec, colors_id, handle, connection, pass } = self;
        let Connection { peer, mut tracks, .. } = connection;
        let mut states = peer.states;
        let mut assembly = Assembly::new(codec);
        let (sender, mut packets) = mpsc::channel(PACKETS_WAITING);
        let mut video: Option<(Arc<dyn TrackRemote>, u32)> = None;
        let mut listeners = JoinSet::new();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        let mut connected = false;
        let mut away_since: Option<Instant> = None;
        let ended = handle.ended();
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
                            connected = true;
                            away_since = None;
                            seat.set_connected(true);
                        }
                        RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return End::ConnectionLost,
                        RTCPeerConnectionState::Disconnected => {
                            away_since = away_since.or(Some(Instant::now()));
                            seat.set_connected(false);
                        }
                        _ => {}
                    }
                }
                Some(track) = tracks.recv() => {
                    // The library does not know the kind of what the offer gave no number.
                    if track.kind().await == RtpCodecKind::Audio {
                        listeners.spawn(listen(track, None));
                    } else {
                        listeners.spawn(listen(Arc::clone(&track), Some(sender.clone())));
                        video = Some((track, 0));
                    }
                }
                Some(packet) = packets.recv() => {
                    let rtp::Packet { header, payload } = packet;
                    if let Some((_, ssrc)) = &mut video {
                        *ssrc = header.ssrc;
                    }
                    let arrival = Arrival {
                        number: header.sequence_number,
                        timestamp: header.timestamp,
                        marker: header.marker,
                        colors: colors_id.and_then(|id| header.get_extension(id)).and_then(|said| offer::colors(&said)),
                        payload,
                    };
                    for unit in assembly.take(arrival, Instant::now()) {
                        seat.offer(unit);
                    }
                }
                _ = tick.tick() => {
                    let now = Instant::now();
                    if !shared.host.access().publish || !shared.roles(&pass).has(Role::Tune) {
                        return End::Forbidden;
                    }
                    if !connected && now.saturating_duration_since(started) > CONNECT_TIME {
                        return End::NeverConnected;
                    }
                    if away_since.is_some_and(|since| now.saturating_duration_since(since) > DISCONNECTED_TIME) {
                        return End::ConnectionLost;
                    }
                    let (units, asks) = assembly.on_tick(seat.wants_keyframe(), now);
                    for unit in units {
                        seat.offer(unit);
                    }
                    if let Some((track, ssrc)) = video.as_ref().filter(|(_, ssrc)| *ssrc != 0) {
                        let mut reports: Vec<Box<dyn rtcp::Packet>> = Vec::new();
                        if !asks.missing.is_empty() {
                            let nacks = nack_pairs_from_sequence_numbers(&asks.missing);
                            reports.push(Box::new(TransportLayerNack { sender_ssrc: 0, media_ssrc: *ssrc, nacks }));
                        }
                        if asks.keyframe {
                            reports.push(Box::new(PictureLossIndication { sender_ssrc: 0, media_ssrc: *ssrc }));
                        }
                        if !reports.is_empty() && connected && track.write_rtcp(reports).await.is_err() {
                            return End::DriverGone;
                        }
                    }
                }
            }
        }
    }
}

/// Listens to one track until it ends or the session is gone. Sound is listened to as well, or it would pile up.
async fn listen(track: Arc<dyn TrackRemote>, packets: Option<mpsc::Sender<rtp::Packet>>) {
    while let Some(event) = track.poll().await {
        match (event, &packets) {
            (TrackRemoteEvent::OnRtpPacket(packet), Some(packets)) => {
                if matches!(packets.try_send(packet), Err(mpsc::error::TrySendError::Closed(_))) {
                    return;
                }
            }
            (TrackRemoteEvent::OnEnded, _) => return,
            _ => {}
        }
    }
}
