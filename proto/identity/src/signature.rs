//! Signatures by the keys of certificates, over what is not TLS. Each kind of thing that is signed has its own word before it, so that no
//! signature of one kind, or of a handshake, can stand for one of another.

use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The kinds of keys that sign.
const SCHEMES: [SignatureScheme; 2] = [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256];

/// The signature of this body; none where the key is of a kind that signs nothing here.
pub(crate) fn sign(key: &dyn SigningKey, context: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    key.choose_scheme(&SCHEMES)?.sign(&[context, body].concat()).ok()
}

/// Whether the key of this certificate signed this body.
pub(crate) fn holds(certificate: &CertificateDer<'_>, context: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
    let message = [context, body].concat();
    let algorithms = [webpki::ring::ED25519, webpki::ring::ECDSA_P256_SHA256];
    algorithms.iter().any(|algorithm| certificate.verify_signature(*algorithm, &message, signature).is_ok())
}
