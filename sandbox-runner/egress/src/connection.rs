//! One connection, from its first byte to its end.

use crate::http;
use crate::incoming::Incoming;
use crate::proxy::Proxy;
use crate::refused::Refused;
use crate::socks;
use crate::socks_connection;
use std::net::TcpStream;

/// Serves one client.
pub(crate) fn serve(proxy: &Proxy, client: &TcpStream) {
    if let Some(denial) = begin(proxy, client).err().and_then(|refused| refused.denial()) {
        proxy.denials.tell(denial);
    }
}

fn begin(proxy: &Proxy, client: &TcpStream) -> Result<(), Refused> {
    client.set_write_timeout(Some(proxy.bounds.idle))?;
    let mut incoming = Incoming::new(client, proxy.bounds.head);
    incoming.more()?;
    match incoming.bytes().first() {
        Some(&socks::VERSION) => socks_connection::serve(proxy, client, incoming),
        _ => http::serve(proxy, client, incoming),
    }
}
