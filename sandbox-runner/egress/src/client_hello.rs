//! The first message of TLS (RFC 8446, section 4.1.2), looked at for the one thing in it that names a host.

use crate::bounds::LONGEST_HELLO;

const HANDSHAKE_RECORD: u8 = 22;
const LONGEST_RECORD: usize = 1 << 14;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;
const MALFORMED: &str = "the first message of TLS is malformed";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The message is not complete.
    Incomplete,
    /// It names no host.
    Nameless,
    /// It names this host, as it wrote it.
    Named(String),
}

/// Looks for the name of the host at the beginning of what a TLS client says.
///
/// # Errors
/// It is not TLS, or malformed, or longer than 16 KiB.
pub fn server_name(bytes: &[u8]) -> Result<Look, &'static str> {
    let hello = message(bytes)?;
    let Some(Some(hello)) = hello.get(..4).map(|head| hello.get(4..4 + length_of(head))) else {
        return if bytes.len() < LONGEST_HELLO { Ok(Look::Incomplete) } else { Err("the first message of TLS is too long") };
    };
    extensions(hello).and_then(name_in).ok_or(MALFORMED)
}

fn length_of(head: &[u8]) -> usize {
    head.iter().skip(1).fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// What the records carry of the handshake. A message may be spread over several, and the last may not have arrived whole.
fn message(mut bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut carried = Vec::new();
    loop {
        match bytes {
            [kind, ..] if *kind != HANDSHAKE_RECORD => return Err("this is not TLS, which a tunnel to this port must carry"),
            [_, major, ..] if *major != 3 => return Err(MALFORMED),
            [_, _, _, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if !(1..=LONGEST_RECORD).contains(&length) {
                    return Err(MALFORMED);
                }
                carried.extend_from_slice(&rest[..length.min(rest.len())]);
                if carried.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
                    return Err(MALFORMED);
                }
                let whole = carried.len() >= 4 && carried.len() >= 4 + length_of(&carried[..4]);
                if whole || length >= rest.len() {
                    return Ok(carried);
                }
                bytes = &rest[length..];
            }
            _ => return Ok(carried),
        }
    }
}

/// The list of extensions of a hello; empty where it has none.
fn extensions(hello: &[u8]) -> Option<&[u8]> {
    // The version and the random bytes.
    let rest = hello.get(2 + 32..)?;
    let (_session, rest) = counted(rest, 1)?;
    let (_ciphers, rest) = counted(rest, 2)?;
    let (_compressions, rest) = counted(rest, 1)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let (extensions, rest) = counted(rest, 2)?;
    rest.is_empty().then_some(extensions)
}

/// What is behind a length of `width` bytes, and what is behind that.
fn counted(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(width)?;
    rest.split_at_checked(length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

/// The one name; two of them would let two readers see two hosts.
fn name_in(mut extensions: &[u8]) -> Option<Look> {
    let mut found = Look::Nameless;
    while !extensions.is_empty() {
        let (kind, rest) = extensions.split_first_chunk::<2>()?;
        let (data, rest) = counted(rest, 2)?;
        extensions = rest;
        if u16::from_be_bytes(*kind) == SERVER_NAME {
            if found != Look::Nameless {
                return None;
            }
            found = Look::Named(name(data)?);
        }
    }
    Some(found)
}

fn name(data: &[u8]) -> Option<String> {
    let (list, rest) = counted(data, 2)?;
    let (kind, list) = list.split_first()?;
    let (name, others) = counted(list, 2)?;
    let plain = *kind == HOST_NAME && rest.is_empty() && others.is_empty() && name.is_ascii() && !name.is_empty();
    plain.then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests;
