//! TLS 1.3 between the members of a cluster: who is believed, on both sides.
//!
//! A configuration is made for one connection, so that it knows the newest credentials and trust, and holds who was refused. Sessions are
//! never resumed: a resumed one would not be asked for its certificate again.

mod client;
mod member;
mod refused;
mod server;

pub use client::{Expected, client_config, dial_config, pinned_config};
pub use refused::{Refused, RefusedSlot, alerted};
pub use server::{Callers, server_config};

use rustls::crypto::{CryptoProvider, ring};
use std::sync::Arc;

/// What the ones who speak HTTP/2 say so by.
const ALPN: &[u8] = b"h2";

/// What a node says that has called in order to be asked.
const DIAL_OUT: &[u8] = b"capstan-dial-out/1";

/// Whether this is the protocol of a node that has called in order to be asked.
#[must_use]
pub fn is_dial_out(protocol: Option<&[u8]>) -> bool {
    protocol == Some(DIAL_OUT)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod tests;
