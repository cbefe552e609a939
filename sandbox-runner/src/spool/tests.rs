use super::*;
use capstan_types::output::seal::Stopped;
use capstan_types::output::verify::{Verdict, Verifier};
use capstan_types::spool::MARK;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::fs::File;

fn file() -> File {
    tempfile::tempfile().unwrap()
}

/// A file that takes nothing, as a disk that is full.
fn full_disk() -> File {
    File::options().read(true).write(true).open("/dev/full").unwrap()
}

fn spool(head: File, tail: File, head_cap: u64, tail_cap: u64) -> Spool {
    Spool::new(head.into(), tail.into(), ByteCap::new(head_cap).unwrap(), ByteCap::new(tail_cap).unwrap())
}

/// Everything from `from` on: for each position, its byte or nothing.
fn read_all(spool: &Spool, from: u64, max: usize) -> Vec<Option<u8>> {
    let mut at = Seq(from);
    let mut found = Vec::new();
    while let Some(piece) = spool.read(at, max) {
        assert_eq!(piece.seq(), at);
        assert!(piece.end() > at, "a reader would never get on");
        match &piece {
            Piece::Bytes { bytes, .. } => {
                assert!(bytes.len() <= max);
                found.extend(bytes.iter().copied().map(Some));
            }
            Piece::Gap { bytes, .. } => found.extend(std::iter::repeat_n(None, usize::try_from(*bytes).unwrap())),
        }
        at = piece.end();
    }
    assert_eq!(at.0.max(from), spool.total().max(from));
    found
}

fn writes() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12)
}

