//! Prints a stream that its seed decides, in pieces and with rests, and ends with a known code.
//!
//! `seeded SEED BYTES MILLISECONDS CODE [EFFECTS]`: the rests add up to about so many milliseconds. The line `SEED` is appended to the
//! file EFFECTS first, so that a second run of one command can be seen.

#![expect(clippy::expect_used, reason = "a test's program says what is wrong and stops")]

use capstan_tests::seeded::{Numbers, bytes};
use std::fs::File;
use std::io::Write;
use std::time::Duration;

/// Into how many pieces the stream is cut, at most.
const PIECES: u64 = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok()).expect("arguments are numbers");
    let (seed, length, milliseconds, code) = (number(1), number(2), number(3), number(4));
    if let Some(effects) = arguments.get(5) {
        let mut effects = File::options().append(true).create(true).open(effects).expect("effects can be noted");
        effects.write_all(format!("{seed}\n").as_bytes()).expect("effects can be noted");
    }
    let (stream, mut numbers) = (bytes(seed, length), Numbers::new(!seed));
    let (mut rest, mut out) = (&stream[..], std::io::stdout().lock());
    let most = usize::try_from(2 * length / PIECES + 1).expect("a piece fits the memory");
    while !rest.is_empty() {
        let piece = 1 + usize::try_from(numbers.below(most as u64)).expect("a piece fits the memory");
        let (now, later) = rest.split_at(piece.min(rest.len()));
        out.write_all(now).and_then(|()| out.flush()).expect("the output is taken");
        rest = later;
        std::thread::sleep(Duration::from_millis(numbers.below(2 * milliseconds / PIECES + 1)));
    }
    std::process::exit(i32::try_from(code).expect("a code is small"));
}
