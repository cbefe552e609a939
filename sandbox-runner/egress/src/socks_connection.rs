//! A connection that speaks SOCKS5.

use crate::authority::Authority;
use crate::incoming::Incoming;
use crate::proxy::Proxy;
use crate::refused::Refused;
use crate::relay;
use crate::socks::{self, Read, Wrong};
use std::io::Write;
use std::net::TcpStream;

pub(crate) fn serve(proxy: &Proxy, client: &TcpStream, mut incoming: Incoming<'_>) -> Result<(), Refused> {
    let turned_away = |wrong: Wrong, answer: &[u8]| {
        let refused = Refused::Malformed(wrong.reason);
        proxy.turn_away(client, &refused, answer);
        refused
    };
    take(&mut incoming, socks::greeting)?.map_err(|wrong| turned_away(wrong, &socks::NO_METHOD))?;
    (&mut &*client).write_all(&socks::GREETED)?;
    let to = take(&mut incoming, socks::request)?.map_err(|wrong| turned_away(wrong, &socks::reply(wrong.code)))?;
    let host = reach(proxy, client, &to)?;
    (&mut &*client).write_all(&socks::reply(0))?;
    relay::tunnel(client, &host, &to, incoming.into_rest(), &proxy.bounds)
}

fn reach(proxy: &Proxy, client: &TcpStream, to: &Authority) -> Result<TcpStream, Refused> {
    proxy.reach(to).inspect_err(|refused| proxy.turn_away(client, refused, &socks::reply(refused.socks())))
}

/// Reads until `read` has what it wants or refuses it. What it reads is bounded by its own length fields, of one byte each.
fn take<T>(incoming: &mut Incoming<'_>, read: impl Fn(&[u8]) -> Result<Read<T>, Wrong>) -> Result<Result<T, Wrong>, Refused> {
    loop {
        match read(incoming.bytes()) {
            Ok(Read::Incomplete) => incoming.more()?,
            Ok(Read::Complete(value, length)) => {
                incoming.used(length);
                return Ok(Ok(value));
            }
            Err(wrong) => return Ok(Err(wrong)),
        }
    }
}
