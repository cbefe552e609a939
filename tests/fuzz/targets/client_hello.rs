//! The first message of TLS: one that was complete says the same whatever follows it, and no shorter one says something else.
#![no_main]

use capstan_egress::client_hello::{Look, server_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = server_name(bytes) else { return };
    if found != Look::Incomplete {
        assert_eq!(server_name(&[bytes, &[0xff; 9]].concat()), Ok(found.clone()));
    }
    if let Some((_, shorter)) = bytes.split_last() {
        let before = server_name(shorter);
        assert!(before == Ok(Look::Incomplete) || before == Ok(found));
    }
});
