//! Bytes between a client and a host, both ways at once, until both have ended or neither says anything.

use crate::authority::Authority;
use crate::body;
use crate::bounds::Bounds;
use crate::client_hello::{Look, server_name};
use crate::incoming::Incoming;
use crate::refused::Refused;
use crate::request::Body;
use capstan_types::policy::Host;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const PIECE: usize = 16 * 1024;
/// The port on which a tunnel must carry TLS.
const HTTPS: u16 = 443;
/// The first byte of TLS.
const TLS: u8 = 22;
/// A fatal alert: the name is not recognised (RFC 6066, section 3).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 1, 0, 2, 2, 112];

/// The two ends, and when one of them last said something.
struct Pair<'a> {
    client: &'a TcpStream,
    host: &'a TcpStream,
    heard: Mutex<Instant>,
    idle: Duration,
}

impl Pair<'_> {
    /// Reads from one end. One that is silent while the other speaks is waited for.
    fn read(&self, mut from: &TcpStream, piece: &mut [u8]) -> io::Result<usize> {
        loop {
            let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let left = self.idle.saturating_sub(heard.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            from.set_read_timeout(Some(left))?;
            match from.read(piece) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                    return result;
                }
            }
        }
    }

    /// Copies until the end, and passes the end on.
    fn pump(&self, from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            match self.read(from, &mut piece)? {
                0 => return to.shutdown(Shutdown::Write),
                count => to.write_all(&piece[..count])?,
            }
        }
    }

    /// Runs `upstream` here and what comes back beside it. Whatever fails ends both ways.
    fn both_ways<T>(&self, upstream: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
        let ended = |failed: bool| {
            if failed {
                let _ = (self.client.shutdown(Shutdown::Both), self.host.shutdown(Shutdown::Both));
            }
        };
        thread::scope(|scope| {
            let back = || ended(self.pump(self.host, self.client).is_err());
            let started = thread::Builder::new().name("answer".to_owned()).stack_size(128 * 1024).spawn_scoped(scope, back);
            let result = started.map_err(Refused::from).and_then(|_| upstream());
            ended(result.is_err());
            result
        })
    }
}

fn pair<'a>(client: &'a TcpStream, host: &'a TcpStream, bounds: &Bounds) -> Result<Pair<'a>, Refused> {
    for stream in [client, host] {
        stream.set_write_timeout(Some(bounds.idle))?;
        stream.set_nodelay(true)?;
    }
    Ok(Pair { client, host, heard: Mutex::new(Instant::now()), idle: bounds.idle })
}

/// A tunnel to `to`. `early` is what the client has said already. TLS in it must be meant for the host that the tunnel was asked for.
pub(crate) fn tunnel(
    client: &TcpStream,
    host: &TcpStream,
    to: &Authority,
    early: Vec<u8>,
    bounds: &Bounds,
) -> Result<(), Refused> {
    let pair = pair(client, host, bounds)?;
    pair.both_ways(|| {
        let mut first = early;
        if first.is_empty() {
            first.resize(PIECE, 0);
            let count = pair.read(client, &mut first)?;
            first.truncate(count);
        }
        if to.port == HTTPS && !first.is_empty() || first.first() == Some(&TLS) {
            let mut incoming = Incoming::resume(client, first, bounds.head);
            if let Err(refused) = meant_for(to, &mut incoming) {
                let _ = (&mut &*client).write_all(&UNRECOGNIZED_NAME);
                return Err(refused);
            }
            first = incoming.into_rest();
        }
        (&mut &*host).write_all(&first)?;
        Ok(pair.pump(client, host)?)
    })
}

/// Whether the first message of TLS names the host of the tunnel, or none.
fn meant_for(to: &Authority, incoming: &mut Incoming<'_>) -> Result<(), Refused> {
    let forbidden = |reason: &str| Refused::Forbidden(to.clone(), reason.to_owned());
    loop {
        match server_name(incoming.bytes()).map_err(forbidden)? {
            Look::Incomplete => incoming.more()?,
            Look::Nameless => return Ok(()),
            Look::Named(name) if name.parse::<Host>().as_ref() == Ok(&to.host) => return Ok(()),
            Look::Named(_) => return Err(forbidden("TLS within the tunnel names another host (SNI)")),
        }
    }
}

/// One request with its body to `host`, and its answer back. What the client says behind its body is not passed on.
pub(crate) fn exchange(
    client: &TcpStream,
    host: &TcpStream,
    head: &[u8],
    body: Body,
    early: &[u8],
    bounds: &Bounds,
) -> Result<(), Refused> {
    let pair = pair(client, host, bounds)?;
    pair.both_ways(|| {
        (&mut &*host).write_all(head)?;
        let mut from = BufReader::with_capacity(PIECE, early.chain(ClientBytes { pair: &pair }));
        Ok(body::copy(body, &mut from, &mut &*host)?)
    })
}

/// The client of a pair as a reader.
struct ClientBytes<'a> {
    pair: &'a Pair<'a>,
}

impl Read for ClientBytes<'_> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.pair.read(self.pair.client, piece)
    }
}

#[cfg(test)]
mod tests;
