//! Certificates and keys as PEM text.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// These certificates, one after the other.
#[must_use]
pub(crate) fn certificates(all: &[CertificateDer<'_>]) -> String {
    all.iter().map(|certificate| pem::encode(&pem::Pem::new("CERTIFICATE", certificate.as_ref()))).collect()
}

/// The certificates in a text; none if it holds something else that is not whole.
#[must_use]
pub(crate) fn read_certificates(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// Something else, under its tag.
#[must_use]
pub(crate) fn one(tag: &str, bytes: &[u8]) -> String {
    pem::encode(&pem::Pem::new(tag, bytes))
}

/// What stands under this tag in a text that holds nothing else.
#[must_use]
pub(crate) fn read_one(tag: &str, text: &str) -> Option<Vec<u8>> {
    pem::parse(text).ok().filter(|found| found.tag() == tag).map(pem::Pem::into_contents)
}
