//! Answers a publisher's offer: one video track, and one of sound that nobody listens to.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{configure_rtcp_reports, configure_twcc_receiver_only};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};

use super::super::webrtc::addresses;
use super::super::webrtc::connection::{
    Certificate, ConnectError, DISCONNECTED_AFTER, FAILED_AFTER, GATHERING_TIME, KEEP_ALIVE,
};
use super::offer::{COLORS_URI, Offer};
use crate::receive::Codec;

/// Library to session; an offer has two tracks at most.
const TRACKS_WAITING: usize = 4;

/// A connection whose answer is ready to be sent.
pub struct Connection {
    pub peer: Arc<dyn PeerConnection>,
    pub answer: String,
    pub gathered: watch::Receiver<bool>,
    pub states: watch::Receiver<RTCPeerConnectionState>,
    pub tracks: mpsc::Receiver<Arc<dyn TrackRemote>>,
}

/// Callbacks run on the connection's driver, so they only note and never wait.
struct Handler {
    gathered: watch::Sender<bool>,
    states: watch::Sender<RTCPeerConnectionState>,
    tracks: mpsc::Sender<Arc<dyn TrackRemote>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.states.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        // More than the offer had are nobody's.
        let _ = self.tracks.try_send(track);
    }
}

/// Answers an offer; on an error nothing is left behind.
///
/// # Errors
/// When the library does not take the offer, or the machine can't serve it.
pub async fn connect(offer: &Offer, certificate: &Certificate, bound: IpAddr) -> Result<Connection, ConnectError> {
    let (gathered_sender, gathered) = watch::channel(false);
    let (state_sender, states) = watch::channel(RTCPeerConnectionState::New);
    let (track_sender, tracks) = mpsc::channel(TRACKS_WAITING);
    let handler = Handler { gathered: gathered_sender, states: state_sender, tracks: track_sender };
    let mut media = MediaEngine::default();
    register(&mut media, offer)?;
    // Reports about each packet let the publisher find out what its link carries.
    let registry = configure_twcc_receiver_only(Registry::new(), &mut media).map_err(ConnectError::Library)?;
    let registry = configure_rtcp_reports(registry);
    let settings = SettingEngineBuilder::default()
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEP_ALIVE))
        .build();
    let configuration = RTCConfigurationBuilder::new().with_certificates(vec![certificate.0.clone()]).build();
    let peer = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(addresses::candidates(bound))
        .build()
        .await?;
    let mut connection = Connection { peer: Arc::new(peer), answer: String::new(), gathered, states, tracks };
    match answer(connection.peer.as_ref(), &offer.sdp, &mut connection.gathered).await {
        Ok(answer) => Ok(Connection { answer, ..connection }),
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = connection.peer.close().await;
            Err(error)
        }
    }
}

/// Takes an offer, the first one or one of a restart, and gives the answer with all candidates.
///
/// # Errors
/// When the library does not take it.
pub async fn answer(
    peer: &dyn PeerConnection,
    sdp: &str,
    gathered: &mut watch::Receiver<bool>,
) -> Result<String, ConnectError> {
    let description = RTCSessionDescription::offer(sdp.to_owned()).map_err(ConnectError::Offer)?;
    peer.set_remote_description(description).await.map_err(ConnectError::Offer)?;
    let answer = peer.create_answer(None).await.map_err(ConnectError::Offer)?;
    peer.set_local_description(answer).await.map_err(ConnectError::Offer)?;
    let done = timeout(GATHERING_TIME, gathered.wait_for(|gathered| *gathered)).await.is_ok_and(|done| done.is_ok());
    if !done {
        return Err(ConnectError::Gathering);
    }
    peer.local_description().await.map(|answer| answer.sdp).ok_or(ConnectError::Gathering)
}

/// Registers what was chosen by the offer's own numbers, so that nothing else can be negotiated.
fn register(media: &mut MediaEngine, offer: &Offer) -> Result<(), ConnectError> {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    let video = &offer.video;
    let rtp_codec = RTCRtpCodec {
        mime_type: match video.codec {
            Codec::H264 => MIME_TYPE_H264.to_owned(),
            Codec::Vp8 => MIME_TYPE_VP8.to_owned(),
        },
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: video.fmtp.clone(),
        rtcp_feedback: vec![feedback("nack", ""), feedback("nack", "pli"), feedback("transport-cc", "")],
    };
    media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type: video.payload_type }, RtpCodecKind::Video)?;
    if let Some(payload_type) = video.rtx {
        let rtp_codec = RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format!("apt={}", video.payload_type),
            rtcp_feedback: Vec::new(),
        };
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Video)?;
    }
    if video.colors_id.is_some() {
        let extension = RTCRtpHeaderExtensionCapability { uri: COLORS_URI.to_owned() };
        media.register_header_extension(extension, RtpCodecKind::Video, None)?;
    }
    if let Some(payload_type) = offer.audio {
        let rtp_codec = RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.to_owned(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: Vec::new(),
        };
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Audio)?;
    }
    Ok(())
}
