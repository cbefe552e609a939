//! The cluster's certificate authority: makes itself, and certificates for others.
//!
//! Invariant: of a request only the public key is taken. Name, role, times and uses are the issuer's.

use crate::random::{self, NoRandom};
use crate::request::{PrivateKey, RequestError};
use capstan_types::principal::{Label, Principal};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, SerialNumber, SigningKey as _,
};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;

/// How far clocks may differ: a certificate is valid so long before it was made.
pub const SKEW: Duration = Duration::from_secs(300);

/// How long an authority is valid: ten years.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Random bytes in a serial number. Its first bit is 0, so that it is positive.
const SERIAL_BYTES: usize = 16;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The authority's own files make no sense.
    #[error("the authority's key or certificate cannot be used: {0}")]
    Unusable(rcgen::Error),
    /// What was sent is no request, or not signed by the key that it is for.
    #[error("the certificate request is not one, or is not signed by its own key")]
    Request,
    /// The library could not make it.
    #[error("the certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] RequestError),
    /// There are no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// An authority that can sign.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority([key redacted])")
    }
}

/// Makes an authority for a cluster at this moment: its key, and its certificate in DER.
///
/// # Errors
/// The system has no random numbers.
pub fn make(cluster: &Label, now_ms: u64) -> Result<(PrivateKey, CertificateDer<'static>), AuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = called(&format!("capstan {cluster}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(serial()?);
    (params.not_before, params.not_after) = validity(now_ms, AUTHORITY_LIFETIME);
    let certificate = params.self_signed(&key)?;
    Ok((PrivateKey::of_pem(key.serialize_pem()), certificate.der().clone()))
}

impl Authority {
    /// The authority with this key and certificate.
    ///
    /// # Errors
    /// One of them is none.
    pub fn new(key: &PrivateKey, certificate: CertificateDer<'static>) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key.reveal()).map_err(AuthorityError::Unusable)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(AuthorityError::Unusable)?;
        Ok(Self { certificate, issuer })
    }

    /// Its certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its signature of what is no certificate.
    pub(crate) fn sign(&self, context: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        self.issuer.key().sign(&[context, body].concat()).ok()
    }

    /// A certificate for `name` with the public key of a request, valid from `now_ms` less [`SKEW`] for `lifetime` after `now_ms`.
    ///
    /// # Errors
    /// The request is none.
    pub fn issue(
        &self,
        request: &[u8],
        name: &Principal,
        now_ms: u64,
        lifetime: Duration,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let request = CertificateSigningRequestDer::from(request);
        let mut request = CertificateSigningRequestParams::from_der(&request).map_err(|_| AuthorityError::Request)?;
        // Everything that the request said besides its key is put away here.
        request.params = CertificateParams::default();
        let params = &mut request.params;
        params.distinguished_name = called(name.id.as_str());
        let uri = name.to_string().try_into().map_err(AuthorityError::Make)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(serial()?);
        (params.not_before, params.not_after) = validity(now_ms, lifetime);
        Ok(request.signed_by(&self.issuer)?.der().clone())
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = random::bytes::<SERIAL_BYTES>()?;
    // Positive, and of full length whatever comes.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Whole seconds, as certificates have them: rounded down, and up.
fn validity(now_ms: u64, lifetime: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let from = (now_ms / 1000).saturating_sub(SKEW.as_secs());
    let until = now_ms.saturating_add(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX)).div_ceil(1000);
    (moment(from), moment(until))
}

fn moment(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    // The last second of the year 9999, past which certificates have no time.
    OffsetDateTime::from_unix_timestamp(seconds.min(253_402_300_799)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{certificate, request};

    const NOW: u64 = 1_800_000_000_000;

    fn authority() -> Authority {
        let (key, certificate) = make(&"c1".parse().unwrap(), NOW).unwrap();
        Authority::new(&key, certificate).unwrap()
    }

    #[test]
    fn the_issuer_decides_who_a_request_is_for() {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut wanted = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        wanted.subject_alt_names.push(SanType::URI("capstan://c1/coordinator/root".try_into().unwrap()));
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let wanted = wanted.serialize_request(&key).unwrap();
        let name: Principal = "capstan://c1/node/n1".parse().unwrap();
        let issued = authority().issue(wanted.der(), &name, NOW, Duration::from_secs(60)).unwrap();
        let read = certificate::read(&issued).unwrap();
        assert_eq!((read.name, read.not_after_ms), (name, NOW + 60_000));
        let text = String::from_utf8_lossy(&issued).into_owned();
        assert!(!text.contains("evil") && !text.contains("root"), "a name of the request is in the certificate");
    }

    #[test]
    fn a_request_that_another_key_signed_is_refused() {
        let (_, mut request) = request::make().unwrap();
        let name: Principal = "capstan://c1/node/n1".parse().unwrap();
        let last = request.len() - 1;
        request[last] ^= 1;
        let refused = authority().issue(&request, &name, NOW, Duration::from_secs(60)).unwrap_err();
        assert!(matches!(refused, AuthorityError::Request), "{refused}");
        assert!(authority().issue(b"nonsense", &name, NOW, Duration::from_secs(60)).is_err());
    }

    #[test]
    fn serial_numbers_differ_and_keys_are_not_printed() {
        let authority = authority();
        let name: Principal = "capstan://c1/client/me".parse().unwrap();
        let (key, request) = request::make().unwrap();
        let issue = || certificate::read(&authority.issue(&request, &name, NOW, Duration::from_secs(60)).unwrap()).unwrap();
        assert_ne!(issue().serial, issue().serial);
        assert_eq!(
            (format!("{key:?}"), format!("{authority:?}")),
            ("PrivateKey([redacted])".into(), "Authority([key redacted])".into())
        );
    }
}
