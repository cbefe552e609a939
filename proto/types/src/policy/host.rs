//! Names of hosts, read in one place for policies and for the proxy that holds them.
//!
//! Invariant: two parts of Capstan never read one text as two different hosts, because both read it here, and what is not plainly a host
//! is refused rather than understood.

mod meet;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The longest name of a host (RFC 1035, section 2.3.4, without the root's dot).
const LONGEST_NAME: usize = 253;
/// The longest label of a name (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// A host as a client may name it: a domain name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A domain name: letters, digits, hyphens and dots; at least one label that is no number.
    Name(String),
    /// An address, an IPv4 one mapped into IPv6 as the IPv4 address it means.
    Address(IpAddr),
}

/// A text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a host name: {reason}", .text.escape_debug())]
pub struct HostError {
    text: String,
    reason: &'static str,
}

impl HostError {
    /// What is wrong, without the text that is: fit to be shown where that text may be anything.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}

impl Host {
    fn read(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or("a bracket is not closed")?;
            return inner
                .parse::<Ipv6Addr>()
                .map(|v6| Self::of(v6.into()))
                .map_err(|_| "an address in brackets must be an IPv6 one");
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::of(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::of(address.into()));
        }
        name(text).map(Self::Name)
    }

    fn of(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

fn name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > LONGEST_NAME {
        return Err("a name has 1 to 253 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        return Err("a name has letters, digits, hyphens and dots only; write an international name in its ASCII form (xn--...)");
    }
    let fits = |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if !text.split('.').all(fits) {
        return Err("each label has 1 to 63 characters and neither begins nor ends with a hyphen, and no dot stands at the end");
    }
    // A last label of digits, or `0x...`, is an address in a spelling that some resolvers understand and others do not.
    let last = text.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.len() > 1 && last.starts_with("0x") | last.starts_with("0X");
    if last.bytes().all(|byte| byte.is_ascii_digit()) || hexadecimal {
        return Err("it ends like an address but is not one; write addresses as four decimal numbers, or as IPv6");
    }
    Ok(text.to_ascii_lowercase())
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::read(text).map_err(|reason| HostError { text: text.to_owned(), reason })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// The ports of a rule that names none: http and https.
pub const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// One entry of an allow-list: `[private:][*.]HOST[:PORT[,PORT]...]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRule {
    host: Host,
    /// Whether the rule is for the names below the host, and not for the host itself.
    below: bool,
    /// Empty for [`DEFAULT_PORTS`].
    ports: Vec<u16>,
    private: bool,
}

impl HostRule {
    /// Whether a client may connect to `host` at `port` by its name alone. Where the name leads to is another question.
    #[must_use]
    pub fn allows(&self, host: &Host, port: u16) -> bool {
        let named = if self.below { self.is_above(host) } else { self.host == *host };
        named && self.ports().contains(&port)
    }

    /// Whether the rule grants addresses that are not public: it says `private:`, or names the address itself.
    #[must_use]
    pub const fn grants_private(&self) -> bool {
        self.private || matches!(self.host, Host::Address(_))
    }
}

impl FromStr for HostRule {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let wrong = |reason| HostError { text: text.to_owned(), reason };
        let (private, rest) = text.strip_prefix("private:").map_or((false, text), |rest| (true, rest));
        let (below, rest) = rest.strip_prefix("*.").map_or((false, rest), |rest| (true, rest));
        let (host, ports) = match rest.rsplit_once(':') {
            // An IPv6 address has colons of its own; with ports it must stand in brackets.
            Some((host, ports)) if !host.contains(':') || host.ends_with(']') => (host, Some(ports)),
            _ => (rest, None),
        };
        let host = Host::read(host).map_err(wrong)?;
        if below && matches!(host, Host::Address(_)) {
            return Err(wrong("there are no names below an address"));
        }
        let mut numbers = Vec::new();
        for port in ports.into_iter().flat_map(|ports| ports.split(',')) {
            let port = port.parse::<u16>().ok().filter(|port| *port > 0);
            numbers.push(port.ok_or_else(|| wrong("a port is a number from 1 to 65535"))?);
        }
        Ok(Self { host, below, ports: numbers, private })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (private, below) = (if self.private { "private:" } else { "" }, if self.below { "*." } else { "" });
        write!(f, "{private}{below}{}", self.host)?;
        self.ports.iter().enumerate().try_for_each(|(at, port)| write!(f, "{}{port}", if at == 0 { ':' } else { ',' }))
    }
}

impl TryFrom<String> for HostRule {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        text.parse().unwrap()
    }

    fn allows(rule_text: &str, host: &str, port: u16) -> bool {
        rule(rule_text).allows(&host.parse().unwrap(), port)
    }

    #[test]
    fn a_rule_allows_what_it_names_and_nothing_else() {
        assert!(allows("crates.io", "CRATES.io", 443));
        assert!(!allows("crates.io", "static.crates.io", 443));
        assert!(!allows("crates.io", "evilcrates.io", 443));
        assert!(allows("*.crates.io", "static.crates.io", 80));
        assert!(!allows("*.crates.io", "crates.io", 80));
        assert!(!allows("*.crates.io", "evilcrates.io", 80));
        assert!(!allows("crates.io", "crates.io", 22));
        assert!(allows("crates.io:22,8443", "crates.io", 8443));
        assert!(allows("[::1]:80", "::1", 80));
        assert!(allows("127.0.0.1", "::ffff:127.0.0.1", 80));
    }

    #[test]
    fn a_rule_is_written_as_it_is_read() {
        for text in ["crates.io", "*.crates.io:443", "private:db.local:5432,5433", "[2001:db8::1]:80", "10.0.0.1"] {
            assert_eq!(rule(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_not_plainly_a_host_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            "-a",
            "a-",
            "a b",
            "a\0.b",
            "a/b",
            "a@b",
            "user:pw@host",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "1.2.3.4.5",
            "[::1",
            "[1.2.3.4]",
            "caf\u{e9}.fr",
            "a%b",
            "a_b.c",
            "::1%eth0",
            "999.1.1.1",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text:?}");
        }
        for text in ["*.1.2.3.4", "a:", "a:0", "a:65536", "a:1,,2", "*", "*.", "a*.b"] {
            assert!(text.parse::<HostRule>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_rule_that_says_so_grants_private_addresses() {
        assert!(!rule("crates.io").grants_private());
        assert!(rule("private:db").grants_private());
        assert!(rule("10.0.0.1").grants_private());
    }
}
