//! Why a certificate was not believed, in words that say what to do.

use crate::certificate;
use capstan_types::principal::{Peer, Principal};
use rustls::{CertificateError, Error};
use rustls_pki_types::CertificateDer;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Somebody was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refused {
    /// What their certificate said, if it could be read. It is not to be trusted.
    pub peer: Option<Peer>,
    /// Why, and what to do.
    pub sentence: String,
}

/// Where a verifier leaves whom it refused, for whoever made the connection.
#[derive(Debug, Clone, Default)]
pub struct RefusedSlot(Arc<Mutex<Option<Refused>>>);

impl RefusedSlot {
    /// Who was refused, if anybody was.
    #[must_use]
    pub fn take(&self) -> Option<Refused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes the refusal of a certificate, and returns the error that the other side is told by.
    pub(super) fn refuse(&self, leaf: &CertificateDer<'_>, sentence: String, error: CertificateError) -> Error {
        let refused = Refused { peer: certificate::read(leaf).ok(), sentence };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        Error::InvalidCertificate(error)
    }
}

/// The sentence about a certificate that the authorities' signatures, or its times, speak against.
pub(super) fn sentence(leaf: &CertificateDer<'_>, error: &Error, now_ms: u64) -> String {
    let now = moment(now_ms);
    let (from, until) =
        certificate::validity(leaf).map_or_else(|_| <_>::default(), |(from, until)| (moment(from), moment(until)));
    match error {
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => format!(
            "its certificate is valid from {from} on, and it is {now} by this host's clock; set the clocks of both hosts, then try again"
        ),
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => format!(
            "its certificate was valid until {until}, and it is {now} by this host's clock; set the clocks of both hosts, or have it join again with a new token"
        ),
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "its certificate was not made by this cluster's authority; it is of another cluster, or an impostor".to_owned()
        }
        other => format!("its certificate is not believed: {other}"),
    }
}

/// The sentence about somebody who proved to be another.
pub(super) fn another(is: &Principal, wanted: &str) -> String {
    format!("it proved to be `{is}`, and not {wanted}; the address is wrong, or another process has taken it")
}

/// What the other side's alert says of our own certificate, if it is about that. Several libraries hand on an alert's text and not its
/// value, so it is looked for in the text of an error.
#[must_use]
pub fn alerted(error: &str) -> Option<&'static str> {
    let (_, alert) = error.split_once("AlertReceived(").or_else(|| error.split_once("fatal alert: "))?;
    let alert = alert.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    match alert {
        "CertificateExpired" => Some(
            "it does not take this process's certificate: that has expired, or is not valid yet by its clock; set the clocks of both hosts, or join again with a new token",
        ),
        "CertificateRevoked" => {
            Some("it does not take this process's certificate: that was revoked; join again with a new token")
        }
        "UnknownCA" | "DecryptError" => {
            Some("it does not take this process's certificate: that is of another cluster; join this one with a token of it")
        }
        "CertificateRequired" => {
            Some("it lets in only members of its cluster; join with a token first: `capstan cluster join TOKEN ADDR`")
        }
        "AccessDenied" | "BadCertificate" | "CertificateUnknown" => {
            Some("it does not take this process's certificate; its audit log says why")
        }
        _ => None,
    }
}

/// A moment as people read it, to the second.
fn moment(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else { return format!("{seconds} s after 1970") };
    let mut text = String::new();
    let (month, day) = (u8::from(at.month()), at.day());
    let _ = write!(text, "{}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", at.year(), at.hour(), at.minute(), at.second());
    text
}
