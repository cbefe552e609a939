//! The address of a repository, as far as Capstan hands one to git.
//!
//! Invariant: it names one of four transports, holds no secret, and cannot be taken for an option or for a helper program.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The longest, in bytes.
const LONGEST: usize = 2048;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP with TLS.
    Https,
    /// HTTP in the clear.
    Http,
    /// Secure shell.
    Ssh,
    /// A directory of the node.
    File,
}

/// The address of a repository: `https://HOST/PATH`, `http://…`, `ssh://[USER@]HOST/PATH`, `[USER@]HOST:PATH`, `file:///PATH` or `/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitUrl {
    text: String,
    /// Where the host's name lies in the text.
    host: (usize, usize),
    port: Option<u16>,
}

/// A text that is no address of a repository. It does not repeat what may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// Nothing, or too much.
    #[error("the address of a repository has 1 to {LONGEST} bytes")]
    Length,
    /// A character that no address has.
    #[error(
        "the address of a repository has no control characters, blanks, backslashes, quotes, `?` or `#`; in a path of a node, blanks may be"
    )]
    Character,
    /// Something else than the four.
    #[error(
        "the address of a repository is https://HOST/PATH, http://HOST/PATH, ssh://[USER@]HOST/PATH, [USER@]HOST:PATH or file:///PATH"
    )]
    Transport,
    /// A user or a password, where everybody could read it.
    #[error(
        "the address of a repository must not hold a user name or a password; configure credentials for its host under [git.credentials]"
    )]
    Credentials,
    /// The host is no host.
    #[error(
        "the host in the address of a repository is a name of letters, digits, `.` and `-`, or an address, with a port from 1 to 65535 or none"
    )]
    Host,
    /// The path is missing, or could be taken for something else.
    #[error("the path in the address of a repository is missing, begins with `-`, or is not absolute where it must be")]
    Path,
}

impl GitUrl {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is reached.
    #[must_use]
    pub fn transport(&self) -> Transport {
        [("https://", Transport::Https), ("http://", Transport::Http), ("file://", Transport::File)]
            .into_iter()
            .find(|(scheme, _)| self.text.starts_with(scheme))
            .map_or(Transport::Ssh, |(_, transport)| transport)
    }

    /// The host, in small letters and without brackets; empty for a directory of the node.
    #[must_use]
    pub fn host(&self) -> &str {
        self.text.get(self.host.0..self.host.1).unwrap_or_default()
    }

    /// The port, where one is named.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The directory of the node.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.text.strip_prefix("file://").map(Path::new)
    }
}

impl FromStr for GitUrl {
    type Err = GitUrlError;

    fn from_str(text: &str) -> Result<Self, GitUrlError> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(GitUrlError::Length);
        }
        if text.starts_with('/') {
            return local(text);
        }
        let scheme = text.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
        match scheme.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
            Some(("file", path)) => local(path),
            Some((scheme @ ("http" | "https"), rest)) => remote(scheme, rest, None),
            Some(("ssh", rest)) => {
                let (user, rest) = user(rest, rest.find('/').unwrap_or(rest.len()))?;
                remote("ssh", rest, user)
            }
            Some(_) => Err(GitUrlError::Transport),
            None => scp_like(text),
        }
    }
}

/// What shells, terminals or URLs give a meaning of their own.
fn is_strange(char: char) -> bool {
    char.is_control() || char.is_whitespace() || matches!(char, '\\' | '?' | '#' | '"' | '\'' | '`' | '<' | '>')
}

fn local(path: &str) -> Result<GitUrl, GitUrlError> {
    // Git would decode it, and look elsewhere.
    if path.chars().any(|char| (is_strange(char) && char != ' ') || char == '%') {
        return Err(GitUrlError::Character);
    }
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    if !path.starts_with('/') || steps.is_empty() || steps.contains(&"..") {
        return Err(GitUrlError::Path);
    }
    Ok(GitUrl { text: format!("file:///{}", steps.join("/")), host: (0, 0), port: None })
}

/// `HOST[:PORT]/PATH`.
fn remote(scheme: &str, rest: &str, user: Option<&str>) -> Result<GitUrl, GitUrlError> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(GitUrlError::Credentials);
    }
    if rest.chars().any(is_strange) {
        return Err(GitUrlError::Character);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or(GitUrlError::Host)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u16>().ok().filter(|port| *port > 0).ok_or(GitUrlError::Host)?)
        }
        None if port.is_empty() => None,
        Some(_) | None => return Err(GitUrlError::Host),
    };
    let path = path.trim_matches('/');
    if path.is_empty() || path.starts_with('-') || path.split('/').any(|step| matches!(step, "." | "..")) {
        return Err(GitUrlError::Path);
    }
    let host = checked(host, authority.starts_with('['))?;
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
    let before = format!("{scheme}://{user}{open}");
    let text = format!("{before}{host}{close}{}/{path}", port.map(|port| format!(":{port}")).unwrap_or_default());
    if text.len() > LONGEST {
        return Err(GitUrlError::Length);
    }
    Ok(GitUrl { host: (before.len(), before.len() + host.len()), text, port })
}

/// `[USER@]HOST:PATH`, as secure copy writes it.
fn scp_like(text: &str) -> Result<GitUrl, GitUrlError> {
    let (before, path) = text.split_once(':').ok_or(GitUrlError::Transport)?;
    // `ext::program` and its like name a program to run.
    if before.contains('/') || path.starts_with(':') || text.starts_with('-') {
        return Err(GitUrlError::Transport);
    }
    if text.chars().any(is_strange) {
        return Err(GitUrlError::Character);
    }
    // Somebody has put a password before the host.
    if !before.contains('@') && path.contains('@') {
        return Err(GitUrlError::Credentials);
    }
    let (user, host) = user(before, before.len())?;
    if path.trim_matches('/').is_empty() || path.starts_with('-') || path.starts_with('~') {
        return Err(GitUrlError::Path);
    }
    let host = checked(host, false)?;
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let path = path.trim_end_matches('/');
    Ok(GitUrl { host: (user.len(), user.len() + host.len()), text: format!("{user}{host}:{path}"), port: None })
}

/// The name of a user before an `@` in the first `end` bytes, and what follows. A password has no place there.
fn user(text: &str, end: usize) -> Result<(Option<&str>, &str), GitUrlError> {
    let Some(at) = text.get(..end).and_then(|before| before.rfind('@')) else { return Ok((None, text)) };
    let (user, rest) = text.split_at(at);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if user.contains(':') || user.is_empty() || user.starts_with('-') || !user.bytes().all(is_plain) {
        return Err(GitUrlError::Credentials);
    }
    Ok((Some(user), &rest[1..]))
}

fn checked(host: &str, in_brackets: bool) -> Result<String, GitUrlError> {
    let is_fit = |byte: u8| match in_brackets {
        true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
        false => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
    };
    let fits = (1..=253).contains(&host.len()) && !host.starts_with(['-', '.']) && host.bytes().all(is_fit);
    // In brackets is an address, which has colons.
    if fits && host.contains(':') == in_brackets { Ok(host.to_ascii_lowercase()) } else { Err(GitUrlError::Host) }
}

impl TryFrom<String> for GitUrl {
    type Error = GitUrlError;

    fn try_from(text: String) -> Result<Self, GitUrlError> {
        text.parse()
    }
}

impl From<GitUrl> for String {
    fn from(url: GitUrl) -> Self {
        url.text
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
