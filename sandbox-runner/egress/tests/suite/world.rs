//! A proxy that serves, a host behind it that keeps what it hears, and names that lead where a test says.

use capstan_egress::{Bounds, Resolve, serve_with};
use capstan_types::launch::Denial;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Leads every name to the same addresses; each answer is given once, the last one for ever.
pub(crate) struct Names(Vec<Vec<IpAddr>>, Arc<AtomicUsize>);

impl Resolve for Names {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let at = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0[at.min(self.0.len() - 1)].clone())
    }
}

pub(crate) struct World {
    pub(crate) proxy: SocketAddr,
    pub(crate) denials: mpsc::Receiver<Denial>,
    pub(crate) asked: Arc<AtomicUsize>,
}

/// A proxy with these rules, where all names lead to 127.0.0.1.
pub(crate) fn proxy(rules: &[&str]) -> World {
    proxy_with(rules, &[&["127.0.0.1"]], Bounds::default())
}

pub(crate) fn proxy_with(rules: &[&str], names: &[&[&str]], bounds: Bounds) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let names = names.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect()).collect();
    let names = Names(names, Arc::clone(&asked));
    let (sender, denials) = mpsc::channel();
    let report = move |denial| drop(sender.send(denial));
    thread::spawn(move || serve_with(&listener, rules, names, report, bounds));
    World { proxy, denials, asked }
}

impl World {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.proxy).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Says something and gives all of the answer, up to the end of the connection.
    pub(crate) fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn denial(&self) -> String {
        self.denials.recv_timeout(PATIENCE).unwrap().to_string()
    }
}

/// Reads up to and with `end`.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
    }
    String::from_utf8(heard).unwrap()
}

pub(crate) const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A host of one connection: it reads until `end` has come, answers, closes, and gives what it heard.
pub(crate) struct Host {
    pub(crate) port: u16,
    pub(crate) heard: mpsc::Receiver<String>,
}

pub(crate) fn host(end: &'static str) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut all = read_until(&mut stream, end);
            stream.write_all(ANSWER.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            all.push_str(&String::from_utf8_lossy(&rest));
            if sender.send(all).is_err() {
                return;
            }
        }
    });
    Host { port, heard }
}

impl Host {
    pub(crate) fn heard(&self) -> String {
        self.heard.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn heard_nothing(&self) -> bool {
        self.heard.try_recv().is_err()
    }
}
