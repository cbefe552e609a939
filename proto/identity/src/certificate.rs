//! What a certificate says. Whether it is to be believed is the business of [`crate::tls`].

use capstan_types::output::digest::Digest;
use capstan_types::principal::{Peer, Principal, Serial};
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// A certificate that cannot be that of a process of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is no certificate.
    #[error("it is not an X.509 certificate")]
    Syntax,
    /// It names nobody, or more than one.
    #[error("it does not carry one name of the form capstan://CLUSTER/ROLE/ID")]
    Name,
}

/// A certificate's name, number, digest and last moment.
///
/// # Errors
/// It is none, or it does not carry exactly one name of the cluster's form.
pub fn read(der: &[u8]) -> Result<Peer, CertificateError> {
    let certificate = parse(der)?;
    let extension =
        certificate.subject_alternative_name().map_err(|_| CertificateError::Syntax)?.ok_or(CertificateError::Name)?;
    let names: Vec<Principal> = extension.value.general_names.iter().filter_map(principal).collect();
    let [name] = <[Principal; 1]>::try_from(names).map_err(|_| CertificateError::Name)?;
    Ok(Peer {
        name,
        serial: Serial::of_bytes(certificate.raw_serial()),
        thumbprint: digest(der),
        not_after_ms: milliseconds(certificate.validity().not_after.timestamp()),
    })
}

/// From when and until when a certificate is valid, in milliseconds since 1970.
///
/// # Errors
/// It is none.
pub fn validity(der: &[u8]) -> Result<(u64, u64), CertificateError> {
    let certificate = parse(der)?;
    let validity = certificate.validity();
    Ok((milliseconds(validity.not_before.timestamp()), milliseconds(validity.not_after.timestamp())))
}

/// The digest of a certificate's public key with its algorithm, which join tokens pin.
///
/// # Errors
/// It is none.
pub fn pin(der: &[u8]) -> Result<Digest, CertificateError> {
    parse(der).map(|certificate| digest(certificate.public_key().raw))
}

/// The SHA-256 of these bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) | Err(_) => Err(CertificateError::Syntax),
    }
}

fn principal(name: &GeneralName<'_>) -> Option<Principal> {
    match name {
        GeneralName::URI(uri) => uri.parse().ok(),
        _ => None,
    }
}

fn milliseconds(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}
