//! Offers one video track to a server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::watch;
use tokio::time::timeout;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCIceGatheringState,
    RTCIceServer, RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};

use super::super::webrtc::addresses;
use super::super::webrtc::connection::{
    Certificate, ConnectError, DISCONNECTED_AFTER, FAILED_AFTER, GATHERING_TIME, KEEP_ALIVE, Numbers, media_track,
    register,
};
use super::super::webrtc::expander::{Expander, FrameQueue};
use super::super::webrtc::gate::Gate;
use super::super::webrtc::link::Link;
use super::super::webrtc::nack::NackResponder;
use super::super::webrtc::offer::OfferedCodec;
use super::super::webrtc::packetizer::Broadcast;
use super::super::webrtc::passing::Passing;
use super::super::webrtc::rtcp_tap::RtcpTap;
use super::headers::IceServer;
use crate::encode::VideoCodec;

/// A connection whose offer is ready to be sent.
pub struct Connection {
    pub peer: Arc<dyn PeerConnection>,
    pub offer: String,
    pub track: Arc<TrackLocalStaticRTP>,
    pub queue: Arc<FrameQueue>,
    pub link: Arc<Link>,
    pub states: watch::Receiver<RTCPeerConnectionState>,
    pub ssrc: u32,
    pub payload_type: u8,
}

/// Callbacks run on the connection's driver, so they only note and never wait.
struct Handler {
    gathered: watch::Sender<bool>,
    states: watch::Sender<RTCPeerConnectionState>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.states.send_replace(state);
    }
}

/// What is offered of a codec: the numbers are ours to choose.
fn offered(codec: VideoCodec) -> OfferedCodec {
    match codec {
        VideoCodec::H264 => OfferedCodec {
            codec,
            payload_type: 102,
            fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".to_owned(),
            rtx: Some(103),
        },
        VideoCodec::Vp8 => OfferedCodec { codec, payload_type: 96, fmtp: String::new(), rtx: Some(97) },
    }
}

/// Makes an offer with all candidates; on an error nothing is left behind.
///
/// # Errors
/// When the machine can't.
pub async fn offer(
    broadcast: &Arc<Broadcast>,
    certificate: &Certificate,
    ice_servers: &[IceServer],
) -> Result<Connection, ConnectError> {
    let numbers = Numbers::random().map_err(ConnectError::Random)?;
    let codec = offered(broadcast.codec());
    let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let link = broadcast.expect_viewer(anywhere);
    let queue = Arc::new(FrameQueue::default());
    let (gathered_sender, mut gathered) = watch::channel(false);
    let (state_sender, states) = watch::channel(RTCPeerConnectionState::New);
    let handler = Handler { gathered: gathered_sender, states: state_sender };
    let mut media = MediaEngine::default();
    register(&mut media, &codec)?;
    let registry = configure_rtcp_reports(Registry::new())
        .with(Slot::from(500), Passing::new(RtcpTap::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::Pacer, Passing::new(Gate::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::NackResponder, Passing::new(NackResponder::new(Arc::clone(&link))))
        .with(Slot::from(20_000), Passing::new(Expander::new(Arc::clone(&queue), numbers.sequence)));
    let settings = SettingEngineBuilder::default()
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEP_ALIVE))
        .build();
    let servers = ice_servers.iter().map(|server| RTCIceServer {
        urls: vec![server.url.clone()],
        username: server.username.clone(),
        credential: server.credential.clone(),
    });
    let configuration = RTCConfigurationBuilder::new()
        .with_certificates(vec![certificate.0.clone()])
        .with_ice_servers(servers.collect())
        .build();
    let peer = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(addresses::candidates(anywhere))
        .build()
        .await?;
    let peer: Arc<dyn PeerConnection> = Arc::new(peer);
    let track = Arc::new(TrackLocalStaticRTP::new(media_track(&codec, &numbers)));
    match describe(peer.as_ref(), &track, &mut gathered).await {
        Ok(offer) => {
            let (ssrc, payload_type) = (numbers.ssrc, codec.payload_type);
            Ok(Connection { peer, offer, track, queue, link, states, ssrc, payload_type })
        }
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = peer.close().await;
            Err(error)
        }
    }
}

async fn describe(
    peer: &dyn PeerConnection,
    track: &Arc<TrackLocalStaticRTP>,
    gathered: &mut watch::Receiver<bool>,
) -> Result<String, ConnectError> {
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: Vec::new(),
        send_encodings: Vec::new(),
    };
    peer.add_transceiver_from_track(Arc::clone(track) as Arc<dyn TrackLocal>, Some(init)).await?;
    let offer = peer.create_offer(None).await?;
    peer.set_local_description(offer).await?;
    // A STUN server that does not answer must not keep the candidates of this computer from being offered.
    let _ = timeout(GATHERING_TIME, gathered.wait_for(|gathered| *gathered)).await;
    peer.local_description().await.map(|offer| offer.sdp).ok_or(ConnectError::Gathering)
}

/// Takes the server's answer.
///
/// # Errors
/// When the library does not understand it.
pub async fn accept(peer: &dyn PeerConnection, answer: String) -> Result<(), ConnectError> {
    let answer = RTCSessionDescription::answer(answer).map_err(ConnectError::Offer)?;
    peer.set_remote_description(answer).await.map_err(ConnectError::Offer)
}
