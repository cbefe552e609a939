//! SOCKS5 (RFC 1928) as bytes: the greeting, the request, the replies. No authentication, and CONNECT alone.

use crate::authority::Authority;
use capstan_types::policy::Host;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The version byte, by which a SOCKS client is told from an HTTP one.
pub const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// The answer to a greeting with which the connection goes on.
pub(crate) const GREETED: [u8; 2] = [VERSION, NO_AUTHENTICATION];
/// The answer to a greeting that offers no method of ours.
pub(crate) const NO_METHOD: [u8; 2] = [VERSION, 0xff];

/// What the bytes at hand are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<T> {
    /// The beginning of something.
    Incomplete,
    /// This, and how many bytes it took.
    Complete(T, usize),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The reply's code.
    pub code: u8,
    /// The reason in words.
    pub reason: &'static str,
}

const fn wrong<T>(code: u8, reason: &'static str) -> Result<T, Wrong> {
    Err(Wrong { code, reason })
}

/// Reads a greeting.
///
/// # Errors
/// Another version, or a client that wants to authenticate itself.
pub fn greeting(bytes: &[u8]) -> Result<Read<()>, Wrong> {
    match bytes {
        [version, ..] if *version != VERSION => wrong(1, "only version 5 of SOCKS is spoken"),
        [_, count, rest @ ..] if rest.len() >= usize::from(*count) => {
            let methods = &rest[..usize::from(*count)];
            if methods.contains(&NO_AUTHENTICATION) {
                return Ok(Read::Complete((), 2 + methods.len()));
            }
            wrong(0xff, "SOCKS is spoken without authentication only")
        }
        _ => Ok(Read::Incomplete),
    }
}

/// Reads a request.
///
/// # Errors
/// A command other than CONNECT, or a destination that is none.
pub fn request(bytes: &[u8]) -> Result<Read<Authority>, Wrong> {
    let [version, command, reserved, kind, rest @ ..] = bytes else {
        return Ok(Read::Incomplete);
    };
    if (*version, *reserved) != (VERSION, 0) {
        return wrong(1, "the SOCKS request is malformed");
    }
    if *command != CONNECT {
        return wrong(7, "of SOCKS, only the command CONNECT is served");
    }
    let Some((host, length)) = host(*kind, rest)? else {
        return Ok(Read::Incomplete);
    };
    let Some(port) = rest.get(length..).and_then(<[u8]>::first_chunk::<2>) else {
        return Ok(Read::Incomplete);
    };
    match u16::from_be_bytes(*port) {
        0 => wrong(1, "a port is a number from 1 to 65535"),
        port => Ok(Read::Complete(Authority { host, port }, 4 + length + 2)),
    }
}

/// The host, and how many bytes it took; `None` when more must come.
fn host(kind: u8, bytes: &[u8]) -> Result<Option<(Host, usize)>, Wrong> {
    let address = |address: std::net::IpAddr| Host::Address(address.to_canonical());
    match kind {
        IPV4 => Ok(bytes.first_chunk::<4>().map(|octets| (address(Ipv4Addr::from(*octets).into()), 4))),
        IPV6 => Ok(bytes.first_chunk::<16>().map(|octets| (address(Ipv6Addr::from(*octets).into()), 16))),
        NAME => {
            let Some((length, rest)) = bytes.split_first() else { return Ok(None) };
            let Some(name) = rest.get(..usize::from(*length)) else { return Ok(None) };
            let host = std::str::from_utf8(name)
                .map_err(|_| "a host is plain ASCII")
                .and_then(|name| name.parse::<Host>().map_err(|error| error.reason()));
            host.map(|host| Some((host, 1 + name.len()))).map_err(|reason| Wrong { code: 2, reason })
        }
        _ => wrong(8, "this kind of address is unknown"),
    }
}

/// The reply with a code; 0 is success. The address in it is nobody's business and says nothing.
pub(crate) const fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(kind: u8, host: &[u8], port: u16) -> Vec<u8> {
        [&[5, 1, 0, kind][..], host, &port.to_be_bytes()].concat()
    }

    #[test]
    fn a_request_names_its_host_in_three_ways_and_arrives_in_any_pieces() {
        for (kind, host, text) in [
            (1, &[127, 0, 0, 1][..], "127.0.0.1:80"),
            (3, b"\x07a.Com-x", "a.com-x:80"),
            (3, b"\x09127.0.0.1", "127.0.0.1:80"),
            (4, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1], "127.0.0.1:80"),
        ] {
            let bytes = asked(kind, host, 80);
            for have in 0..bytes.len() {
                assert_eq!(request(&bytes[..have]), Ok(Read::Incomplete), "{have} of {bytes:?}");
            }
            let Ok(Read::Complete(to, length)) = request(&bytes) else { panic!("{bytes:?}") };
            assert_eq!((to.to_string().as_str(), length), (text, bytes.len()));
        }
    }

    #[test]
    fn what_is_not_served_is_refused_with_its_code() {
        for (bytes, code) in [
            (vec![5, 2, 0, 1, 1, 2, 3, 4, 0, 80], 7),
            (vec![5, 3, 0, 1, 1, 2, 3, 4, 0, 80], 7),
            (vec![4, 1, 0, 1, 1, 2, 3, 4, 0, 80], 1),
            (asked(2, b"xx", 80), 8),
            (asked(1, &[1, 2, 3, 4], 0), 1),
            (asked(3, b"\x0aa.com\0evil", 80), 2),
            (asked(3, b"\x06a.com.", 80), 2),
            (asked(3, b"\x00", 80), 2),
            (asked(3, b"\x02\xff\xfe", 80), 2),
        ] {
            assert_eq!(request(&bytes).unwrap_err().code, code, "{bytes:?}");
        }
        assert_eq!(greeting(&[5, 1, 2]).unwrap_err().code, 0xff);
        assert_eq!(greeting(&[4, 1]).unwrap_err().code, 1);
        assert_eq!(greeting(&[5, 2, 2]), Ok(Read::Incomplete));
        assert_eq!(greeting(&[5, 2, 2, 0, 9]), Ok(Read::Complete((), 4)));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_readers_panic(bytes in proptest::collection::vec(0_u8..8, 0..40)) {
            let _ = (greeting(&bytes), request(&bytes));
        }
    }
}
