//! Grants as they travel: signed by the key of the certificate that their holder connects with.
//!
//! A node has just checked that certificate, so there is no second key to hand out, to renew and to lose; and a coordinator that is
//! taken over can sign for itself alone.

use crate::credentials::Credentials;
use crate::signature;
use capstan_types::grant::{Grant, GrantRefusal};
use rustls_pki_types::CertificateDer;

/// Before what is signed, so that no signature of a handshake can stand for one of a grant.
const CONTEXT: &[u8] = b"capstan grant v1\0";

/// The longest grant that is looked at, in bytes. One has a few hundred.
const LONGEST: usize = 4096;

/// The key cannot sign grants. For the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this process's key cannot sign grants; use a key of the kind Ed25519 or ECDSA P-256")]
pub struct CannotSign;

/// A grant with its signature, as a request carries it.
///
/// # Errors
/// The key is of a kind that signs none.
pub fn sign(grant: &Grant, credentials: &Credentials) -> Result<Vec<u8>, CannotSign> {
    let body = serde_json::to_vec(grant).map_err(|_| CannotSign)?;
    let signature = signature::sign(credentials.certified().key.as_ref(), CONTEXT, &body).ok_or(CannotSign)?;
    let length = u8::try_from(signature.len()).map_err(|_| CannotSign)?;
    Ok([&[length][..], &signature, &body].concat())
}

/// The grant in these bytes, if the key of this certificate signed it.
///
/// # Errors
/// [`GrantRefusal::Signature`].
pub fn open(bytes: &[u8], leaf: &CertificateDer<'_>) -> Result<Grant, GrantRefusal> {
    let refused = || GrantRefusal::Signature;
    let (length, rest) = bytes.split_first().filter(|_| bytes.len() <= LONGEST).ok_or_else(refused)?;
    let (signature, body) = rest.split_at_checked(usize::from(*length)).ok_or_else(refused)?;
    if !signature::holds(leaf, CONTEXT, body, signature) {
        return Err(refused());
    }
    serde_json::from_slice(body).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authority, request};
    use capstan_types::grant::Act;
    use capstan_types::id::{Attempt, CallId, Epoch, Generation, ThreadId};
    use proptest::prelude::*;
    use std::sync::LazyLock;
    use std::time::Duration;

    static TWO: LazyLock<[Credentials; 2]> = LazyLock::new(|| {
        let (key, certificate) = authority::make(&"c1".parse().unwrap(), 1_800_000_000_000).unwrap();
        let authority = authority::Authority::new(&key, certificate).unwrap();
        ["a", "b"].map(|id| {
            let (key, request) = request::make().unwrap();
            let name = format!("capstan://c1/coordinator/{id}").parse().unwrap();
            let leaf = authority.issue(&request, &name, 1_800_000_000_000, Duration::from_secs(60)).unwrap();
            Credentials::new(key, vec![leaf]).unwrap()
        })
    });

    fn grant() -> Grant {
        Grant {
            thread: ThreadId::from_u128(1),
            node: "n1".parse().unwrap(),
            generation: Generation(2),
            epoch: Epoch(3),
            act: Act::Start(CallId::from_u128(4), Attempt(1)),
            policy: None,
            not_after_ms: 5,
            holder: TWO[0].own().thumbprint,
        }
    }

    #[test]
    fn only_its_signers_certificate_opens_a_grant() {
        let signed = sign(&grant(), &TWO[0]).unwrap();
        assert_eq!(open(&signed, &TWO[0].chain()[0]), Ok(grant()));
        assert_eq!(open(&signed, &TWO[1].chain()[0]), Err(GrantRefusal::Signature));
        assert_eq!(open(&[], &TWO[0].chain()[0]), Err(GrantRefusal::Signature));
    }

    #[test]
    fn a_grant_costs_little() {
        let (began, rounds) = (std::time::Instant::now(), 200);
        for _ in 0..rounds {
            open(&sign(&grant(), &TWO[0]).unwrap(), &TWO[0].chain()[0]).unwrap();
        }
        // Generous, since tests are built without optimisation beside others; what it is really is in the report of a benchmark.
        assert!(began.elapsed() / rounds < Duration::from_millis(10), "{:?}", began.elapsed() / rounds);
    }

    proptest! {
        #[test]
        fn a_changed_grant_is_refused(at in 0..200_usize, bit in 0..8_u8) {
            let mut signed = sign(&grant(), &TWO[0]).unwrap();
            let at = at % signed.len();
            signed[at] ^= 1 << bit;
            prop_assert_eq!(open(&signed, &TWO[0].chain()[0]), Err(GrantRefusal::Signature));
        }

        #[test]
        fn any_bytes_are_looked_at_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &TWO[0].chain()[0]).is_err());
        }
    }
}
