//! The certificate of this installation: made once, kept for its owner alone, made anew when it is damaged or old.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXUPPER;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use crate::util::write_private;

const VERSION: u32 = 1;
/// Longer ones are refused by some browsers even from those who trust them.
const VALID_DAYS: i64 = 800;
/// One that is about to expire is replaced before somebody notices.
const RENEWED_BEFORE: i64 = 30;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the certificate for HTTPS can't be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the certificate for HTTPS can't be used: {0}")]
    Use(#[from] rustls::Error),
}

/// What the server shows to those who come over TLS.
#[derive(Debug, Clone)]
pub struct Identity {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
}

/// One file for both halves, so that they always fit together.
#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    /// The last day on which it holds, as 2029-01-29.
    until: String,
    certificate: String,
    key: String,
}

impl Identity {
    /// The one of this installation, or one for this run alone where there is no folder. `names` are further names and
    /// addresses under which this computer is reached.
    ///
    /// # Errors
    /// When a new one is needed and can't be made. A file that can't be written is only warned of.
    pub fn load_or_make(folder: Option<&Path>, names: &[String]) -> Result<Self, IdentityError> {
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let path = folder.map(|folder| folder.join("certificate.json"));
        if let Some(kept) = path.as_deref().and_then(|path| read(path, today)) {
            return Ok(kept);
        }
        let document = make(names, today)?;
        let identity = of(&document)?;
        if let Some(path) = &path {
            let text = serde_json::to_string(&document).expect("three texts and a number become JSON");
            if let Err(error) = write_private(path, text.as_bytes()) {
                tracing::warn!(
                    "{} can't be written ({error}); browsers will see another certificate next time",
                    path.display()
                );
            }
        }
        Ok(identity)
    }
}

/// What was kept, if it is whole and still holds.
fn read(path: &Path, today: jiff::civil::Date) -> Option<Identity> {
    let text = std::fs::read_to_string(path).ok()?;
    let read = serde_json::from_str::<Document>(&text).map_err(|error| error.to_string());
    let fresh = read.and_then(|document| {
        let until = document.until.parse::<jiff::civil::Date>().map_err(|error| error.to_string())?;
        let left = today.until(until).map(|span| span.get_days()).unwrap_or(0);
        if document.version != VERSION || i64::from(left) < RENEWED_BEFORE {
            return Err("it expires, or is of another version".to_owned());
        }
        of(&document).map_err(|error| error.to_string())
    });
    fresh.inspect_err(|reason| tracing::warn!("{} is made anew: {reason}", path.display())).ok()
}

fn of(document: &Document) -> Result<Identity, IdentityError> {
    let unreadable = |_| rustls::Error::General("it is damaged".to_owned());
    let certificate = CertificateDer::from_pem_slice(document.certificate.as_bytes()).map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(document.key.as_bytes()).map_err(unreadable)?;
    let digest = super::secret::sha256(&certificate);
    let pairs: Vec<String> = digest.iter().map(|byte| HEXUPPER.encode(&[*byte])).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // The key is checked against the certificate here.
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { config: Arc::new(config), fingerprint: pairs.join(":") })
}

fn make(names: &[String], today: jiff::civil::Date) -> Result<Document, IdentityError> {
    let day = |date: jiff::civil::Date| date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8);
    let later = |days: i64| today.checked_add(jiff::Span::new().days(days)).unwrap_or(today);
    let until = later(VALID_DAYS);
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    // Names that a certificate can't carry are left out; addresses it can.
    let carried = |name: &&String| name.is_ascii() && (name.parse::<IpAddr>().is_ok() || !name.contains(':'));
    for name in names.iter().filter(carried) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    let mut params = CertificateParams::new(all)?;
    // Yesterday, for clocks that are behind.
    params.not_before = day(later(-1));
    params.not_after = day(until);
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Lenscast");
    params.distinguished_name = name;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Document {
        version: VERSION,
        until: until.to_string(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_and_made_anew_when_it_is_damaged_or_old() {
        let folder = std::env::temp_dir().join(format!("lenscast-identity-{}", std::process::id()));
        let path = folder.join("certificate.json");
        let names = ["kitchen".to_owned(), "192.0.2.1".to_owned(), "not:a:name".to_owned()];
        let load = || Identity::load_or_make(Some(&folder), &names).unwrap().fingerprint;
        let first = load();
        assert_eq!(first.len(), 32 * 3 - 1);
        assert_eq!(load(), first);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let second = load();
        assert_ne!(second, first);
        let mut old: serde_json::Value = serde_json::from_str(&whole).unwrap();
        old["until"] = "2020-01-01".into();
        std::fs::write(&path, old.to_string()).unwrap();
        let third = load();
        assert!(third != first && third != second);
        // The key of one and the certificate of another are no pair.
        let newest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut mixed: serde_json::Value = serde_json::from_str(&whole).unwrap();
        mixed["key"] = newest["key"].clone();
        std::fs::write(&path, mixed.to_string()).unwrap();
        assert!(![first, third].contains(&load()));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
