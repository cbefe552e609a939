//! Whom to believe, as the cluster's authorities sign it.
//!
//! Any coordinator may hand it on, and none can change it: otherwise whoever has taken over one of them could put an authority of its own
//! beside the cluster's, or take a revocation back. A new authority is believed because the one before it said so.

use crate::authority::Authority;
use crate::trust::Trust;
use crate::{pem_text, signature};
use capstan_types::principal::{Label, Serial};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Before what is signed.
const CONTEXT: &[u8] = b"capstan trust v1\0";

/// The longest that is looked at, in bytes: the serial numbers of 100,000 certificates.
const LONGEST: usize = 4 << 20;

/// The most signatures of one: by each authority that is believed.
const SIGNATURES: u8 = 4;

/// What somebody says of whom to believe is not taken. For the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It cannot be read.
    #[error("it is no list of whom to believe")]
    Syntax,
    /// Nobody who is believed has signed it.
    #[error(
        "no authority that this process believes has signed it; an impostor sent it, or the authority was changed while this process was away: join again with a new token"
    )]
    Unsigned,
    /// It is of another cluster.
    #[error("it is of another cluster")]
    Foreign,
}

#[derive(Debug, Serialize, Deserialize)]
struct Body {
    cluster: Label,
    revision: u64,
    authorities: String,
    denied: BTreeSet<Serial>,
}

/// This trust, as these authorities sign it. None where one of them signs nothing.
#[must_use]
pub fn sign(trust: Trust, cluster: &Label, authorities: &[&Authority]) -> Option<Trust> {
    let Trust { revision, authorities: believed, denied, .. } = trust;
    let body =
        Body { cluster: cluster.clone(), revision, authorities: pem_text::certificates(&believed), denied: denied.clone() };
    let body = serde_json::to_vec(&body).ok()?;
    let mut proof = vec![u8::try_from(authorities.len()).ok().filter(|count| *count <= SIGNATURES)?];
    for authority in authorities {
        let signature = authority.sign(CONTEXT, &body)?;
        proof.push(u8::try_from(signature.len()).ok()?);
        proof.extend(signature);
    }
    proof.extend(body);
    Some(Trust { revision, authorities: believed, denied, proof: proof.into() })
}

/// Takes what was said of whom to believe in `cluster`, if one of the authorities that are believed already has signed it.
///
/// # Errors
/// See [`NotTaken`].
pub fn open(proof: &[u8], cluster: &Label, believed: &[CertificateDer<'_>]) -> Result<Trust, NotTaken> {
    let (signatures, body) = parts(proof).ok_or(NotTaken::Syntax)?;
    let signed = |authority: &CertificateDer<'_>| signatures.iter().any(|one| signature::holds(authority, CONTEXT, body, one));
    if !believed.iter().any(signed) {
        return Err(NotTaken::Unsigned);
    }
    let (trust, of) = read(body, proof).ok_or(NotTaken::Syntax)?;
    if of == *cluster { Ok(trust) } else { Err(NotTaken::Foreign) }
}

/// What this process itself has kept, which was looked at when it came.
pub(crate) fn kept(proof: &[u8]) -> Option<Trust> {
    let (_, body) = parts(proof)?;
    read(body, proof).map(|(trust, _)| trust)
}

fn parts(proof: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let (count, mut rest) = proof.split_first().filter(|(count, _)| **count <= SIGNATURES && proof.len() <= LONGEST)?;
    let mut signatures = Vec::new();
    for _ in 0..*count {
        let (length, after) = rest.split_first()?;
        let (signature, after) = after.split_at_checked(usize::from(*length))?;
        signatures.push(signature);
        rest = after;
    }
    Some((signatures, rest))
}

fn read(body: &[u8], proof: &[u8]) -> Option<(Trust, Label)> {
    let Body { cluster, revision, authorities, denied } = serde_json::from_slice(body).ok()?;
    let authorities = pem_text::read_certificates(&authorities)?;
    Some((Trust { revision, authorities, denied, proof: proof.into() }, cluster))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static THREE: LazyLock<[Authority; 3]> = LazyLock::new(|| {
        ["c1", "c1", "c2"].map(|cluster| {
            let (key, certificate) = authority::make(&cluster.parse().unwrap(), 1_800_000_000_000).unwrap();
            Authority::new(&key, certificate).unwrap()
        })
    });

    fn cluster(name: &str) -> Label {
        name.parse().unwrap()
    }

    fn believing(authorities: &[&Authority]) -> Trust {
        let authorities = authorities.iter().map(|authority| authority.certificate().clone()).collect();
        Trust { revision: 3, authorities, denied: ["a1".parse().unwrap()].into(), ..Trust::default() }
    }

    #[test]
    fn the_old_authority_vouches_for_the_new_one_and_a_stranger_for_nobody() {
        let [old, new, stranger] = &*THREE;
        let known = [old.certificate().clone()];
        let both = sign(believing(&[old, new]), &cluster("c1"), &[new, old]).unwrap();
        let heard = open(&both.proof, &cluster("c1"), &known).unwrap();
        assert_eq!(heard, both);
        assert_eq!(kept(&both.proof), Some(both));
        let alone = sign(believing(&[old, stranger]), &cluster("c1"), &[stranger]).unwrap();
        assert_eq!(open(&alone.proof, &cluster("c1"), &known), Err(NotTaken::Unsigned));
        let elsewhere = sign(believing(&[old]), &cluster("c2"), &[old]).unwrap();
        assert_eq!(open(&elsewhere.proof, &cluster("c1"), &known), Err(NotTaken::Foreign));
        // Who was away while the old one went cannot know.
        let gone = sign(believing(&[new]), &cluster("c1"), &[new]).unwrap();
        assert_eq!(open(&gone.proof, &cluster("c1"), &known), Err(NotTaken::Unsigned));
    }

    proptest! {
        #[test]
        fn a_changed_one_is_refused(at in 0..4000_usize, bit in 0..8_u8) {
            let [old, ..] = &*THREE;
            let mut proof = sign(believing(&[old]), &cluster("c1"), &[old]).unwrap().proof.to_vec();
            let at = at % proof.len();
            proof[at] ^= 1 << bit;
            prop_assert!(open(&proof, &cluster("c1"), &[old.certificate().clone()]).is_err());
        }

        #[test]
        fn any_bytes_are_looked_at_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &cluster("c1"), &[THREE[0].certificate().clone()]).is_err());
            prop_assert!(kept(&bytes).is_none());
        }
    }
}
