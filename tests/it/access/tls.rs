//! One port for HTTP and HTTPS, and a certificate that is the same every time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::json;

use crate::support::studio::{SECRET, Server};
use crate::support::wire::{ask, connect};

/// Trusts everybody and remembers whom.
#[derive(Debug, Default)]
struct Trusting(Mutex<Option<String>>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("it is one of TLS 1.3");
        let digest = suite.common.hash_provider.hash(certificate);
        let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        *self.0.lock().unwrap() = Some(pairs.join(":"));
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}

/// A request over TLS: the fingerprint that was shown, and the answer as text.
fn ask_tls(address: SocketAddr, request: &str) -> (String, String) {
    let trusting = Arc::new(Trusting::default());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&trusting) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("it is a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client can be made");
    let mut stream = StreamOwned::new(client, connect(address));
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = Vec::new();
    // Not everybody says goodbye in TLS.
    let _ = stream.read_to_end(&mut answer);
    let shown = trusting.0.lock().unwrap().clone().expect("a certificate was shown");
    (shown, String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn the_same_port_speaks_http_and_https_and_knows_which() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let request = |more: &str| {
        format!(
            "GET /state HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {SECRET}\r\n{more}\r\n"
        )
    };
    let (shown, answer) = ask_tls(address, &request(""));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.host.door.view(Instant::now()).fingerprint, shown);
    let (again, _) = ask_tls(address, &request(""));
    assert_eq!(again, shown);
    assert_eq!(ask(address, "GET", "/state", "", "").status, 200);
    // The origin of the one is not that of the other.
    let post = |scheme: &str| {
        let body = json!({ "session": "a", "events": [] }).to_string();
        format!(
            "POST /api/v1/pointer HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nOrigin: {scheme}://{address}\r\n\
             Authorization: Bearer {SECRET}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    assert!(ask_tls(address, &post("https")).1.starts_with("HTTP/1.1 204"));
    assert!(ask_tls(address, &post("http")).1.starts_with("HTTP/1.1 403"));
}

#[test]
fn a_session_over_https_has_a_secure_cookie_and_foreign_hosts_are_refused_there_too() {
    let (server, _jpegs) = Server::with_test_jpegs();
    server.host.access.lock().unwrap().ask = false;
    let address = server.publisher.address();
    let token = server.host.door.invite(Instant::now()).unwrap();
    let body = json!({ "token": token }).to_string();
    let enter = format!(
        "POST /api/v1/enter HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (_, answer) = ask_tls(address, &enter);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("SameSite=Strict; Secure\r\n"), "{answer}");
    let foreign = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(ask_tls(address, foreign).1.starts_with("HTTP/1.1 421"));
}

#[test]
fn whoever_begins_a_hello_and_goes_no_further_is_cut_off_and_holds_nobody_up() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let mut silent: Vec<TcpStream> =
        [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\x00\x05hello", b"G"]
            .into_iter()
            .map(|bytes| {
                let mut stream = connect(address);
                stream.write_all(bytes).expect("it is sent");
                stream
            })
            .collect();
    assert_eq!(ask(address, "GET", "/state", "", "").status, 200);
    for stream in &mut silent {
        // The socket's own time-out would be an error.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("it is closed by the host");
    }
    assert_eq!(ask(address, "GET", "/state", "", "").status, 200);
}
