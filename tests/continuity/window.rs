//! Whether what was kept of a stream is what was printed.

use crate::program::Program;
use capstan_tests::seeded::bytes;
use capstan_types::output::Piece;

/// What is retained of the beginning and of the end of a stream unless a call says otherwise, in bytes.
const KEPT: u64 = 1 << 20;

/// Compares every byte by its offset; a gap may only lie where nothing is retained.
pub(crate) fn check(program: Program, pieces: &[Piece]) {
    let (printed, mut at) = (bytes(program.seed, program.length), 0);
    for piece in pieces {
        assert_eq!(piece.seq().0, at, "a piece does not follow the one before");
        let end = piece.end().0;
        assert!(end <= program.length, "there is more output than was printed");
        match piece {
            Piece::Bytes { bytes, .. } => {
                let place = |at: u64| usize::try_from(at).expect("a stream fits the memory");
                assert!(*bytes == printed[place(at)..place(end)], "wrong bytes between {at} and {end} of {program:?}");
            }
            Piece::Gap { .. } => {
                let (begin, last) = (KEPT, program.length.saturating_sub(KEPT));
                assert!(at >= begin && end <= last, "a gap from {at} to {end} in what is retained of {program:?}");
            }
        }
        at = end;
    }
    assert_eq!(at, program.length, "the end of the output is missing");
}
