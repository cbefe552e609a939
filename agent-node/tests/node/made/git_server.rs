//! A git server over HTTP with basic authentication: git's own backend behind a few lines of HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the server does to whoever asks.
#[derive(Debug)]
pub(crate) struct GitServer {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    /// `Basic …`, as requests must say it; empty lets everybody in.
    right: String,
    /// Whether packs are cut off in the middle.
    dies: AtomicBool,
    /// Packs that were asked for.
    packs: AtomicUsize,
    over: AtomicBool,
}

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl GitServer {
    /// Serves the repositories below `root` to whoever sends `right`.
    pub(crate) fn start(root: &Path, right: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            root: root.to_owned(),
            right: right.to_owned(),
            dies: AtomicBool::new(false),
            packs: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&serving);
                std::thread::spawn(move || answer(&state, &stream));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    pub(crate) fn dies_in_the_middle(&self, dies: bool) {
        self.state.dies.store(dies, Ordering::Relaxed);
    }

    pub(crate) fn packs(&self) -> usize {
        self.state.packs.load(Ordering::Relaxed)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) =
        target.split_once('?').map_or_else(|| (target.clone(), String::new()), |(path, query)| (path.into(), query.into()));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    if header("expect").is_some() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = Vec::new();
    if header("transfer-encoding").as_deref() == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        body = vec![0; header("content-length").map_or(0, |size| size.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
    }
    Some(Asked { method, path, query, headers, body })
}

fn answer(state: &State, stream: &TcpStream) {
    let Some(asked) = read(stream) else { return };
    let mut out = stream;
    let header = |wanted: &str| asked.headers.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value);
    if !state.right.is_empty() && header("authorization") != state.right {
        let _ = out.write_all(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
        return;
    }
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .envs([
            ("PATH", std::env::var("PATH").unwrap().as_str()),
            ("GIT_PROJECT_ROOT", state.root.to_str().unwrap()),
            ("GIT_HTTP_EXPORT_ALL", "1"),
            ("PATH_INFO", &asked.path),
            ("QUERY_STRING", &asked.query),
            ("REQUEST_METHOD", &asked.method),
            ("CONTENT_TYPE", header("content-type")),
            ("CONTENT_LENGTH", &asked.body.len().to_string()),
            ("HTTP_CONTENT_ENCODING", header("content-encoding")),
            ("GIT_PROTOCOL", header("git-protocol")),
            ("GIT_CONFIG_COUNT", "3"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
            ("GIT_CONFIG_KEY_1", "uploadpack.allowFilter"),
            ("GIT_CONFIG_VALUE_1", "true"),
            ("GIT_CONFIG_KEY_2", "uploadpack.allowAnySHA1InWant"),
            ("GIT_CONFIG_VALUE_2", "true"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let body = asked.body.clone();
    let writing = std::thread::spawn(move || drop(input.write_all(&body)));
    let mut said = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
    writing.join().unwrap();
    child.wait().unwrap();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let head: String = head.lines().filter(|line| !line.starts_with("Status:")).map(|line| format!("{line}\r\n")).collect();
    let body = &said[end + 4..];
    let has_pack = body.windows(4).any(|four| four == b"PACK");
    if has_pack {
        state.packs.fetch_add(1, Ordering::Relaxed);
    }
    let told = if has_pack && state.dies.load(Ordering::Relaxed) { &body[..body.len() / 2] } else { body };
    let _ = out
        .write_all(format!("HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()).as_bytes());
    let _ = out.write_all(told);
}
