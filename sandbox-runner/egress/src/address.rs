//! What an address is: one of the public internet, or one that only a rule of its own opens.
//!
//! The ranges are those of IANA's registries of special-purpose addresses. An IPv6 address that carries an IPv4 one is judged by it, so that
//! no spelling leads further than another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The public internet.
    Public,
    /// A range that is not public, by name. A rule with `private:` opens it.
    Private(&'static str),
    /// A place from which a cloud hands out a machine's own secrets. Only a rule that names the address opens it: whoever owns a name of
    /// a `private:` rule could let it lead here.
    Metadata,
}

const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    // Public by its number, and yet answered by the machine's own host.
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// First address, length of the prefix, name. The first match counts.
const RANGES_V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier's private"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmark"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const RANGES_V6: [(Ipv6Addr, u32, &str); 15] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::UNSPECIFIED, 96, "IPv4-compatible"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local translation"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discard"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "segment routing"),
];

/// Judges an address by its number alone. Whether it is one of the host's own is another question.
#[must_use]
pub fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    if METADATA_V4.contains(&address) {
        return Kind::Metadata;
    }
    let within = |(first, length, _): &&(Ipv4Addr, u32, &str)| (address.to_bits() ^ first.to_bits()).leading_zeros() >= *length;
    RANGES_V4.iter().find(within).map_or(Kind::Public, |range| Kind::Private(range.2))
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if METADATA_V6.contains(&address) || carried(address).any(|carried| kind_v4(carried) == Kind::Metadata) {
        return Kind::Metadata;
    }
    if let Some(translated) = translated(address) {
        return kind_v4(translated);
    }
    let within = |(first, length, _): &&(Ipv6Addr, u32, &str)| (address.to_bits() ^ first.to_bits()).leading_zeros() >= *length;
    match RANGES_V6.iter().find(within) {
        Some(range) => Kind::Private(range.2),
        // Nothing else has been given to the public internet (RFC 4291, section 2.4, and IANA's registry).
        None if address.segments()[0] & 0xe000 != 0x2000 => Kind::Private("reserved"),
        None => Kind::Public,
    }
}

/// The IPv4 address that a packet to this one arrives at: mapped ones, and those of the well-known translation prefix (RFC 6052).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let well_known = matches!(address.segments(), [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
    address.to_ipv4_mapped().or_else(|| well_known.then(|| low_word(address)))
}

fn low_word(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// Every IPv4 address that some gateway might find in this one: at its end, behind the prefix of 6to4, and inverted as Teredo does.
fn carried(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let octets = address.octets();
    let six_to_four = Ipv4Addr::new(octets[2], octets[3], octets[4], octets[5]);
    let embedded = [
        (matches!(address.segments(), [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, ..]), low_word(address)),
        (address.segments()[0] == 0x2002, six_to_four),
        (address.segments()[..2] == [0x2001, 0], Ipv4Addr::from_bits(!low_word(address).to_bits())),
    ];
    embedded.into_iter().filter(|(there, _)| *there).map(|(_, address)| address)
}

#[cfg(test)]
mod tests;
