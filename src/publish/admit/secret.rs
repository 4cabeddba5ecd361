//! Secrets that nobody can guess, and the only way in which they are compared: digests of one length, in constant time.

use data_encoding::HEXLOWER;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;

/// Longer secrets are no secrets of ours; hashing them would only cost time.
const LONGEST: usize = 512;

/// The SHA-256 of a secret. Secrets of 128 random bits need no salt and no slow hash.
#[derive(Debug, Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(secret: &[u8]) -> Self {
        let shortened = &secret[..secret.len().min(LONGEST)];
        Self(sha256(shortened))
    }
}

/// The SHA-256 of some bytes; the library for TLS has it already.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("the suite's name says that it is one of TLS 1.3");
    let mut digest = [0; 32];
    digest.copy_from_slice(suite.common.hash_provider.hash(bytes).as_ref());
    digest
}

/// In constant time, whatever the compiler thinks.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits"))
    }
}

/// 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Eight digits, each as likely as any other.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_code() -> Result<String, getrandom::Error> {
    const CODES: u32 = 100_000_000;
    loop {
        let number = getrandom::u32()?;
        // The last, incomplete hundred million would make small codes likelier.
        if number < u32::MAX / CODES * CODES {
            return Ok(format!("{:08}", number % CODES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_sha_256_and_is_read_back_from_its_text() {
        let digest = Digest::of(b"abc");
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(text, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert_ne!(Digest::of(b"abd"), digest);
        for wrong in ["\"\"", "7", "\"ba78\"", "\"zz\""] {
            assert!(serde_json::from_str::<Digest>(wrong).is_err());
        }
    }

    #[test]
    fn secrets_have_128_bits_codes_eight_digits_and_they_differ() {
        let (first, second) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(first.len(), 32);
        assert_ne!(first, second);
        for _ in 0..100 {
            let code = new_code().unwrap();
            assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }
}
