//! Answers a publisher's offer: one video track, and one of sound that nobody listens to.

use std::sync::Arc;

use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{configure_rtcp_reports, configure_twcc_receiver_only};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::TrackRemote;

use super::super::Shared;
use super::super::peer::sending::{register_video, video_codec};
use super::super::peer::setup::{ConnectError, Peer, Setup};
use super::offer::{COLORS_URI, Offer};
use crate::receive::Codec;

/// Library to session; an offer has two tracks at most.
const TRACKS_WAITING: usize = 4;

/// A connection whose answer is ready to be sent.
pub struct Connection {
    pub peer: Peer,
    pub answer: String,
    pub tracks: mpsc::Receiver<Arc<dyn TrackRemote>>,
}

/// Answers an offer; on an error nothing is left behind.
///
/// # Errors
/// When the library does not take the offer, or the machine can't serve it.
pub async fn connect(offer: &Offer, shared: &Shared) -> Result<Connection, ConnectError> {
    let mut media = MediaEngine::default();
    register(&mut media, offer)?;
    // Reports about each packet let the publisher find out what its link carries.
    let registry = configure_twcc_receiver_only(Registry::new(), &mut media).map_err(ConnectError::Library)?;
    let registry = configure_rtcp_reports(registry);
    let (track_sender, tracks) = mpsc::channel(TRACKS_WAITING);
    let setup = Setup { tracks: Some(track_sender), ..Setup::answering(shared, media, registry) };
    let mut peer = setup.build().await?;
    let answered = async {
        let answer = peer.gathering.answer(peer.connection.as_ref(), &offer.sdp).await?;
        Ok(match &offer.refused {
            Some(refused) => refused.put_into(&answer),
            None => answer,
        })
    };
    match answered.await {
        Ok(answer) => Ok(Connection { peer, answer, tracks }),
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = peer.connection.close().await;
            Err(error)
        }
    }
}

/// Registers what was chosen by the offer's own numbers, so that nothing else can be negotiated.
fn register(media: &mut MediaEngine, offer: &Offer) -> Result<(), ConnectError> {
    let video = &offer.video;
    let mime_type = match video.codec {
        Codec::H264 => MIME_TYPE_H264,
        Codec::Vp8 => MIME_TYPE_VP8,
    };
    let codec = video_codec(mime_type, &video.fmtp, &[("nack", ""), ("nack", "pli"), ("transport-cc", "")]);
    register_video(media, codec, video.payload_type, video.rtx)?;
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
