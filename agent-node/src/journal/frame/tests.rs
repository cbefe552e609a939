use super::*;
use capstan_types::id::{Epoch, SessionId, ThreadId};
use capstan_types::launch::SessionEnd;
use proptest::prelude::*;

fn entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        any::<u64>().prop_map(|generation| Entry::Life { generation }),
        any::<(u128, u64)>()
            .prop_map(|(thread, epoch)| Entry::Epoch { thread: ThreadId::from_u128(thread), epoch: Epoch(epoch) }),
        any::<(u128, i32)>().prop_map(|(session, code)| {
            Entry::Ended { session: SessionId::from_u128(session), end: SessionEnd::Exited { code } }
        }),
        any::<u128>().prop_map(|session| Entry::Released { session: SessionId::from_u128(session) }),
        (any::<u128>(), ".{0,30}").prop_map(|(session, reason)| Entry::Lost { session: SessionId::from_u128(session), reason }),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Vec<Entry>>> {
    proptest::collection::vec(proptest::collection::vec(entries(), 1..4), 2..6)
}

/// A file that began with the first of these batches and to which the others were added, and where the last one begins.
fn written(batches: &[Vec<Entry>], zeros: usize) -> (Vec<u8>, usize) {
    let mut file = file(&batches[0]).unwrap();
    let mut last = 0;
    for batch in &batches[1..] {
        last = file.len();
        file.extend(encode(batch).unwrap());
    }
    file.resize(file.len() + zeros, 0);
    (file, last)
}

/// The same as the release before wrote it.
fn old(batches: &[Vec<Entry>]) -> Vec<u8> {
    let mut file = [&MAGIC[..], &1_u32.to_le_bytes()].concat();
    file.extend(crc32fast::hash(&file).to_le_bytes());
    batches.iter().for_each(|batch| file.extend(encode(batch).unwrap()));
    file
}

proptest! {
    #[test]
    fn what_was_written_is_read(batches in batches(), zeros in 0..50_usize) {
        let (bytes, _) = written(&batches, zeros);
        let read = read(&bytes).unwrap();
        prop_assert_eq!((read.end, read.torn), (bytes.len() - zeros, 0));
        prop_assert_eq!(read.entries, batches.concat());
    }

    #[test]
    fn a_last_frame_that_is_cut_at_any_byte_is_dropped_and_nothing_else(batches in batches(), zeros in 0..50_usize) {
        let (bytes, last) = written(&batches, 0);
        let before = batches[..batches.len() - 1].concat();
        for cut in last..bytes.len() {
            let mut cut = bytes[..cut].to_vec();
            cut.resize(cut.len() + zeros, 0);
            let read = read(&cut).unwrap();
            // The last byte of JSON is never zero, so that zeros behind a cut do not complete it.
            prop_assert_eq!((&read.entries, read.end), (&before, last));
        }
    }

    #[test]
    fn a_bit_that_flips_before_the_last_frame_is_never_taken_for_truth(batches in batches(), bit in any::<prop::sample::Index>()) {
        let (bytes, last) = written(&batches, 9);
        let bit = bit.index(bytes.len() * 8);
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match read(&flipped) {
            Err(_) => prop_assert!(bit / 8 < last, "the last frame is cut, and the rest is trusted"),
            Ok(read) => {
                prop_assert!(bit / 8 >= last, "damage at {} was not seen", bit / 8);
                // In the zeros behind it a bit is no loss.
                let whole = bit / 8 >= bytes.len() - 9;
                let expected = if whole { batches.concat() } else { batches[..batches.len() - 1].concat() };
                prop_assert_eq!(read.entries, expected);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&noise);
        let _ = read(&[file(&[]).unwrap(), noise].concat());
    }

    #[test]
    fn what_a_file_began_with_is_damaged_and_not_torn_wherever_a_bit_of_it_flips(batches in batches(), bit in any::<prop::sample::Index>()) {
        for bytes in [file(&batches[0]).unwrap(), old(&batches[..1])] {
            let bit = bit.index(bytes.len() * 8);
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped.resize(flipped.len() + 50, 0);
            prop_assert!(read(&flipped).is_err(), "damage at {} is taken for a frame that was torn", bit / 8);
            prop_assert!(read(&bytes[..bytes.len() - 1]).is_err());
        }
    }

    #[test]
    fn a_file_of_the_release_before_is_read(batches in batches()) {
        prop_assert_eq!(read(&old(&batches)).unwrap().entries, batches.concat());
    }

    #[test]
    fn what_is_long_is_split_and_each_part_is_sure(entries in proptest::collection::vec(entries(), 0..20), most in 1..200_usize) {
        let frames = split(&entries, most).unwrap();
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some((more, length)) = frames.get(at..).and_then(decode) {
            prop_assert!(more.len() <= 1 || length < most + 400, "a frame of {} bytes", length);
            found.extend(more);
            at += length;
        }
        prop_assert_eq!((found, at), (entries, frames.len()));
    }
}

#[test]
fn another_version_is_told_from_damage() {
    let mut file = [&MAGIC[..], &7_u32.to_le_bytes()].concat();
    file.extend(crc32fast::hash(&file).to_le_bytes());
    assert_eq!(read(&file), Err(Distrust::Version(7)));
    assert_eq!(read(b""), Err(Distrust::Head));
    assert_eq!(read(&[0; 4096]), Err(Distrust::Head));
}
