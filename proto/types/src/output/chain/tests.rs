use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;

/// Pieces from 0 on, from their lengths and whether they are gaps.
fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 1..20)), 1..8).prop_map(|runs| {
        let mut at = Seq(0);
        let placed = runs.into_iter().map(|(gap, bytes)| {
            let piece = match gap {
                true => Piece::Gap { seq: at, bytes: bytes.len() as u64 },
                false => Piece::Bytes { seq: at, bytes: bytes.into() },
            };
            at = piece.end();
            piece
        });
        placed.collect()
    })
}

fn chain(pieces: &[Piece]) -> Chain {
    let mut chaining = Chaining::new();
    pieces.iter().for_each(|piece| chaining.add(piece).unwrap());
    chaining.end()
}

/// For each position its byte, or nothing: what two readers must agree on.
fn meaning(pieces: &[Piece]) -> Vec<Option<u8>> {
    pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Bytes { bytes, .. } => bytes.iter().copied().map(Some).collect::<Vec<_>>(),
            Piece::Gap { bytes, .. } => vec![None; usize::try_from(*bytes).unwrap()],
        })
        .collect()
}

fn cut(piece: &Piece, at: u64) -> [Piece; 2] {
    let seq = piece.seq();
    match piece {
        Piece::Bytes { bytes, .. } => {
            let middle = usize::try_from(at).unwrap();
            [
                Piece::Bytes { seq, bytes: bytes.slice(..middle) },
                Piece::Bytes { seq: seq.after(at), bytes: bytes.slice(middle..) },
            ]
        }
        Piece::Gap { bytes, .. } => [Piece::Gap { seq, bytes: at }, Piece::Gap { seq: seq.after(at), bytes: bytes - at }],
    }
}

proptest! {
    #[test]
    fn how_the_output_was_cut_makes_no_difference(pieces in pieces(), which in any::<Index>(), at in any::<Index>()) {
        let which = which.index(pieces.len());
        let length = pieces[which].end().0 - pieces[which].seq().0;
        let mut recut = pieces.clone();
        recut.splice(which..=which, cut(&pieces[which], at.index(usize::try_from(length).unwrap() + 1) as u64));
        prop_assert_eq!(chain(&recut), chain(&pieces));
    }

    #[test]
    fn two_outputs_have_one_chain_only_when_they_are_the_same(one in pieces(), other in pieces()) {
        prop_assert_eq!(chain(&one) == chain(&other), meaning(&one) == meaning(&other));
    }

    #[test]
    fn a_flipped_byte_is_found(pieces in pieces(), which in any::<Index>(), at in any::<Index>(), flip in 1_u8..) {
        let which = which.index(pieces.len());
        let mut changed = pieces.clone();
        if let Piece::Bytes { seq, bytes } = &pieces[which] {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            changed[which] = Piece::Bytes { seq: *seq, bytes: bytes.into() };
            prop_assert_ne!(chain(&changed), chain(&pieces));
        }
    }

    #[test]
    fn a_changed_count_is_found(before in 0_u64..9, gap in 1_u64..1000, other in 1_u64..1000) {
        let told = |gap: u64| {
            let before = Piece::Bytes { seq: Seq(0), bytes: vec![7; usize::try_from(before).unwrap()].into() };
            let after = Piece::Bytes { seq: before.end().after(gap), bytes: Bytes::from_static(b"end") };
            chain(&[before.clone(), Piece::Gap { seq: before.end(), bytes: gap }, after])
        };
        prop_assert_eq!(told(gap) == told(other), gap == other);
    }

    #[test]
    fn a_chain_survives_being_written_down(pieces in pieces()) {
        let chain = chain(&pieces);
        prop_assert_eq!(chain.to_string().parse(), Ok(chain));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,70}") {
        let _ = text.parse::<Chain>();
    }
}

#[test]
fn a_piece_in_the_wrong_place_is_refused() {
    let mut chaining = Chaining::new();
    chaining.add_bytes(b"abc");
    let late = Piece::Bytes { seq: Seq(4), bytes: Bytes::from_static(b"e") };
    assert_eq!(chaining.add(&late), Err(Misplaced { expected: Seq(3), found: Seq(4) }));
    assert_eq!(chaining.next(), Seq(3));
}

#[test]
fn the_chain_of_nothing_is_where_it_starts() {
    let nothing = Chaining::new().end().to_string();
    assert_eq!(nothing, Chain(Digest(Sha256::digest(START).into())).to_string());
    assert_eq!(nothing.len(), 64);
}
