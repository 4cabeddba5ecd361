//! A viewer without a browser: it watches by WHEP with the WebRTC library alone, counts the frames and throws them away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::watch;
use webrtc::data_channel::DataChannelEvent;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState, RTCSessionDescription,
    SettingEngineBuilder,
};

use super::wire::{Answer, ask_bare};

/// However narrow its share of a busy machine is, it keeps to the full size.
const STAYS: &str = r#"{ "type": "quality", "data": { "rung": "full" } }"#;

/// One viewer. It goes on until it is told to leave, or to vanish.
pub struct Light {
    connection: Arc<dyn PeerConnection>,
    counts: Arc<Counts>,
    address: SocketAddr,
    secret: String,
    place: String,
}

#[derive(Default)]
struct Counts {
    frames: AtomicU64,
    bytes: AtomicU64,
}

struct Handler {
    gathered: watch::Sender<bool>,
    counts: Arc<Counts>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let counts = Arc::clone(&self.counts);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                match event {
                    TrackRemoteEvent::OnRtpPacket(packet) => {
                        counts.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                        counts.frames.fetch_add(packet.header.marker.into(), Ordering::Relaxed);
                    }
                    TrackRemoteEvent::OnEnded => return,
                    _ => {}
                }
            }
        });
    }
}

impl Light {
    /// Begins to watch; `query` begins with a question mark or is empty.
    pub async fn watch(address: SocketAddr, secret: &str, query: &str) -> Self {
        let mut media = MediaEngine::default();
        media.register_default_codecs().expect("nothing is registered twice");
        let registry = register_default_interceptors(Registry::new(), &mut media).expect("nothing is registered twice");
        let settings = SettingEngineBuilder::default()
            .with_include_loopback_candidate(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .build();
        let counts = Arc::new(Counts::default());
        let (gathered_sender, mut gathered) = watch::channel(false);
        let handler = Handler { gathered: gathered_sender, counts: Arc::clone(&counts) };
        let connection = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .expect("a port is free");
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        connection.add_transceiver_from_kind(RtpCodecKind::Video, Some(init)).await.expect("there are codecs");
        let control = connection.create_data_channel("control", None).await.expect("there is room for one");
        tokio::spawn(async move {
            while let Some(event) = control.poll().await {
                if matches!(event, DataChannelEvent::OnOpen) {
                    let _ = control.send_text(STAYS).await;
                }
            }
        });
        let offer = connection.create_offer(None).await.expect("there is something to offer");
        connection.set_local_description(offer).await.expect("it is the library's own");
        gathered.wait_for(|gathered| *gathered).await.expect("the handler lives as long as the connection");
        let offer = connection.local_description().await.expect("it was set").sdp;
        let answer = Self::request(address, secret, "POST", &format!("/whep{query}"), offer).await;
        let body = String::from_utf8(answer.body.clone()).expect("an answer is text");
        assert_eq!(answer.status, 201, "{body}");
        let place = answer.header("location").expect("a session has a place").to_owned();
        let description = RTCSessionDescription::answer(body).expect("the answer is a description");
        connection.set_remote_description(description).await.expect("it answers the offer");
        Self { connection: Arc::new(connection), counts, address, secret: secret.to_owned(), place }
    }

    /// The requests of the tests block, which no other viewer should feel.
    async fn request(address: SocketAddr, secret: &str, method: &'static str, path: &str, body: String) -> Answer {
        let (secret, path) =
            (format!("Authorization: Bearer {secret}\r\nContent-Type: application/sdp\r\n"), path.to_owned());
        tokio::task::spawn_blocking(move || ask_bare(address, method, &path, &secret, &body))
            .await
            .expect("it does not panic")
    }

    pub fn frames(&self) -> u64 {
        self.counts.frames.load(Ordering::Relaxed)
    }

    /// Of payload, so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Waits for so many frames; `false` when they don't come.
    pub async fn sees(&self, frames: u64) -> bool {
        for _ in 0..600 {
            if self.frames() >= frames {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Says goodbye.
    pub async fn leave(self) {
        let answer = Self::request(self.address, &self.secret, "DELETE", &self.place, String::new()).await;
        assert_eq!(answer.status, 200);
        self.vanish().await;
    }

    /// Is gone, as if its network were. The library's own end of the connection is closed all the same.
    pub async fn vanish(self) {
        let _ = self.connection.close().await;
    }
}
