//! Text for a terminal: nothing that moves the cursor is left, and cleaning twice changes nothing.
#![no_main]

use capstan_types::clean::clean_for_terminal;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let clean = clean_for_terminal(text);
    assert!(clean.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{clean:?}");
    assert_eq!(clean_for_terminal(&clean), clean);
});
