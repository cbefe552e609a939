//! What a process sends to be given a certificate: its public key, signed by the private one, which stays.

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use std::fmt;

/// A private key, as PEM. Its value is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(String);

impl PrivateKey {
    /// The key in this text, which is not looked at.
    #[must_use]
    pub const fn of_pem(pem: String) -> Self {
        Self(pem)
    }

    /// The key's text, for the file that keeps it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

/// A key could not be made.
#[derive(Debug, thiserror::Error)]
#[error("a key could not be made: {0}")]
pub struct RequestError(#[from] rcgen::Error);

/// A fresh key, and the request for its certificate in DER. The request names nobody: its issuer decides who it is for.
///
/// # Errors
/// The system has no random numbers.
pub fn make() -> Result<(PrivateKey, Vec<u8>), RequestError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let request = CertificateParams::default().serialize_request(&key)?;
    Ok((PrivateKey(key.serialize_pem()), request.der().to_vec()))
}
