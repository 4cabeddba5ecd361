//! Builds one peer connection and answers its offer: codec, retransmission, feedback, addresses.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::certificate::CertificateParams;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine};
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCCertificate, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder, crypto,
};

use super::addresses;
use super::expander::{ABS_CAPTURE_TIME_URI, Expander, FrameQueue, PLAYOUT_DELAY_URI};
use super::gate::{Gate, TRANSPORT_CC_URI};
use super::link::Link;
use super::nack::NackResponder;
use super::offer::{Offer, OfferedCodec};
use super::packetizer::Broadcast;
use super::passing::Passing;
use super::rtcp_tap::RtcpTap;
use super::sessions::random;
use crate::encode::VideoCodec;

/// All candidates are local addresses, so there is nothing to wait for but the machine itself.
pub const GATHERING_TIME: Duration = Duration::from_secs(3);
/// Library to session; a page opens three channels.
const CHANNELS_WAITING: usize = 8;
/// What may wait in one data channel towards a page that does not read.
const CHANNEL_BYTES: usize = 64 * 1024;
/// Without a sign of life for so long ICE calls the connection disconnected, and then failed.
pub const DISCONNECTED_AFTER: Duration = Duration::from_secs(4);
pub const FAILED_AFTER: Duration = Duration::from_secs(12);
pub const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Why a connection could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// What the library refused in the offer.
    #[error("the offer can't be answered: {0}")]
    Offer(#[source] webrtc::error::Error),
    #[error("WebRTC could not be set up: {0}")]
    Library(#[from] webrtc::error::Error),
    #[error("the system has no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("no address of this computer could be offered in time")]
    Gathering,
}

/// The certificate all connections of this run use.
#[derive(Clone)]
pub struct Certificate(pub(in crate::publish) RTCCertificate);

/// No certificate, no WebRTC.
#[derive(Debug, thiserror::Error)]
#[error("the WebRTC certificate could not be made: {0}")]
pub struct CertificateError(String);

impl Certificate {
    /// Makes a key, which takes a few milliseconds.
    ///
    /// # Errors
    /// When the crypto library fails, which it has no reason to.
    pub fn generate() -> Result<Self, CertificateError> {
        let failed = |error: &dyn std::fmt::Display| CertificateError(error.to_string());
        let provider = crypto::default_provider().map_err(|error| failed(&error))?;
        let params = CertificateParams::new(vec!["lenscast".to_owned()]).map_err(|error| failed(&error))?;
        RTCCertificate::generate(provider.crypto(), crypto::SignatureScheme::EcdsaP256Sha256, params)
            .map(Self)
            .map_err(|error| failed(&error))
    }
}

/// A connection whose answer is ready to be sent.
pub struct Connection {
    pub peer: Arc<dyn PeerConnection>,
    pub answer: String,
    pub track: Arc<TrackLocalStaticRTP>,
    pub queue: Arc<FrameQueue>,
    pub link: Arc<Link>,
    pub states: watch::Receiver<RTCPeerConnectionState>,
    pub channels: mpsc::Receiver<Arc<dyn DataChannel>>,
    pub ssrc: u32,
    pub payload_type: u8,
}

/// Callbacks run on the connection's driver, so they only note and never wait.
struct Handler {
    gathered: watch::Sender<bool>,
    states: watch::Sender<RTCPeerConnectionState>,
    channels: mpsc::Sender<Arc<dyn DataChannel>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.states.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        // Beyond a handful nobody means well; what does not fit is never listened to.
        let _ = self.channels.try_send(channel);
    }
}

/// Where a viewer is, and where it is served.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub viewer: IpAddr,
    pub bound: IpAddr,
}

/// Answers an offer; on an error nothing is left behind.
///
/// # Errors
/// When the library does not take the offer, or the machine can't serve it.
pub async fn connect(
    offer: &Offer,
    broadcast: &Arc<Broadcast>,
    certificate: &Certificate,
    place: Place,
) -> Result<Connection, ConnectError> {
    let numbers = Numbers::random().map_err(ConnectError::Random)?;
    let link = broadcast.expect_viewer(place.viewer);
    let queue = Arc::new(FrameQueue::default());
    let (gathered_sender, mut gathered) = watch::channel(false);
    let (state_sender, states) = watch::channel(RTCPeerConnectionState::New);
    let (channel_sender, channels) = mpsc::channel(CHANNELS_WAITING);
    let handler = Handler { gathered: gathered_sender, states: state_sender, channels: channel_sender };

    let mut media = MediaEngine::default();
    register(&mut media, &offer.codec)?;
    let registry = configure_rtcp_reports(Registry::new())
        .with(Slot::from(500), Passing::new(RtcpTap::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::Pacer, Passing::new(Gate::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::NackResponder, Passing::new(NackResponder::new(Arc::clone(&link))))
        .with(Slot::from(20_000), Passing::new(Expander::new(Arc::clone(&queue), numbers.sequence)));
    let settings = SettingEngineBuilder::default()
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEP_ALIVE))
        .build();
    let configuration = RTCConfigurationBuilder::new().with_certificates(vec![certificate.0.clone()]).build();
    let addresses: Vec<SocketAddr> = addresses::candidates(place.bound);
    let peer = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(addresses)
        .with_data_channel_send_buffer_limit(CHANNEL_BYTES)
        .build()
        .await?;
    let peer: Arc<dyn PeerConnection> = Arc::new(peer);
    let track = Arc::new(TrackLocalStaticRTP::new(media_track(&offer.codec, &numbers)));

    match negotiate(peer.as_ref(), &track, offer, &mut gathered).await {
        Ok((answer, payload_type)) => {
            Ok(Connection { peer, answer, track, queue, link, states, channels, ssrc: numbers.ssrc, payload_type })
        }
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = peer.close().await;
            Err(error)
        }
    }
}

