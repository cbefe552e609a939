//! A SOCKS greeting and request: a complete one stays the same whatever follows it.
#![no_main]

use capstan_egress::socks::{Read, greeting, request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Read::Complete((), length)) = greeting(bytes) {
        assert!(length <= bytes.len() && greeting(&bytes[..length - 1]) != Ok(Read::Complete((), length)));
    }
    if let Ok(Read::Complete(to, length)) = request(bytes) {
        assert_eq!(request(&bytes[..length]), Ok(Read::Complete(to, length)));
        assert_eq!(request(&bytes[..length - 1]), Ok(Read::Incomplete));
    }
});
