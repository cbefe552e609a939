//! What an HTTP request asks of the proxy, read from its head.

use crate::authority::Authority;
use crate::head::Head;

/// How much follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks, up to an empty one.
    Chunked,
}

/// A request that is well formed. Whether it is allowed is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A tunnel to a host.
    Connect(Authority),
    /// One request to pass on.
    Forward {
        /// The host that the URI names.
        to: Authority,
        /// The head as the host is to get it.
        head: Vec<u8>,
        /// What follows it.
        body: Body,
    },
}

/// What is meant for the proxy, or for one connection, and is not passed on. Framing is not among them: see [`body`].
const NOT_PASSED_ON: [&str; 7] = ["host", "connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "trailer"];
/// Fields that say what is asked of whom; they may not be taken out by way of `Connection`.
const NEVER_DROPPED: [&str; 3] = ["host", "content-length", "transfer-encoding"];

impl Request {
    /// Reads a head up to and with its empty line.
    ///
    /// # Errors
    /// What is wrong with it, for whoever wrote it.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let head = Head::parse(bytes)?;
        let body = body(&head)?;
        let host = head.once("host")?;
        if head.method == "CONNECT" {
            return connect(&head, host, body);
        }
        forward(&head, host, body)
    }
}

fn connect(head: &Head<'_>, host: Option<&str>, body: Body) -> Result<Request, &'static str> {
    if body != Body::Length(0) {
        return Err("a CONNECT has no body");
    }
    let to = Authority::parse(head.target, None)?;
    agrees(&to, host, to.port)?;
    Ok(Request::Connect(to))
}

/// The host of the field must be that of the target. Clients leave the port of a CONNECT out of it.
fn agrees(to: &Authority, host: Option<&str>, assumed: u16) -> Result<(), &'static str> {
    match host {
        Some(host) if Authority::parse(host, Some(assumed))? != *to => Err("its Host is not the host of its target"),
        _ => Ok(()),
    }
}

fn forward(head: &Head<'_>, host: Option<&str>, body: Body) -> Result<Request, &'static str> {
    let (to, path) = target(head.target)?;
    agrees(&to, host, HTTP)?;
    if head.fields().any(|(name, _)| name.eq_ignore_ascii_case("upgrade")) {
        return Err("a connection is upgraded (to a WebSocket or HTTP/2) only within a CONNECT");
    }
    let version = if head.modern { "1.1" } else { "1.0" };
    let named = if to.port == HTTP { to.host.to_string() } else { to.to_string() };
    let mut out = format!("{} {path} HTTP/{version}\r\nHost: {named}\r\nConnection: close\r\n", head.method).into_bytes();
    for (name, value) in head.fields().filter(|(name, _)| !drops(head, name)) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(Request::Forward { to, head: out, body })
}

fn drops(head: &Head<'_>, name: &str) -> bool {
    NOT_PASSED_ON.iter().any(|ours| name.eq_ignore_ascii_case(ours))
        || head.connection_options().any(|option| option.eq_ignore_ascii_case(name.as_bytes()))
}

const HTTP: u16 = 80;

/// `http://AUTHORITY[/PATH][?QUERY]` into its authority and the rest.
fn target(text: &str) -> Result<(Authority, String), &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("this is a proxy: its target must be a whole http:// URI")?;
    if scheme.eq_ignore_ascii_case("https") {
        return Err("an https:// URI needs a CONNECT");
    }
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("only http:// URIs are passed on");
    }
    if rest.contains('#') {
        return Err("a fragment is not part of a request");
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((Authority::parse(authority, Some(HTTP))?, path))
}

/// How the body is framed. Two ways at once, or an unusual one, is how a second request is hidden in it.
fn body(head: &Head<'_>) -> Result<Body, &'static str> {
    let (length, coding) = (head.once("content-length")?, head.once("transfer-encoding")?);
    if head.connection_options().any(|option| NEVER_DROPPED.iter().any(|name| option.eq_ignore_ascii_case(name.as_bytes()))) {
        return Err("its Connection field names a field that must stay");
    }
    match (length, coding) {
        (Some(_), Some(_)) => Err("it has both a Content-Length and a Transfer-Encoding"),
        (None, None) => Ok(Body::Length(0)),
        (None, Some(coding)) if head.modern && coding.eq_ignore_ascii_case("chunked") => Ok(Body::Chunked),
        (None, Some(_)) => Err("its Transfer-Encoding is not `chunked` of HTTP/1.1"),
        (Some(length), None) => {
            let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            let length = digits.then(|| length.parse().ok()).flatten();
            Ok(Body::Length(length.ok_or("its Content-Length is not a number")?))
        }
    }
}

#[cfg(test)]
mod tests;
