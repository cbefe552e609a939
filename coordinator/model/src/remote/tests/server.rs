//! A server that answers one connection after another, byte for byte as told.

use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What the server does with a connection, once it has read a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Sends these bytes at once.
    Send(Vec<u8>),
    /// Sends these bytes one by one, each in a packet of its own.
    Drip(Vec<u8>),
    /// Sends comments until the client leaves.
    Comment,
    /// Keeps the connection open until the client leaves.
    Hold,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Request {
    /// Its first line and headers.
    pub(super) head: String,
    /// Its body.
    pub(super) body: Value,
}

impl Request {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What happened at the server.
#[derive(Debug)]
pub(super) enum Event {
    Asked(Request),
    ClientLeft,
}

/// The running server; it ends with the value.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    events: mpsc::UnboundedReceiver<Event>,
    _task: JoinSet<()>,
}

impl Server {
    /// A server with one answer for each connection in turn; the last serves all that follow.
    pub(super) async fn start(answers: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, events) = mpsc::unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, answers, sender));
        Self { port, events, _task: task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The next thing that happens.
    pub(super) async fn event(&mut self) -> Event {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await.expect("nothing happened").unwrap()
    }

    /// The requests so far.
    pub(super) fn requests(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let Event::Asked(request) = event {
                requests.push(request);
            }
        }
        requests
    }
}

async fn serve(listener: TcpListener, answers: Vec<Vec<Act>>, events: mpsc::UnboundedSender<Event>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let acts = answers.get(number).or_else(|| answers.last()).cloned().unwrap_or_default();
        connections.spawn(answer(stream, acts, events.clone()));
    }
}

async fn answer(mut stream: TcpStream, acts: Vec<Act>, events: mpsc::UnboundedSender<Event>) {
    let Some(request) = read(&mut stream).await else { return };
    events.send(Event::Asked(request)).ok();
    for act in acts {
        let sent = match act {
            Act::Send(bytes) => stream.write_all(&bytes).await,
            Act::Drip(bytes) => drip(&mut stream, &bytes).await,
            Act::Comment => comment(&mut stream).await,
            Act::Hold => stream.read_u8().await.map(|_| ()),
        };
        if sent.is_err() {
            events.send(Event::ClientLeft).ok();
            return;
        }
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn comment(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    loop {
        clock.tick().await;
        stream.write_all(b": still here\n\n").await?;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let request = Request { head, body: Value::Null };
            let length: usize = request.header("content-length").unwrap_or("0").parse().unwrap();
            if bytes.len() >= end + 4 + length {
                let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or(Value::Null);
                return Some(Request { body, ..request });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
