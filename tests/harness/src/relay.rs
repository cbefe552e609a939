//! A way between two processes that can be cut: a Unix socket that passes everything on to another one.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long to wait before the next look for somebody who connects.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Passes on what comes, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    /// Both ends of every connection that was made.
    open: Mutex<Vec<UnixStream>>,
}

impl Relay {
    /// Listens at `path`, and passes on to `to`, which need not be there yet: who connects meanwhile is turned away.
    ///
    /// # Panics
    /// When the socket cannot be made.
    #[must_use]
    pub fn start(path: &Path, to: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket can be bound");
        // Whose directory may be gone before the relay is.
        listener.set_nonblocking(true).expect("a socket need not wait");
        let shared = Arc::new(Shared::default());
        let (of_thread, to) = (Arc::clone(&shared), to.to_owned());
        let accepting = std::thread::spawn(move || {
            while !of_thread.over.load(Ordering::SeqCst) {
                match listener.accept().map(|(from, _)| (from, UnixStream::connect(&to))) {
                    Ok((from, Ok(to))) => of_thread.join(&from, &to),
                    Ok((_, Err(_))) => {}
                    Err(_) => std::thread::sleep(BETWEEN_LOOKS),
                }
            }
        });
        Self { shared, accepting: Some(accepting) }
    }

    /// Cuts every connection there is. New ones can be made.
    pub fn cut(&self) {
        self.shared.cut();
    }
}

impl Shared {
    fn join(&self, from: &UnixStream, to: &UnixStream) {
        if from.set_nonblocking(false).is_err() {
            return;
        }
        let copies = || Ok::<_, std::io::Error>([from.try_clone()?, to.try_clone()?]);
        let (Ok(forth), Ok(back), Ok(kept)) = (copies(), copies(), copies()) else { return };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
        let [from, to] = forth;
        std::thread::spawn(move || pass(from, to));
        let [from, to] = back;
        std::thread::spawn(move || pass(to, from));
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Ends with either side; the threads that do this end with the connection, which the relay's end cuts.
fn pass(mut from: UnixStream, mut to: UnixStream) {
    let mut part = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut part) {
        if to.write_all(&part[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.shared.cut();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (tempfile::TempDir, UnixListener, Relay) {
        let dir = tempfile::tempdir().unwrap();
        let far = UnixListener::bind(dir.path().join("far")).unwrap();
        let relay = Relay::start(&dir.path().join("near"), &dir.path().join("far"));
        (dir, far, relay)
    }

    #[test]
    fn what_is_said_on_one_side_is_heard_on_the_other_until_the_way_is_cut() {
        let (dir, far, relay) = pair();
        let mut near = UnixStream::connect(dir.path().join("near")).unwrap();
        near.write_all(b"there").unwrap();
        let (mut there, _) = far.accept().unwrap();
        let mut heard = [0; 5];
        there.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"there");
        there.write_all(b"back!").unwrap();
        near.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"back!");
        relay.cut();
        assert_eq!(near.read(&mut heard).unwrap_or(0), 0);
        assert_eq!(there.read(&mut heard).unwrap_or(0), 0);
        let mut again = UnixStream::connect(dir.path().join("near")).unwrap();
        again.write_all(b"x").unwrap();
        far.accept().unwrap();
    }

    #[test]
    fn nobody_on_the_far_side_is_a_connection_that_ends() {
        let (dir, far, _relay) = pair();
        drop(far);
        std::fs::remove_file(dir.path().join("far")).unwrap();
        let mut near = UnixStream::connect(dir.path().join("near")).unwrap();
        assert_eq!(near.read(&mut [0]).unwrap_or(0), 0);
    }
}