proptest! {
    #[test]
    fn head_and_tail_are_exact_and_the_middle_is_counted(
        writes in writes(), head_cap in 1_u64..50, tail_cap in 1_u64..50, max in 1_usize..30, from in 0_u64..300,
    ) {
        let mut spool = spool(file(), file(), head_cap, tail_cap);
        writes.iter().for_each(|bytes| spool.append(bytes));
        let all = writes.concat();
        let total = all.len() as u64;
        prop_assert_eq!(spool.total(), total);
        let kept = |at: u64| at < head_cap || at + tail_cap >= total;
        let expected: Vec<_> = (0_u64..).zip(&all).skip(usize::try_from(from).unwrap())
            .map(|(at, byte)| kept(at).then_some(*byte)).collect();
        prop_assert_eq!(read_all(&spool, from, max), expected);
    }

    #[test]
    fn a_reader_that_keeps_up_misses_nothing_that_fits_the_ring(
        writes in writes(), head_cap in 1_u64..20, max in 1_usize..30,
    ) {
        let mut spool = spool(file(), file(), head_cap, 40);
        let mut seen = Vec::new();
        for bytes in &writes {
            spool.append(bytes);
            seen.extend(read_all(&spool, seen.len() as u64, max));
        }
        prop_assert_eq!(seen, writes.concat().into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn it_is_known_beforehand_what_a_reader_would_lose(
        writes in writes(), more in 1_usize..40, head_cap in 1_u64..50, tail_cap in 1_u64..50, at in 0_u64..300,
    ) {
        let mut spool = spool(file(), file(), head_cap, tail_cap);
        writes.iter().for_each(|bytes| spool.append(bytes));
        let missed = |spool: &Spool| read_all(spool, at, 7).iter().any(Option::is_none);
        let (before, foreseen) = (missed(&spool), spool.would_cost(Seq(at), more as u64));
        let behind = at < spool.total();
        spool.append(&vec![b'x'; more]);
        prop_assert_eq!(foreseen, behind && !before && missed(&spool));
    }

    #[test]
    fn whoever_has_only_the_files_finds_what_the_holder_finds(writes in writes(), head_cap in 1_u64..50, tail_cap in 1_u64..50) {
        let mut spool = spool(file(), file(), head_cap, tail_cap);
        for bytes in &writes {
            spool.append(bytes);
            let mut mark = [0; MARK];
            let layout = match spool.tail.read_exact_at(&mut mark, 0) {
                Ok(()) => Layout::decode(&mark).unwrap(),
                Err(_) => Layout::head_only(spool.head.length()),
            };
            prop_assert_eq!(layout.total, spool.total());
            prop_assert!((0..layout.total).all(|at| layout.locate(Seq(at)) == spool.layout().locate(Seq(at))));
        }
    }

    #[test]
    fn a_full_disk_costs_bytes_and_never_the_count(writes in writes(), which in 0_u8..3, from in 0_u64..300) {
        let (head, tail) = match which {
            0 => (full_disk(), file()),
            1 => (file(), full_disk()),
            _ => (full_disk(), full_disk()),
        };
        let mut spool = spool(head, tail, 10, 10);
        writes.iter().for_each(|bytes| spool.append(bytes));
        let all = writes.concat();
        prop_assert_eq!(spool.total(), all.len() as u64);
        let found = read_all(&spool, from, 7);
        for (at, byte) in found.iter().enumerate() {
            let position = at + usize::try_from(from).unwrap();
            prop_assert!(byte.is_none_or(|byte| byte == all[position]), "a wrong byte at {}", position);
        }
    }
}

#[test]
fn output_after_a_full_disk_is_kept_again() {
    let mut spool = spool(full_disk(), file(), 4, 8);
    spool.append(b"lost");
    spool.append(b"kept");
    assert_eq!(spool.read(Seq(0), 99), Some(Piece::Gap { seq: Seq(0), bytes: 4 }));
    assert_eq!(spool.read(Seq(4), 99), Some(Piece::Bytes { seq: Seq(4), bytes: Bytes::from_static(b"kept") }));
}

/// Everything that a reader gets which asks for what was kept whole: for each position, its byte or nothing.
fn read_whole(spool: &Spool, max: usize) -> Vec<Option<u8>> {
    let mut found = Vec::new();
    while let Some(piece) = spool.read_all(Seq(found.len() as u64), max) {
        match &piece {
            Piece::Bytes { bytes, .. } => found.extend(bytes.iter().copied().map(Some)),
            Piece::Gap { bytes, .. } => found.extend(std::iter::repeat_n(None, usize::try_from(*bytes).unwrap())),
        }
        assert_eq!(piece.end(), Seq(found.len() as u64));
    }
    found
}

/// What somebody makes of it who reads it all.
fn verdict(spool: &Spool, whole: bool) -> Verdict {
    let (mut verifier, mut at) = (Verifier::new(Seq(0), u64::MAX), Seq(0));
    while let Some(piece) = if whole { spool.read_all(at, 7) } else { spool.read(at, 7) } {
        verifier.add(&piece);
        at = piece.end();
    }
    verifier.end(Some(&spool.seal(u64::MAX)), whole)
}

proptest! {
    #[test]
    fn what_is_kept_whole_is_exact_up_to_its_limit_and_sealed(
        writes in writes(), head_cap in 1_u64..50, tail_cap in 1_u64..50, most in 1_u64..300, max in 1_usize..30,
    ) {
        let plain = spool(file(), file(), head_cap, tail_cap);
        let mut spool = plain.keeping(Some(All::new(file().into(), most, 0)));
        writes.iter().for_each(|bytes| spool.append(bytes));
        let all = writes.concat();
        let total = all.len() as u64;
        let kept = |at: u64| at < most.max(head_cap) || at + tail_cap >= total;
        let expected: Vec<_> = (0_u64..).zip(&all).map(|(at, byte)| kept(at).then_some(*byte)).collect();
        prop_assert_eq!(read_whole(&spool, max), expected);
        let told = spool.seal(u64::MAX).kept.unwrap();
        prop_assert_eq!((told.bytes, told.stopped), (most.min(total), (most < total).then_some(Stopped::Limit)));
        prop_assert_eq!(told.sha256.0, <[u8; 32]>::from(Sha256::digest(&all[..usize::try_from(told.bytes).unwrap()])));
        for whole in [false, true] {
            let holds = matches!(verdict(&spool, whole), Verdict::Holds { .. });
            prop_assert!(holds, "{:?}", verdict(&spool, whole));
        }
    }
}

#[test]
fn what_is_kept_whole_stops_for_good_at_a_full_disk_and_head_and_tail_go_on() {
    let mut spool = spool(file(), file(), 4, 4).keeping(Some(All::new(full_disk().into(), 99, 0)));
    spool.append(b"headdropped");
    spool.append(b"tail");
    let kept = spool.seal(99).kept.unwrap();
    assert_eq!((kept.bytes, kept.stopped), (0, Some(Stopped::Disk)));
    assert_eq!(read_whole(&spool, 99), read_all(&spool, 0, 99));
    assert!(matches!(verdict(&spool, true), Verdict::Holds { .. }));
}

#[test]
fn nothing_is_kept_whole_in_the_room_that_is_left_to_others() {
    let mut spool = spool(file(), file(), 4, 4).keeping(Some(All::new(file().into(), 99, u64::MAX)));
    spool.append(b"all of it");
    assert_eq!(spool.seal(99).kept.unwrap().stopped, Some(Stopped::Disk));
}
