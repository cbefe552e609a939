//! TCP between members of a cluster: TLS 1.3, both sides known by their certificates.

mod connect;
mod incoming;
mod told;

pub use connect::{newcomers_channel, secured_channel, try_out};
pub use incoming::{Caller, Secured, TlsIncoming};
pub use told::why_not;

use std::time::Duration;

/// The longest a handshake may take, with the connection under it.
const HANDSHAKE: Duration = Duration::from_secs(5);
