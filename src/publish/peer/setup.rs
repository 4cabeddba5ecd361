//! Builds one peer connection and takes it through an offer and an answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::peer_connection::certificate::CertificateParams;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::transport::RTCDtlsRole;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCCertificate, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder, crypto,
};

use super::super::Shared;
use super::addresses;
use super::ice_server::IceServer;
use super::udp::{Lease, SharedRuntime, UdpPort};

/// Without STUN and TURN all candidates are local addresses, so there is nothing to wait for but the machine itself.
const GATHERING_TIME: Duration = Duration::from_secs(3);
/// A STUN or TURN server that does not answer must not keep the candidates of this computer from being offered, least of
/// all to a viewer who waits.
const SERVERS_TIME: Duration = Duration::from_millis(1500);
/// What may wait in one data channel towards a page that does not read.
const CHANNEL_BYTES: usize = 64 * 1024;
/// Without a sign of life for so long ICE calls the connection disconnected, and then failed.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(4);
const FAILED_AFTER: Duration = Duration::from_secs(12);
const KEEP_ALIVE: Duration = Duration::from_secs(1);

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
pub struct Certificate(RTCCertificate);

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

/// The callbacks of one connection. They run on its driver, so they only note and never wait.
struct Handler {
    gathered: watch::Sender<bool>,
    states: watch::Sender<RTCPeerConnectionState>,
    channels: Option<mpsc::Sender<Arc<dyn DataChannel>>>,
    tracks: Option<mpsc::Sender<Arc<dyn TrackRemote>>>,
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
        if let Some(channels) = &self.channels {
            // Beyond a handful nobody means well; what does not fit is never listened to.
            let _ = channels.try_send(channel);
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if let Some(tracks) = &self.tracks {
            // More than the offer had are nobody's.
            let _ = tracks.try_send(track);
        }
    }
}

/// What a connection is to be made with.
pub struct Setup<'a> {
    pub certificate: &'a Certificate,
    /// The address that HTTP is bound to; unspecified means all of this computer's.
    pub bound: IpAddr,
    pub ice_servers: Vec<IceServer>,
    /// The port it shares with others; without it there are ports of its own.
    pub port: Option<&'a Arc<UdpPort>>,
    /// Whether the other side makes the offer.
    pub answers: bool,
    pub media: MediaEngine,
    pub registry: Registry,
    /// Where the other side's data channels go; without it there are none.
    pub channels: Option<mpsc::Sender<Arc<dyn DataChannel>>>,
    /// Where the other side's tracks go.
    pub tracks: Option<mpsc::Sender<Arc<dyn TrackRemote>>>,
}

/// A connection and what is heard of it.
pub struct Peer {
    pub connection: Arc<dyn PeerConnection>,
    pub states: watch::Receiver<RTCPeerConnectionState>,
    pub gathering: Gathering,
}

/// Takes descriptions through the library; a restart of ICE needs it again.
#[derive(Clone)]
pub struct Gathering {
    gathered: watch::Receiver<bool>,
    /// Whether STUN and TURN servers are asked, which may take longer than anybody wants to wait.
    asks_servers: bool,
    lease: Option<Arc<Lease>>,
    limit: Duration,
}

impl<'a> Setup<'a> {
    /// For somebody who sends an offer to this host.
    pub fn answering(shared: &'a Shared, media: MediaEngine, registry: Registry) -> Self {
        Setup {
            certificate: &shared.certificate,
            bound: shared.bound,
            ice_servers: shared.host.ice_servers(),
            port: Some(&shared.udp),
            answers: true,
            media,
            registry,
            channels: None,
            tracks: None,
        }
    }

    /// Makes the connection, with its sockets, but without any description.
    ///
    /// # Errors
    /// When the library or the machine can't.
    pub async fn build(self) -> Result<Peer, ConnectError> {
        let (gathered_sender, gathered) = watch::channel(false);
        let (state_sender, states) = watch::channel(RTCPeerConnectionState::New);
        let handler =
            Handler { gathered: gathered_sender, states: state_sender, channels: self.channels, tracks: self.tracks };
        let settings = SettingEngineBuilder::default();
        // Spares a round trip.
        let settings = if self.answers { settings.with_answering_dtls_role(RTCDtlsRole::Server) } else { settings };
        let settings = settings
            .with_include_loopback_candidate(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEP_ALIVE))
            .build();
        let configuration = RTCConfigurationBuilder::new()
            .with_certificates(vec![self.certificate.0.clone()])
            .with_ice_servers(self.ice_servers.iter().map(IceServer::for_library).collect())
            .build();
        let asks_servers = !self.ice_servers.is_empty();
        let lease = self.port.map(UdpPort::lease);
        let addresses = addresses::candidates(self.bound);
        let mut builder = PeerConnectionBuilder::new();
        let addresses = match &lease {
            Some(lease) => {
                let runtime = SharedRuntime::new(Arc::clone(lease), asks_servers);
                builder = builder.with_runtime(Arc::new(runtime));
                lease.served(addresses)
            }
            None => addresses,
        };
        let connection = builder
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .with_media_engine(self.media)
            .with_interceptor_registry(self.registry)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(addresses)
            .with_data_channel_send_buffer_limit(CHANNEL_BYTES)
            .build()
            .await?;
        let limit = if asks_servers && self.answers { SERVERS_TIME } else { GATHERING_TIME };
        let gathering = Gathering { gathered, asks_servers, lease, limit };
        Ok(Peer { connection: Arc::new(connection), states, gathering })
    }
}

impl Gathering {
    /// Takes an offer, the first one or one of a restart, and gives the answer with all candidates.
    ///
    /// # Errors
    /// When the library does not take it.
    pub async fn answer(&mut self, connection: &dyn PeerConnection, offer: &str) -> Result<String, ConnectError> {
        let description = RTCSessionDescription::offer(offer.to_owned()).map_err(ConnectError::Offer)?;
        connection.set_remote_description(description).await.map_err(ConnectError::Offer)?;
        let answer = connection.create_answer(None).await.map_err(ConnectError::Offer)?;
        connection.set_local_description(answer).await.map_err(ConnectError::Offer)?;
        self.local_description(connection).await
    }

    /// Makes an offer with all candidates.
    ///
    /// # Errors
    /// When the machine can't.
    pub async fn offer(&mut self, connection: &dyn PeerConnection) -> Result<String, ConnectError> {
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer).await?;
        self.local_description(connection).await
    }

    async fn local_description(&mut self, connection: &dyn PeerConnection) -> Result<String, ConnectError> {
        let done =
            timeout(self.limit, self.gathered.wait_for(|gathered| *gathered)).await.is_ok_and(|done| done.is_ok());
        if !done && !self.asks_servers {
            return Err(ConnectError::Gathering);
        }
        let sdp = connection.local_description().await.ok_or(ConnectError::Gathering)?.sdp;
        Ok(self.lease.as_ref().map_or(sdp.clone(), |lease| lease.publish(&sdp)))
    }
}
