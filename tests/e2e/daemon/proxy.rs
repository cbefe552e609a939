//! Stands between a client and its coordinator, and cuts their connections.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// A relay on a port of its own. Dropping it ends it.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Relays to `behind`.
    pub(super) fn before(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (open, ended): (Arc<Mutex<Vec<TcpStream>>>, Arc<AtomicBool>) = Default::default();
        let (kept, over) = (Arc::clone(&open), Arc::clone(&ended));
        let accepting = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(server) = TcpStream::connect(behind) {
                    let streams = relay(&client, &server).expect("a stream can be cloned");
                    kept.lock().expect("nobody panics with it").extend(streams);
                }
            }
        });
        Self { address, open, ended, accepting: Some(accepting) }
    }

    /// Cuts all connections; returns how many there were.
    pub(super) fn cut(&self) -> usize {
        let open: Vec<_> = self.open.lock().expect("nobody panics with it").drain(..).collect();
        open.iter().filter(|stream| stream.shutdown(Shutdown::Both).is_ok()).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        self.accepting.take().map(JoinHandle::join);
    }
}

/// Copies both ways, each in a thread that ends with its stream.
fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<[TcpStream; 2]> {
    for (from, to) in [(client, server), (server, client)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        });
    }
    Ok([client.try_clone()?, server.try_clone()?])
}
