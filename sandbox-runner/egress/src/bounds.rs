//! How much and how long: every queue and every wait of the proxy.

use std::time::Duration;

/// The longest head of a request, in bytes.
pub(crate) const LONGEST_HEAD: usize = 16 * 1024;
/// The most bytes in which the first message of TLS must end.
pub(crate) const LONGEST_HELLO: usize = 16 * 1024;
/// The most addresses of one name that are tried. All of them are checked.
pub(crate) const MOST_TRIED: usize = 8;

/// What the proxy grants its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most connections at once. One more waits for [`Bounds::patience`], and is then answered with 503.
    pub connections: usize,
    /// How long a connection waits for its turn. Nobody else is let in meanwhile; the listener's backlog holds them.
    pub patience: Duration,
    /// How long a client may take for the head of its request, and again for the first message of TLS.
    pub head: Duration,
    /// How long a name may take to be looked up, and again a host to answer.
    pub connect: Duration,
    /// How long neither side may say anything.
    pub idle: Duration,
}

impl Default for Bounds {
    /// 64 connections; 2 seconds of patience; 10 seconds for a head, and to connect; 5 minutes idle.
    fn default() -> Self {
        Self {
            connections: 64,
            patience: Duration::from_secs(2),
            head: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(300),
        }
    }
}
