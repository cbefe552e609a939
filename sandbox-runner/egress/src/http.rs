//! A connection that speaks HTTP: one request, which is a tunnel or is passed on.

use crate::bounds::LONGEST_HEAD;
use crate::head;
use crate::incoming::Incoming;
use crate::proxy::Proxy;
use crate::refused::Refused;
use crate::relay;
use crate::request::{Body, Request};
use std::io::Write;
use std::net::TcpStream;

const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

pub(crate) fn serve(proxy: &Proxy, client: &TcpStream, mut incoming: Incoming<'_>) -> Result<(), Refused> {
    let reached = read(&mut incoming).and_then(|request| {
        let (Request::Connect(to) | Request::Forward { to, .. }) = &request;
        let host = proxy.reach(to)?;
        Ok((request, host))
    });
    let rest = incoming.into_rest();
    match reached {
        Err(refused) => {
            proxy.turn_away(client, &refused, &refused.http());
            Err(refused)
        }
        Ok((Request::Connect(to), host)) => {
            (&mut &*client).write_all(CONNECTED)?;
            relay::tunnel(client, &host, &to, rest, &proxy.bounds)
        }
        Ok((Request::Forward { head, body, .. }, host)) => relay::exchange(client, &host, &head, body, &rest, &proxy.bounds),
    }
}

fn read(incoming: &mut Incoming<'_>) -> Result<Request, Refused> {
    match incoming.bytes().first() {
        Some(4) => return Err(Refused::Malformed("only version 5 of SOCKS is spoken")),
        Some(22) => return Err(Refused::Malformed("TLS is not spoken to this proxy; ask it for a tunnel with CONNECT first")),
        _ => {}
    }
    let mut looked = 0;
    let length = loop {
        match head::end(incoming.bytes(), looked).map_err(Refused::Malformed)? {
            Some(length) if length <= LONGEST_HEAD => break length,
            None if incoming.bytes().len() <= LONGEST_HEAD => looked = incoming.bytes().len(),
            _ => return Err(Refused::Malformed("its head is longer than 16 KiB")),
        }
        incoming.more()?;
    };
    let request = Request::parse(&incoming.bytes()[..length]).map_err(Refused::Malformed)?;
    incoming.used(length);
    let left = u64::try_from(incoming.bytes().len()).unwrap_or(u64::MAX);
    match &request {
        Request::Forward { body: Body::Length(body), .. } if left > *body => {
            Err(Refused::Malformed("a second request on one connection is not served"))
        }
        _ => Ok(request),
    }
}
