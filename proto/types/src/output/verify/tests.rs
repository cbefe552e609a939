use super::*;
use crate::output::digest::Digest;
use crate::output::seal::{KeptWhole, Stopped};
use proptest::prelude::*;

/// What a session of `total` bytes kept, and the pieces of it: head, hole and tail, each cut at every `cut` bytes.
fn kept(total: u64, head: u64, tail: u64, cut: u64) -> (Seal, Vec<Piece>) {
    let (head, tail) = (head.min(total), tail.min(total.saturating_sub(head)));
    let hole = Hole { from: Seq(head), bytes: total - head - tail };
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < total {
        let until = if at < head { head } else { total };
        if at == head && hole.bytes > 0 {
            pieces.push(Piece::Gap { seq: hole.from, bytes: hole.bytes });
            at = hole.end().0;
            continue;
        }
        let end = (at + cut).min(until);
        pieces.push(Piece::Bytes { seq: Seq(at), bytes: written(at, end).into() });
        at = end;
    }
    (Seal { total, hole, chain: Some(chain(&pieces)), kept: None }, pieces)
}

fn written(from: u64, to: u64) -> Vec<u8> {
    (from..to).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn chain(pieces: &[Piece]) -> Chain {
    let mut chaining = Chaining::new();
    pieces.iter().for_each(|piece| chaining.add(piece).unwrap());
    chaining.end()
}

fn verdict(pieces: &[Piece], seal: &Seal) -> Verdict {
    let from = pieces.first().map_or(Seq(0), Piece::seq);
    let mut verifier = Verifier::new(from, u64::MAX);
    pieces.iter().for_each(|piece| verifier.add(piece));
    verifier.end(Some(seal), false)
}

proptest! {
    #[test]
    fn what_is_kept_holds_however_it_is_cut(total in 0_u64..300, head in 0_u64..100, tail in 0_u64..100, cut in 1_u64..50) {
        let (seal, pieces) = kept(total, head, tail, cut);
        prop_assert_eq!(verdict(&pieces, &seal), Verdict::Holds { chain: seal.chain.unwrap() });
    }

    #[test]
    fn no_byte_can_be_changed_and_none_left_out(
        total in 1_u64..300, head in 1_u64..100, tail in 1_u64..100, cut in 1_u64..50, which in any::<proptest::sample::Index>(),
    ) {
        let (seal, pieces) = kept(total, head, tail, cut);
        let which = which.index(pieces.len());
        let Piece::Bytes { seq, bytes } = &pieces[which] else { return Ok(()) };
        let mut changed = pieces.clone();
        let mut other = bytes.to_vec();
        other[0] ^= 1;
        changed[which] = Piece::Bytes { seq: *seq, bytes: other.into() };
        let is_wrong = matches!(verdict(&changed, &seal), Verdict::Wrong { .. });
        prop_assert!(is_wrong);
        let missing = Verdict::Missing { at: *seq, bytes: bytes.len() as u64 };
        changed[which] = Piece::Gap { seq: *seq, bytes: bytes.len() as u64 };
        prop_assert_eq!(verdict(&changed, &seal), missing);
        // Left out without a word, or at the end.
        changed.remove(which);
        if which > 0 {
            prop_assert_eq!(verdict(&changed, &seal), missing);
        }
    }

    #[test]
    fn no_pieces_make_it_panic(pieces in proptest::collection::vec(any::<(bool, u64, u64)>(), 0..20), total: u64, from: u64, bytes: u64) {
        let seal = Seal { total, hole: Hole { from: Seq(from), bytes }, chain: None, kept: None };
        let pieces: Vec<_> = pieces.into_iter().map(|(gap, seq, bytes)| match gap {
            true => Piece::Gap { seq: Seq(seq), bytes },
            false => Piece::Bytes { seq: Seq(seq), bytes: "x".into() },
        }).collect();
        let _ = verdict(&pieces, &seal);
    }
}

#[test]
fn a_reader_that_read_along_has_more_than_is_kept_and_is_not_accused() {
    let (seal, _) = kept(300, 100, 100, 50);
    let (_, all) = kept(300, 300, 0, 50);
    assert_eq!(verdict(&all, &seal), Verdict::Open(Open::ReadMore));
    // It fell behind once, inside what was dropped later.
    let mut some = all;
    some[2] = Piece::Gap { seq: Seq(100), bytes: 50 };
    assert_eq!(verdict(&some, &seal), Verdict::Open(Open::ReadMore));
}

#[test]
fn who_did_not_begin_at_the_beginning_still_learns_what_is_missing() {
    let (seal, pieces) = kept(300, 100, 100, 50);
    assert_eq!(verdict(&pieces[1..], &seal), Verdict::Open(Open::Later(Seq(50))));
    assert_eq!(verdict(&pieces[1..4], &seal), Verdict::Missing { at: Seq(250), bytes: 50 });
    assert_eq!(Verifier::new(Seq(0), 0).end(None, false), Verdict::Open(Open::NoSeal));
    let more = Seal { total: 290, ..seal };
    assert_eq!(verdict(&pieces, &more), Verdict::TooMuch { bytes: 10 });
}

#[test]
fn what_was_kept_whole_is_held_against_its_own_chain() {
    let (window, _) = kept(300, 100, 100, 50);
    let (_, whole) = kept(300, 150, 100, 50);
    let sha256 = Digest([0; 32]);
    let kept = KeptWhole { bytes: 150, sha256, chain: Some(chain(&whole)), stopped: Some(Stopped::Limit) };
    let seal = Seal { kept: Some(kept), ..window };
    let mut verifier = Verifier::new(Seq(0), u64::MAX);
    whole.iter().for_each(|piece| verifier.add(piece));
    assert_eq!(verifier.clone().end(Some(&seal), true), Verdict::Holds { chain: chain(&whole) });
    let short = Seal { kept: Some(KeptWhole { bytes: 160, ..kept }), ..window };
    assert_eq!(verifier.end(Some(&short), true), Verdict::Missing { at: Seq(150), bytes: 10 });
}
