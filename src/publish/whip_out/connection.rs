//! Offers one video track to a server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::{PeerConnection, RTCSessionDescription};

use super::super::peer::IceServer;
use super::super::peer::sending::{self, Sending};
use super::super::peer::setup::{Certificate, ConnectError, Gathering, Peer, Setup};
use super::super::webrtc::offer::OfferedCodec;
use super::super::webrtc::packetizer::Broadcast;
use crate::encode::VideoCodec;

/// A connection whose offer is ready to be sent.
pub struct Connection {
    pub peer: Peer,
    pub offer: String,
    pub sending: Sending,
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
    let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let (media, registry, sending) = sending::prepare(broadcast, anywhere, &offered(broadcast.codec()))?;
    let setup = Setup {
        certificate,
        bound: anywhere,
        ice_servers: ice_servers.to_vec(),
        port: None,
        answers: false,
        media,
        registry,
        channels: None,
        tracks: None,
    };
    let mut peer = setup.build().await?;
    match describe(peer.connection.as_ref(), &sending, &mut peer.gathering).await {
        Ok(offer) => Ok(Connection { peer, offer, sending }),
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = peer.connection.close().await;
            Err(error)
        }
    }
}

async fn describe(
    connection: &dyn PeerConnection,
    sending: &Sending,
    gathering: &mut Gathering,
) -> Result<String, ConnectError> {
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: Vec::new(),
        send_encodings: Vec::new(),
    };
    let track = Arc::clone(&sending.track) as Arc<dyn TrackLocal>;
    connection.add_transceiver_from_track(track, Some(init)).await?;
    gathering.offer(connection).await
}

/// Takes the server's answer.
///
/// # Errors
/// When the library does not understand it.
pub async fn accept(peer: &dyn PeerConnection, answer: String) -> Result<(), ConnectError> {
    let answer = RTCSessionDescription::answer(answer).map_err(ConnectError::Offer)?;
    peer.set_remote_description(answer).await.map_err(ConnectError::Offer)
}
