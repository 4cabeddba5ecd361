//! The sending side of a connection: one track of one codec, and the interceptors between it and the network.

use std::net::IpAddr;
use std::sync::Arc;

use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
};
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

use super::super::webrtc::expander::{ABS_CAPTURE_TIME_URI, Expander, FrameQueue, PLAYOUT_DELAY_URI};
use super::super::webrtc::gate::{Gate, TRANSPORT_CC_URI};
use super::super::webrtc::link::Link;
use super::super::webrtc::nack::NackResponder;
use super::super::webrtc::offer::OfferedCodec;
use super::super::webrtc::packetizer::Broadcast;
use super::super::webrtc::passing::Passing;
use super::super::webrtc::rtcp_tap::RtcpTap;
use super::setup::ConnectError;
use super::signalling::random;
use crate::encode::VideoCodec;

/// What frames are sent with.
pub struct Sending {
    pub track: Arc<TrackLocalStaticRTP>,
    pub queue: Arc<FrameQueue>,
    pub link: Arc<Link>,
    pub ssrc: u32,
    pub payload_type: u8,
}

/// Makes the track and what lies between it and the network; the engine and the registry are the connection's.
///
/// # Errors
/// When the system has no random numbers, or the library refuses a codec, which it has no reason to.
pub fn prepare(
    broadcast: &Arc<Broadcast>,
    viewer: IpAddr,
    codec: &OfferedCodec,
) -> Result<(MediaEngine, Registry, Sending), ConnectError> {
    let numbers = Numbers::random().map_err(ConnectError::Random)?;
    let link = broadcast.expect_viewer(viewer);
    let queue = Arc::new(FrameQueue::default());
    let mut media = MediaEngine::default();
    register(&mut media, codec)?;
    let registry = configure_rtcp_reports(Registry::new())
        .with(Slot::from(500), Passing::new(RtcpTap::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::Pacer, Passing::new(Gate::new(Arc::clone(&link), Arc::clone(broadcast))))
        .with(Slot::NackResponder, Passing::new(NackResponder::new(Arc::clone(&link))))
        .with(Slot::from(20_000), Passing::new(Expander::new(Arc::clone(&queue), numbers.sequence)));
    let track = Arc::new(TrackLocalStaticRTP::new(media_track(codec, &numbers)));
    let (ssrc, payload_type) = (numbers.ssrc, codec.payload_type);
    Ok((media, registry, Sending { track, queue, link, ssrc, payload_type }))
}

/// The random numbers RTP wants.
struct Numbers {
    ssrc: u32,
    rtx_ssrc: u32,
    sequence: u16,
}

impl Numbers {
    fn random() -> Result<Self, getrandom::Error> {
        let [a, b, c, d, e, f] = random::<6>()?;
        // The highest bit stays clear in one and set in the other: they can't be equal, nor 0.
        let ssrc = u32::from_be_bytes([a & 0x7f, b, c, d]) | 1;
        // The first number is in the lower half, so that the first packets don't wrap: SRTP could lose count.
        Ok(Self { ssrc, rtx_ssrc: ssrc | 0x8000_0000, sequence: u16::from_be_bytes([e & 0x7f, f]) })
    }
}

fn codec(offered: &OfferedCodec) -> RTCRtpCodec {
    let mime_type = match offered.codec {
        VideoCodec::H264 => MIME_TYPE_H264,
        VideoCodec::Vp8 => MIME_TYPE_VP8,
    };
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", ""), ("goog-remb", "")];
    video_codec(mime_type, &offered.fmtp, &feedback)
}

/// A codec for video with these parameters and this feedback.
pub fn video_codec(mime_type: &str, fmtp: &str, feedback: &[(&str, &str)]) -> RTCRtpCodec {
    let feedback =
        feedback.iter().map(|(typ, parameter)| RTCPFeedback { typ: (*typ).into(), parameter: (*parameter).into() });
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.collect(),
    }
}

/// Registers a codec for video under the offer's own numbers, with its retransmissions, so that nothing else can be
/// negotiated.
///
/// # Errors
/// When the library refuses it, which it has no reason to.
pub fn register_video(
    media: &mut MediaEngine,
    rtp_codec: RTCRtpCodec,
    payload_type: u8,
    rtx: Option<u8>,
) -> Result<(), ConnectError> {
    media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Video)?;
    if let Some(rtx) = rtx {
        let rtp_codec = video_codec(MIME_TYPE_RTX, &format!("apt={payload_type}"), &[]);
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type: rtx }, RtpCodecKind::Video)?;
    }
    Ok(())
}

fn register(media: &mut MediaEngine, offered: &OfferedCodec) -> Result<(), ConnectError> {
    register_video(media, codec(offered), offered.payload_type, offered.rtx)?;
    for uri in [PLAYOUT_DELAY_URI, TRANSPORT_CC_URI, ABS_CAPTURE_TIME_URI] {
        let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        media.register_header_extension(extension, RtpCodecKind::Video, None)?;
    }
    Ok(())
}

/// The one track, with its retransmissions.
fn media_track(offered: &OfferedCodec, numbers: &Numbers) -> MediaStreamTrack {
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
