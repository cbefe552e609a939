//! The host's sockets and a terminal of somebody else: whatever arrives there came out of the sandbox.

use portable_pty::{MasterPty, PtySize, SlavePty, native_pty_system};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// Opened for one arena.
pub(crate) struct Listeners {
    tcp: TcpListener,
    tcp6: Option<TcpListener>,
    udp: UdpSocket,
    streams: Vec<(&'static str, UnixListener)>,
    datagrams: Vec<(&'static str, UnixDatagram)>,
    terminal: Box<dyn MasterPty + Send>,
    _slave: Box<dyn SlavePty + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").finish_non_exhaustive()
    }
}

impl Listeners {
    /// Opens all of them; the terminal is given to `user`.
    pub(crate) fn open(out: &Path, tag: &str, user: Option<u32>) -> Self {
        let abstract_name = |kind: &str| SocketAddr::from_abstract_name(format!("capstan-{kind}-{tag}")).expect("a short name");
        let pair = native_pty_system().openpty(PtySize::default()).expect("this machine has terminals");
        let name = pair.master.tty_name().expect("a terminal has a name");
        if user.is_some() {
            std::os::unix::fs::chown(name, user, None).expect("root may give it away");
        }
        let listeners = Self {
            tcp: TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("the loopback is up"),
            tcp6: TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok(),
            udp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback is up"),
            streams: vec![
                ("abstract stream", UnixListener::bind_addr(&abstract_name("s")).expect("a free name")),
                ("docker.sock", UnixListener::bind(out.join("docker.sock")).expect("a free name")),
                ("agent.sock", UnixListener::bind(out.join("agent.sock")).expect("a free name")),
            ],
            datagrams: vec![
                ("abstract datagram", UnixDatagram::bind_addr(&abstract_name("d")).expect("a free name")),
                ("log.sock", UnixDatagram::bind(out.join("log.sock")).expect("a free name")),
            ],
            shown: Arc::default(),
            terminal: pair.master,
            _slave: pair.slave,
        };
        listeners.unblock();
        listeners.read_terminal();
        listeners
    }

    fn unblock(&self) {
        let all = [self.tcp.set_nonblocking(true), self.udp.set_nonblocking(true)];
        let streams = self.streams.iter().map(|(_, socket)| socket.set_nonblocking(true));
        let datagrams = self.datagrams.iter().map(|(_, socket)| socket.set_nonblocking(true));
        let six = self.tcp6.iter().map(|socket| socket.set_nonblocking(true));
        all.into_iter().chain(streams).chain(datagrams).chain(six).for_each(|done| done.expect("a socket can be set"));
    }

    /// The reader ends with the terminal, which ends when both sides are dropped.
    fn read_terminal(&self) {
        let mut reader = self.terminal.try_clone_reader().expect("a terminal can be read");
        let shown = Arc::clone(&self.shown);
        thread::spawn(move || {
            let mut bytes = [0; 256];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                shown.lock().expect("nobody panics with it").extend_from_slice(&bytes[..count]);
            }
        });
    }

    /// Where they are.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let port = |listener: &TcpListener| listener.local_addr().map_or(0, |address| address.port()).to_string();
        let udp = self.udp.local_addr().map_or(0, |address| address.port()).to_string();
        let name = self.terminal.tty_name().map(|name| name.display().to_string()).unwrap_or_default();
        let device = std::fs::metadata("/dev/pts").map_or(0, |about| about.dev()).to_string();
        let tcp6 = self.tcp6.as_ref().map_or_else(|| "1".to_owned(), port);
        vec![("TCP", port(&self.tcp)), ("TCP6", tcp6), ("UDP", udp), ("PTS", name), ("PTSDEV", device)]
    }

    /// What was reached since the last look.
    pub(crate) fn reached(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut see = |name: &str, reached: bool| {
            if reached {
                found.push(format!("the host's {name} was reached"));
            }
        };
        see("TCP port", came(self.tcp.accept()));
        see("TCP port over IPv6", self.tcp6.as_ref().is_some_and(|listener| came(listener.accept())));
        see("UDP port", came(self.udp.recv(&mut [0; 64])));
        self.streams.iter().for_each(|(name, listener)| see(name, came(listener.accept())));
        self.datagrams.iter().for_each(|(name, socket)| see(name, came(socket.recv(&mut [0; 64]))));
        let shown = String::from_utf8_lossy(&self.shown.lock().expect("nobody panics with it")).into_owned();
        see("other terminal", shown.contains("HOSTILE"));
        found
    }
}

fn came<T>(answer: std::io::Result<T>) -> bool {
    !matches!(answer, Err(error) if error.kind() == ErrorKind::WouldBlock)
}
