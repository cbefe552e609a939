//! One connection: reads requests, writes answers byte by byte as the script wants them.

use super::recorded::RecordedRequest;
use super::reply::{Content, Delivery, Reply};
use super::script::Played;
use super::stop::{LONGEST_WAIT, Stop};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// More than any request of a test.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

/// Whether the connection can carry a further request.
enum After {
    KeepOpen,
    Close,
}

/// Serves requests until the client leaves, the script closes the connection, or the server stops.
pub(super) fn serve(stream: TcpStream, number: usize, played: &Played, stop: &Stop) {
    let _ = stream.set_nodelay(true); // so that pieces arrive as they were cut
    let _ = stream.set_read_timeout(Some(LONGEST_WAIT)).and_then(|()| stream.set_write_timeout(Some(LONGEST_WAIT)));
    let Ok(input) = stream.try_clone() else { return };
    let mut input = BufReader::new(input);
    while let Ok(Some(request)) = read_request(&mut input, number) {
        let reply = played.answer(&request);
        let asked_to_close = request.header("connection") == Some("close");
        match send(&stream, &reply, stop) {
            Ok(After::KeepOpen) if !asked_to_close && !stop.is_stopped() => {}
            Ok(_) | Err(_) => break, // an error here is the client's leaving
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Reads one request; `None` when the client closed the connection between two.
fn read_request(input: &mut impl BufRead, connection: usize) -> io::Result<Option<RecordedRequest>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = read_headers(input)?;
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let length: usize = length.unwrap_or(0);
    if length > LONGEST_BODY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the request's body is too long"));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(RecordedRequest { at: Instant::now(), connection, method, path, headers, body }))
}

fn read_headers(input: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(headers) };
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn send(mut stream: &TcpStream, reply: &Reply, stop: &Stop) -> io::Result<After> {
    match &reply.content {
        Content::Events(events) => send_events(stream, events, reply.delivery, stop),
        Content::Body { status, headers, body } => {
            stream.write_all(whole(*status, headers, body).as_bytes())?;
            Ok(After::KeepOpen)
        }
        Content::Silence => {
            stop.pause(LONGEST_WAIT);
            Ok(After::Close)
        }
        Content::HangUp => Ok(After::Close),
    }
}

fn whole(status: u16, headers: &[(String, String)], body: &str) -> String {
    let typed = headers.iter().any(|(name, _)| name == "content-type");
    let default_type = if typed { "" } else { "content-type: application/json\r\n" };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\n{default_type}{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn send_events(mut stream: &TcpStream, events: &[String], delivery: Delivery, stop: &Stop) -> io::Result<After> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let before = |event: usize| events.get(..event).unwrap_or(events);
    match delivery {
        Delivery::Whole => send_each(stream, events)?,
        Delivery::Dripped { bytes, pause } => drip(stream, &events.concat(), bytes, pause, stop)?,
        Delivery::EndsBefore { event } => send_each(stream, before(event))?,
        Delivery::CutIn { event } => {
            send_each(stream, before(event))?;
            let half = events.get(event).map_or(&[][..], |event| &event.as_bytes()[..event.len() / 2]);
            send_piece(stream, half)?;
            return Ok(After::Close);
        }
        Delivery::StallsBefore { event } => {
            send_each(stream, before(event))?;
            stop.pause(LONGEST_WAIT);
            return Ok(After::Close);
        }
    }
    stream.write_all(b"0\r\n\r\n")?;
    Ok(After::KeepOpen)
}

fn send_each(stream: &TcpStream, events: &[String]) -> io::Result<()> {
    events.iter().try_for_each(|event| send_piece(stream, event.as_bytes()))
}

fn drip(stream: &TcpStream, text: &str, bytes: usize, pause: Duration, stop: &Stop) -> io::Result<()> {
    for piece in text.as_bytes().chunks(bytes.max(1)) {
        send_piece(stream, piece)?;
        stop.pause(pause);
    }
    Ok(())
}

/// Sends one chunk of the body. An empty one would end it, so it is left out.
fn send_piece(mut stream: &TcpStream, piece: &[u8]) -> io::Result<()> {
    if piece.is_empty() {
        return Ok(());
    }
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    stream.write_all(&chunk)
}
