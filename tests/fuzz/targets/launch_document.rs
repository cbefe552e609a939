//! A launch document: what is read is written so that it reads the same.
#![no_main]

use capstan_types::launch::LaunchSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(spec) = serde_json::from_slice::<LaunchSpec>(bytes) else { return };
    let written = serde_json::to_vec(&spec).expect("a document can be written");
    assert_eq!(serde_json::from_slice::<LaunchSpec>(&written).expect("what was written can be read"), spec);
});
