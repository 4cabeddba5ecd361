//! Answers a viewer's offer: the codec that was chosen, and the viewer's data channels.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::PeerConnection;

use super::super::Shared;
use super::super::peer::sending::{self, Sending};
use super::super::peer::setup::{ConnectError, Gathering, Peer, Setup};
use super::offer::Offer;
use super::packetizer::Broadcast;

/// Library to session; a page opens three channels.
const CHANNELS_WAITING: usize = 8;

/// A connection whose answer is ready to be sent.
pub struct Connection {
    pub peer: Peer,
    pub answer: String,
    pub sending: Sending,
    pub channels: mpsc::Receiver<Arc<dyn DataChannel>>,
}

/// Answers an offer; on an error nothing is left behind.
///
/// # Errors
/// When the library does not take the offer, or the machine can't serve it.
pub async fn connect(
    offer: &Offer,
    broadcast: &Arc<Broadcast>,
    shared: &Shared,
    viewer: IpAddr,
) -> Result<Connection, ConnectError> {
    let (media, registry, mut sending) = sending::prepare(broadcast, viewer, &offer.codec)?;
    let (channel_sender, channels) = mpsc::channel(CHANNELS_WAITING);
    let setup = Setup { channels: Some(channel_sender), ..Setup::answering(shared, media, registry) };
    let mut peer = setup.build().await?;
    match negotiate(peer.connection.as_ref(), &mut peer.gathering, offer, &mut sending).await {
        Ok(answer) => Ok(Connection { peer, answer, sending, channels }),
        Err(error) => {
            // Without this the driver's task would stay for ever.
            let _ = peer.connection.close().await;
            Err(error)
        }
    }
}

async fn negotiate(
    connection: &dyn PeerConnection,
    gathering: &mut Gathering,
    offer: &Offer,
    sending: &mut Sending,
) -> Result<String, ConnectError> {
    let sender = connection.add_track(Arc::clone(&sending.track) as Arc<dyn TrackLocal>).await?;
    let answer = gathering.answer(connection, &offer.sdp).await?;
    let parameters = sender.get_parameters().await?.rtp_parameters;
    if let Some(codec) = parameters.codecs.first() {
        sending.payload_type = codec.payload_type;
    }
    Ok(answer)
}