async fn negotiate(
    peer: &dyn PeerConnection,
    track: &Arc<TrackLocalStaticRTP>,
    offer: &Offer,
    gathered: &mut watch::Receiver<bool>,
) -> Result<(String, u8), ConnectError> {
    let sender = peer.add_track(Arc::clone(track) as Arc<dyn TrackLocal>).await?;
    let description = RTCSessionDescription::offer(offer.sdp.clone()).map_err(ConnectError::Offer)?;
    peer.set_remote_description(description).await.map_err(ConnectError::Offer)?;
    let answer = peer.create_answer(None).await.map_err(ConnectError::Offer)?;
    peer.set_local_description(answer).await.map_err(ConnectError::Offer)?;
    let done = timeout(GATHERING_TIME, gathered.wait_for(|gathered| *gathered)).await.is_ok_and(|done| done.is_ok());
    if !done {
        return Err(ConnectError::Gathering);
    }
    let answer = peer.local_description().await.ok_or(ConnectError::Gathering)?;
    let parameters = sender.get_parameters().await?.rtp_parameters;
    let payload_type = parameters.codecs.first().map_or(offer.codec.payload_type, |codec| codec.payload_type);
    Ok((answer.sdp, payload_type))
}

/// The random numbers RTP wants.
pub struct Numbers {
    pub ssrc: u32,
    rtx_ssrc: u32,
    pub sequence: u16,
}

impl Numbers {
    /// # Errors
    /// When the system has no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        let [a, b, c, d, e, f] = random::<6>()?;
        // The highest bit stays clear in one and set in the other: they can't be equal, nor 0.
        let ssrc = u32::from_be_bytes([a & 0x7f, b, c, d]) | 1;
        // The first number is in the lower half, so that the first packets don't wrap: SRTP could lose count.
        Ok(Self { ssrc, rtx_ssrc: ssrc | 0x8000_0000, sequence: u16::from_be_bytes([e & 0x7f, f]) })
    }
}

fn codec(offered: &OfferedCodec) -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    RTCRtpCodec {
        mime_type: match offered.codec {
            VideoCodec::H264 => MIME_TYPE_H264.to_owned(),
            VideoCodec::Vp8 => MIME_TYPE_VP8.to_owned(),
        },
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: offered.fmtp.clone(),
        rtcp_feedback: vec![
            feedback("nack", ""),
            feedback("nack", "pli"),
            feedback("ccm", "fir"),
            feedback("transport-cc", ""),
            feedback("goog-remb", ""),
        ],
    }
}

/// Registers what was chosen by the offer's own numbers, so that nothing else can be negotiated.
///
/// # Errors
/// When the library refuses a codec, which it has no reason to.
pub fn register(media: &mut MediaEngine, offered: &OfferedCodec) -> Result<(), ConnectError> {
    let parameters = |rtp_codec, payload_type| RTCRtpCodecParameters { rtp_codec, payload_type };
    media.register_codec(parameters(codec(offered), offered.payload_type), RtpCodecKind::Video)?;
    if let Some(rtx) = offered.rtx {
        let codec = RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format!("apt={}", offered.payload_type),
            rtcp_feedback: Vec::new(),
        };
        media.register_codec(parameters(codec, rtx), RtpCodecKind::Video)?;
    }
    for uri in [PLAYOUT_DELAY_URI, TRANSPORT_CC_URI, ABS_CAPTURE_TIME_URI] {
        let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        media.register_header_extension(extension, RtpCodecKind::Video, None)?;
    }
    Ok(())
}

/// The one track, with its retransmissions.
pub fn media_track(offered: &OfferedCodec, numbers: &Numbers) -> MediaStreamTrack {
    let rtx = offered.rtx.map(|_| RTCRtpRtxParameters { ssrc: numbers.rtx_ssrc });
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(numbers.ssrc), rtx, ..Default::default() },
        codec: codec(offered),
        ..Default::default()
    };
    MediaStreamTrack::new(
        "lenscast".to_owned(),
        "picture".to_owned(),
        "picture".to_owned(),
        RtpCodecKind::Video,
        vec![coding],
    )
}
