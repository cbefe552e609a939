//! What all connections have in common: where they may lead, and how they are turned away.

use crate::authority::Authority;
use crate::bounds::Bounds;
use crate::denials::Denials;
use crate::destination;
use crate::refused::Refused;
use crate::resolve::Lookups;
use capstan_types::policy::HostRule;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How much a refused client may still say, and for how long, before it is closed: closing at once would take the answer away with a reset.
const LINGER: (usize, Duration) = (64 * 1024, Duration::from_secs(1));

/// All that the proxy's connections have in common.
pub(crate) struct Proxy {
    pub(crate) rules: Vec<HostRule>,
    pub(crate) lookups: Lookups,
    pub(crate) denials: Denials,
    pub(crate) bounds: Bounds,
}

impl Proxy {
    /// Checks a destination and connects to it.
    pub(crate) fn reach(&self, to: &Authority) -> Result<TcpStream, Refused> {
        let addresses = destination::checked(&self.rules, &self.lookups, to, self.bounds.connect)?;
        destination::dial(to, &addresses, self.bounds.connect)
    }

    /// Tells a client that is refused, if there is something to tell, and gives it time to hear it. Told to the holder first: a client may end with its answer.
    pub(crate) fn turn_away(&self, client: &TcpStream, refused: &Refused, answer: &[u8]) {
        if let Some(denial) = refused.denial() {
            self.denials.tell(denial);
        }
        if answer.is_empty() {
            return;
        }
        let _ = (&mut &*client).write_all(answer).and_then(|()| client.shutdown(Shutdown::Write));
        let (mut bytes, deadline) = (0, Instant::now() + LINGER.1);
        let mut piece = [0; 4096];
        while bytes < LINGER.0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || client.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match (&mut &*client).read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes += count,
            }
        }
    }
}
