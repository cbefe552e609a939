//! Why a client does not get what it asked for, in words for a model, in HTTP and in SOCKS.

use crate::authority::Authority;
use capstan_types::launch::Denial;
use std::io;

const NOT_LISTED: &str = "not in the list of allowed hosts";

/// A request that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The client has gone, or said nothing; nobody is there to be told.
    Gone,
    /// The request is not one, or not one that is served.
    Malformed(&'static str),
    /// No rule allows the host and port.
    NotListed(Authority),
    /// The host is allowed, and what it leads to is not.
    Forbidden(Authority, String),
    /// The host is allowed, and did not answer.
    Unreachable(Authority, String),
}

impl Refused {
    /// What the sandbox's denial is, where this is one. A host that does not answer is no denial.
    pub(crate) fn denial(&self) -> Option<Denial> {
        let connect = |to: &Authority| format!("connect to {to}");
        match self {
            Self::Gone | Self::Unreachable(..) => None,
            Self::Malformed(reason) => {
                Some(Denial { act: "send a request through the proxy".to_owned(), reason: (*reason).to_owned() })
            }
            Self::NotListed(to) => Some(Denial { act: connect(to), reason: NOT_LISTED.to_owned() }),
            Self::Forbidden(to, reason) => Some(Denial { act: connect(to), reason: reason.clone() }),
        }
    }

    /// The answer to an HTTP client; empty for nobody.
    pub(crate) fn http(&self) -> Vec<u8> {
        let (status, sentence) = match self {
            Self::Gone => return Vec::new(),
            Self::Malformed(reason) => ("400 Bad Request", format!("the request was refused: {reason}")),
            Self::NotListed(to) => ("403 Forbidden", format!("{to} is {NOT_LISTED}")),
            Self::Forbidden(to, reason) => ("403 Forbidden", format!("{to} is refused: {reason}")),
            Self::Unreachable(to, reason) => ("502 Bad Gateway", format!("{to} cannot be reached: {reason}")),
        };
        plain(status, &sentence)
    }

    /// The reply code to a SOCKS client (RFC 1928, section 6).
    pub(crate) const fn socks(&self) -> u8 {
        match self {
            Self::Gone | Self::Malformed(_) => 1,
            Self::NotListed(_) | Self::Forbidden(..) => 2,
            Self::Unreachable(..) => 4,
        }
    }
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A whole answer of one sentence, after which the connection closes.
pub(crate) fn plain(status: &str, sentence: &str) -> Vec<u8> {
    let length = sentence.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{sentence}\n"
    )
    .into_bytes()
}
