//! Names of hosts, rules and authorities: what is read prints as itself, and is not what the standard library would take for another.
#![no_main]

use capstan_egress::address::kind;
use capstan_egress::authority::Authority;
use capstan_types::policy::{Host, HostRule};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(host) = text.parse::<Host>() {
        assert_eq!(host.to_string().parse().as_ref(), Ok(&host));
        match &host {
            Host::Name(name) => assert_eq!(*name, text.to_ascii_lowercase()),
            Host::Address(address) => assert_eq!(kind(*address), kind(address.to_canonical())),
        }
    }
    if let Ok(rule) = text.parse::<HostRule>() {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    if let Ok(authority) = Authority::parse(text, Some(80)) {
        assert_eq!(Authority::parse(&authority.to_string(), None), Ok(authority));
    }
});
