//! Laws of the frames.

use super::*;
use crate::output::chain::Chaining;
use crate::output::digest::Digest;
use crate::output::seal::{Hole, KeptWhole, Stopped};
use proptest::prelude::*;

fn requests() -> impl Strategy<Value = Request> {
    prop_oneof![
        any::<(u32, u64, bool, bool)>().prop_map(|(version, from, seal, whole)| {
            Request::Attach { version, from: Seq(from), wants: Wants { seal, whole, looks: !seal } }
        }),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Request::Input(bytes.into())),
        Just(Request::CloseInput),
        any::<(u16, u16)>().prop_map(|(rows, cols)| Request::Resize(TermSize { rows, cols })),
        any::<i32>().prop_map(Request::Signal),
        ".{0,20}".prop_map(|by| Request::Kill { by }),
        Just(Request::Release),
    ]
}

fn reports() -> impl Strategy<Value = Report> {
    prop_oneof![
        any::<(u32, u32)>().prop_map(|(version, pid)| Report::Hello { version, pid }),
        (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(seq, bytes)| Report::Output(Piece::Bytes { seq: Seq(seq), bytes: bytes.into() })),
        any::<(u64, u64)>().prop_map(|(seq, bytes)| Report::Output(Piece::Gap { seq: Seq(seq), bytes })),
        any::<i32>().prop_map(|code| Report::Ended(SessionEnd::Exited { code })),
        any::<(u64, u64, u64)>().prop_map(|(total, from, bytes)| {
            let hole = Hole { from: Seq(from), bytes };
            let kept = KeptWhole { bytes, sha256: Digest([7; 32]), chain: None, stopped: Some(Stopped::Limit) };
            Report::Sealed(Box::new(Seal { total, hole, chain: Some(Chaining::new().end()), kept: Some(kept) }))
        }),
        Just(Report::InputClosed),
        (".{0,9}", ".{0,9}").prop_map(|(act, reason)| Report::Denied(Denial { act, reason })),
    ]
}

proptest! {
    #[test]
    fn requests_survive_any_cut_of_the_stream(sent in proptest::collection::vec(requests(), 0..8), cut in 1_usize..40) {
        let mut wire = BytesMut::new();
        sent.iter().for_each(|request| request.encode(&mut wire));
        let mut arrived = BytesMut::new();
        let mut received = Vec::new();
        for part in wire.chunks(cut) {
            arrived.extend_from_slice(part);
            while let Some(request) = Request::decode(&mut arrived).unwrap() {
                received.push(request);
            }
        }
        prop_assert_eq!(received, sent);
        prop_assert!(arrived.is_empty());
    }

    #[test]
    fn reports_survive_the_wire(sent in reports()) {
        let mut wire = BytesMut::new();
        sent.encode(&mut wire);
        prop_assert_eq!(Report::decode(&mut wire).unwrap(), Some(sent));
    }

    #[test]
    fn a_head_and_its_bytes_are_one_report(seq in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut whole, piece) = (BytesMut::new(), Piece::Bytes { seq: Seq(seq), bytes: bytes.clone().into() });
        Report::Output(piece).encode(&mut whole);
        prop_assert_eq!([&output_head(Seq(seq), bytes.len())[..], &bytes].concat(), whole);
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut wire = BytesMut::from(&noise[..]);
        while let Ok(Some(_)) = Request::decode(&mut wire) {}
        let mut wire = BytesMut::from(&noise[..]);
        while let Ok(Some(_)) = Report::decode(&mut wire) {}
    }
}

#[test]
fn a_release_before_this_one_understands_who_attaches_and_is_understood() {
    let old = |body: &str| {
        let mut wire = BytesMut::new();
        put_frame(&mut wire, KIND_JSON, &[body.as_bytes()]);
        Request::decode(&mut wire).unwrap().unwrap()
    };
    let plain = Request::Attach { version: 1, from: Seq(7), wants: Wants::default() };
    assert_eq!(old(r#"{"attach":{"version":1,"from":7}}"#), plain);
    assert_eq!(old(r#"{"attach":{"version":1,"from":7,"wants":{"later":1}}}"#), plain);
    // Nothing in it has changed its place or its form.
    let mut wire = BytesMut::new();
    plain.encode(&mut wire);
    assert!(wire.ends_with(br#"{"attach":{"version":1,"from":7}}"#));
}

#[test]
fn a_frame_past_the_limit_is_refused_before_it_arrives() {
    let mut wire = BytesMut::from(&[0xff, 0xff, 0xff, 0xff, 3][..]);
    assert!(matches!(Request::decode(&mut wire), Err(FrameError::TooLong(_))));
}
