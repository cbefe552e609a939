//! Names into addresses, by whatever the host is set up to ask, and never for longer than a deadline.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Looks names up.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// There are none, or it could not be found out.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The host's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        (name, 0).to_socket_addrs().map(|found| found.map(|address: SocketAddr| address.ip()).collect())
    }
}

/// A resolver that is asked in threads of their own, because it may take longer than anybody waits.
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolve>,
    running: Arc<AtomicUsize>,
    most: usize,
}

impl Lookups {
    /// At most `most` lookups run at once; those that nobody waits for any more count.
    pub(crate) fn new(resolver: Arc<dyn Resolve>, most: usize) -> Self {
        Self { resolver, running: Arc::default(), most }
    }

    /// All addresses of a name, or why there are none.
    pub(crate) fn look_up(&self, name: &str, patience: Duration) -> Result<Vec<IpAddr>, String> {
        let place = Place(Arc::clone(&self.running));
        if place.0.fetch_add(1, Ordering::AcqRel) >= self.most {
            return Err("too many names are being looked up".to_owned());
        }
        let (resolver, wanted, (sender, answer)) = (Arc::clone(&self.resolver), name.to_owned(), mpsc::sync_channel(1));
        let ask = move || {
            let _place = place;
            // Nobody may be waiting any more.
            let _ = sender.send(resolver.resolve(&wanted));
        };
        thread::Builder::new().name("lookup".to_owned()).spawn(ask).map_err(|error| error.to_string())?;
        match answer.recv_timeout(patience) {
            Ok(Ok(found)) if found.is_empty() => Err("its name has no address".to_owned()),
            Ok(found) => found.map_err(|error| format!("its name could not be looked up ({})", error.kind())),
            Err(_) => Err("its name was not found in time".to_owned()),
        }
    }
}

struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
