use super::*;
use proptest::prelude::*;

fn kind_of(text: &str) -> Kind {
    kind(text.parse().unwrap())
}

#[test]
fn every_range_that_is_not_public_is_known_from_its_first_to_its_last_address() {
    for (first, last) in [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
        ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001::", "2001:1ff:ffff::"),
        ("2001:db8::", "2001:db8:ffff::"),
        ("2002::", "2002:ffff::"),
        ("fc00::", "fdff::"),
        ("fe80::", "febf::"),
        ("fec0::", "feff::"),
        ("ff00::", "ffff::"),
        ("4000::", "fbff::"),
    ] {
        for end in [first, last] {
            assert!(matches!(kind_of(end), Kind::Private(_)), "{end}: {:?}", kind_of(end));
        }
    }
}

#[test]
fn the_neighbours_of_those_ranges_are_public() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::",
        "2001:db7::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe::",
    ] {
        assert_eq!(kind_of(text), Kind::Public, "{text}");
    }
}

#[test]
fn no_spelling_of_the_metadata_service_is_less_than_that() {
    for text in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:1:2:3:4:5601:5601",
        "fd00:ec2::254",
        "168.63.129.16",
    ] {
        assert_eq!(kind_of(text), Kind::Metadata, "{text}");
    }
}

#[test]
fn ranges_are_called_by_their_names() {
    for (text, name) in [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::808:808", "local translation"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("2002:808:808::1", "6to4"),
        ("2001:0:1::1", "Teredo"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("fd12::1", "private"),
        ("192.168.1.1", "private"),
    ] {
        assert_eq!(kind_of(text), Kind::Private(name), "{text}");
    }
}

proptest! {
    #[test]
    fn an_address_within_another_is_judged_as_itself(bits in any::<u32>()) {
        let plain = Ipv4Addr::from_bits(bits);
        let judged = kind(plain.into());
        prop_assert_eq!(kind(plain.to_ipv6_mapped().into()), judged);
        let translated = Ipv6Addr::from_bits(0x0064_ff9b_u128 << 96 | u128::from(bits));
        prop_assert_eq!(kind(translated.into()), judged);
    }

    #[test]
    fn no_tunnel_is_public(bits in any::<u32>(), rest in any::<u64>()) {
        let (bits, rest) = (u128::from(bits), u128::from(rest));
        for tunnel in [bits, 0x2002 << 112 | bits << 80 | rest, 0x0064_ff9b_0001 << 80 | rest, 0x2001_0000 << 96 | rest] {
            prop_assert_ne!(kind(Ipv6Addr::from_bits(tunnel).into()), Kind::Public);
        }
    }
}
