//! Output for a model: nothing that speaks to a terminal is left, and borders of pieces change nothing. The first byte cuts the rest.
#![no_main]

use capstan_types::output::clean::{Cleaner, Cleaning, clean};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = input.split_first() else { return };
    let whole = clean(stream);
    assert!(whole.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{whole:?}");
    let (mut cleaner, mut pieces) = (Cleaner::new(Cleaning::Clean), String::new());
    for piece in stream.chunks(usize::from(*size).max(1)) {
        cleaner.push(piece, &mut pieces);
    }
    cleaner.finish(&mut pieces);
    assert_eq!(whole, pieces);
});
