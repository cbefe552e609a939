//! TCP between members of a cluster: TLS 1.3, both sides known by their certificates.

mod caller;
mod connect;
mod dialed;
mod incoming;
mod told;

pub use caller::Caller;
pub use connect::{dial, newcomers_channel, secured_channel, try_out};
pub use dialed::DialedIn;
pub use incoming::{Secured, TlsIncoming};
pub use told::why_not;

use super::breakable::Break;
use capstan_identity::live::Live;
use capstan_types::principal::Serial;
use std::time::Duration;

/// The longest a handshake may take, with the connection under it.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Breaks a connection when the certificate at its other end is taken back, whichever end that is.
fn denied(live: Live, serial: Serial) -> Break {
    Box::pin(async move {
        live.denied(&serial).await;
        "the certificate at the other end was revoked"
    })
}
