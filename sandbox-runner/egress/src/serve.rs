//! The proxy's main loop: lets clients in, one thread each, as many as its bounds allow.

use crate::bounds::Bounds;
use crate::connection;
use crate::denials::Denials;
use crate::proxy::Proxy;
use crate::refused::plain;
use crate::resolve::{Lookups, Resolve, SystemResolver};
use capstan_types::launch::Denial;
use capstan_types::policy::HostRule;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The stack of a connection's thread, in bytes. Names are looked up in threads of the usual size, for C libraries want more.
const STACK: usize = 256 * 1024;
/// The pause after the host has run out of something, before the next client is let in.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `listener` for ever by the host's own resolver. Every refusal is told to `report` once, and a bounded number of them.
///
/// # Errors
/// The listener cannot be used any more.
pub fn serve(
    listener: &TcpListener,
    rules: Vec<HostRule>,
    report: impl Fn(Denial) + Send + Sync + 'static,
    bounds: Bounds,
) -> io::Result<Infallible> {
    serve_with(listener, rules, SystemResolver, report, bounds)
}

/// As [`serve`], and looks names up in `resolver`.
///
/// # Errors
/// The listener cannot be used any more.
pub fn serve_with(
    listener: &TcpListener,
    rules: Vec<HostRule>,
    resolver: impl Resolve,
    report: impl Fn(Denial) + Send + Sync + 'static,
    bounds: Bounds,
) -> io::Result<Infallible> {
    let lookups = Lookups::new(Arc::new(resolver), bounds.connections);
    let proxy = Arc::new(Proxy { rules, lookups, denials: Denials::new(report), bounds });
    let places = Arc::new(Places { free: Mutex::new(bounds.connections), freed: Condvar::new() });
    loop {
        match listener.accept() {
            Ok((client, _)) => admit(&proxy, &places, client),
            Err(error) if is_passing(&error) => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
}

/// Whether the next accept may do better: a client that has gone again, or a host out of descriptors or memory.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EINTR
                | libc::ECONNABORTED
                | libc::EPROTO
                | libc::EMFILE
                | libc::ENFILE
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::EPERM
        )
    )
}

fn admit(proxy: &Arc<Proxy>, places: &Arc<Places>, client: TcpStream) {
    let Some(place) = Places::take(places, proxy.bounds.patience) else {
        let _ = client.set_nonblocking(true);
        let _ = (&client).write_all(&plain("503 Service Unavailable", "the proxy has as many connections as it may; try again"));
        return;
    };
    let proxy = Arc::clone(proxy);
    let serve = move || {
        let _place = place;
        connection::serve(&proxy, &client);
    };
    // Without a thread the client is closed; there is nothing else to be done for it.
    let _ = thread::Builder::new().name("client".to_owned()).stack_size(STACK).spawn(serve);
}

/// How many more connections there may be.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn take(places: &Arc<Self>, patience: Duration) -> Option<Place> {
        let free = places.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = places.freed.wait_timeout_while(free, patience, |free| *free == 0);
        let (mut free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Place(Arc::clone(places)))
    }
}

struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
