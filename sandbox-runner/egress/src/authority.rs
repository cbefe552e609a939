//! A host with its port, as a request names it.

use capstan_types::policy::Host;
use std::fmt;

/// Where a client wants to go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port; never 0.
    pub port: u16,
}

impl Authority {
    /// Reads `HOST:PORT`, or `HOST` where there is a port to assume. An IPv6 address stands in brackets.
    ///
    /// # Errors
    /// What is wrong with it. Nothing is mended: user information, spaces, a leading zero of the port are all refused.
    pub fn parse(text: &str, assumed: Option<u16>) -> Result<Self, &'static str> {
        if text.contains('@') {
            return Err("user names and passwords are not allowed in front of a host");
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        if host.contains(':') && !host.starts_with('[') {
            return Err("an IPv6 address needs brackets");
        }
        let port = match port {
            Some(digits) => number(digits).ok_or("a port is a number from 1 to 65535")?,
            None => assumed.ok_or("the port is missing")?,
        };
        let host = host.parse::<Host>().map_err(|error| error.reason())?;
        Ok(Self { host, port })
    }
}

/// Digits only: the standard parser would take a sign, and zeros in front.
fn number(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_other_spelling_of_a_host_is_refused() {
        for text in [
            "allowed.com\0evil:80",
            "allowed.com.:80",
            "user@allowed.com:80",
            "user:pw@allowed.com:80",
            "b\u{fc}cher.example:80",
            "2130706433:80",
            "0x7f000001:80",
            "0177.0.0.1:80",
            "127.1:80",
            "::1:80",
            "[::1:80",
            "[::1]80",
            "[fe80::1%eth0]:80",
            "allowed.com:",
            "allowed.com:0",
            "allowed.com:080",
            "allowed.com:+80",
            "allowed.com:65536",
            "allowed.com: 80",
            "allowed.com :80",
            "allowed.com\\@evil.com:80",
            ":80",
            "",
        ] {
            assert!(Authority::parse(text, None).is_err(), "{text:?}");
        }
        assert_eq!(Authority::parse("allowed.com", None), Err("the port is missing"));
    }

    #[test]
    fn one_host_has_one_form() {
        for (text, plain) in [
            ("ALLOWED.com:443", "allowed.com:443"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("[0:0::1]:80", "[::1]:80"),
            ("xn--bcher-kva.example:80", "xn--bcher-kva.example:80"),
        ] {
            assert_eq!(Authority::parse(text, None).unwrap().to_string(), plain);
        }
        assert_eq!(Authority::parse("allowed.com", Some(80)).unwrap().to_string(), "allowed.com:80");
        assert_eq!(Authority::parse("[::1]", Some(80)).unwrap().to_string(), "[::1]:80");
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_as_it_was_written(text in "[a-zA-Z0-9.:@\\[\\]\\-]{0,30}|[a-z]{1,5}(\\.[A-Z]{1,3}){0,3}:[0-9]{1,6}") {
            if let Ok(read) = Authority::parse(&text, None) {
                let printed = read.to_string();
                if matches!(read.host, Host::Name(_)) {
                    prop_assert_eq!(&printed, &text.to_ascii_lowercase());
                }
                prop_assert_eq!(Authority::parse(&printed, None), Ok(read));
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in "\\PC{0,60}|.{0,60}") {
            let _ = Authority::parse(&text, Some(1));
        }
    }
}
