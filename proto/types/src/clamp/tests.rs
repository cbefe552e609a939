//! Clamps against a plain model of a stream.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn a_text_inside_its_budget_is_left_alone() {
    let clamped = clamp_tokens("one\ntwo", 2);
    assert_eq!(clamped, Clamped { text: "one\ntwo".into(), original_tokens: 2, lines: 2, cut: false, unseen: 0 });
    assert_eq!(clamp_tokens("", 0), Clamped { text: String::new(), original_tokens: 0, lines: 0, cut: false, unseen: 0 });
}

#[test]
fn a_longer_text_keeps_both_ends_and_says_how_much_is_missing() {
    let clamped = clamp_tokens("aaaabbbbccccdddd\n", 2);
    assert_eq!(
        clamped,
        Clamped { text: "aaaa…3 tokens truncated…ddd\n".into(), original_tokens: 5, lines: 1, cut: true, unseen: 0 }
    );
    assert_eq!(clamp_tokens("aaaabbbb", 0).text, "…2 tokens truncated…");
}

#[test]
fn a_cut_never_goes_through_a_code_point() {
    // Four bytes each: a budget of 3 tokens puts both cuts into the middle of one.
    assert_eq!(clamp_tokens("😀😁😂🤣😃", 3).text, "😀…3 tokens truncated…😃");
    let mut ends = HeadTail::new(6);
    ends.push("😀😁😂🤣😃".as_bytes());
    assert_eq!(ends.clamp(100).text, "😀…3 tokens truncated…😃");
}

#[test]
fn a_code_point_across_the_seam_of_head_and_tail_is_whole_while_nothing_is_missing() {
    let mut ends = HeadTail::new(6);
    ends.push("abcd😀".as_bytes());
    assert_eq!((ends.omitted(), ends.clamp(100).text.as_str()), (0, "abcd😀"));
}

#[test]
fn a_hole_is_counted_into_the_same_marker() {
    let mut ends = HeadTail::new(100);
    ends.push(b"head\n");
    ends.push_gap(1_000_000);
    ends.push(b"tail\n");
    let clamped = ends.clamp(1000);
    assert_eq!(clamped.text, "head\n…250000 tokens truncated…tail\n");
    assert_eq!((clamped.original_tokens, clamped.lines, clamped.cut, clamped.unseen), (250_003, 2, true, 1_000_000));
}

#[test]
fn bytes_that_are_not_text_do_not_break_the_budget() {
    let mut ends = HeadTail::new(1 << 16);
    ends.push(&[0xff; 4000]);
    let clamped = ends.clamp(1000);
    assert!(clamped.cut && clamped.text.len() < 4100, "{} bytes", clamped.text.len());
    assert_eq!(to_text(b"a\xffb\0"), "a\u{fffd}b\0");
}

#[test]
fn a_code_point_that_is_not_complete_waits_for_the_next_take() {
    let mut ends = HeadTail::new(4);
    ends.push(b"ab\xf0\x9f");
    assert_eq!(ends.take_whole().clamp(100).text, "ab");
    ends.push(b"\x98\x80");
    let taken = ends.take_whole();
    assert_eq!((taken.total(), taken.clamp(100).text.as_str()), (4, "😀"));
    assert!(ends.is_empty());
    ends.push(b"abc\xe2\x82");
    assert_eq!(ends.take_whole().clamp(100).text, "abc", "also across the seam of head and tail");
    ends.push(b"\xac");
    assert_eq!(ends.take_whole().clamp(100).text, "€");
    ends.push(b"x\xf0");
    ends.push_gap(5);
    assert_eq!(ends.take_whole().total(), 7, "nothing after a hole completes what was before it");
}

/// A piece of a stream: bytes, or a hole.
#[derive(Debug, Clone)]
enum Part {
    Bytes(Vec<u8>),
    Hole(u64),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let bytes = prop_oneof![vec(any::<u8>(), 0..30), ".{0,8}".prop_map(|text| text.into_bytes())];
    vec(prop_oneof![4 => bytes.prop_map(Part::Bytes), 1 => (0_u64..20).prop_map(Part::Hole)], 0..12)
}

fn filled(cap: usize, parts: &[Part]) -> (HeadTail, Vec<Option<u8>>) {
    let (mut ends, mut model) = (HeadTail::new(cap), Vec::new());
    for part in parts {
        match part {
            Part::Bytes(bytes) => {
                ends.push(bytes);
                model.extend(bytes.iter().copied().map(Some));
            }
            Part::Hole(size) => {
                ends.push_gap(*size);
                model.extend((0..*size).map(|_| None));
            }
        }
    }
    (ends, model)
}

proptest! {
    #[test]
    fn the_ends_are_those_of_the_whole_stream(cap in 0_usize..40, parts in parts()) {
        let (ends, model) = filled(cap, &parts);
        let head: Vec<u8> = model.iter().take(cap).map_while(|byte| *byte).collect();
        let room = cap.min(model.len() - head.len());
        let mut tail: Vec<u8> = model.iter().rev().take(room).map_while(|byte| *byte).collect();
        tail.reverse();
        prop_assert_eq!(ends.parts(), (&head[..], tail.clone()));
        prop_assert_eq!(ends.total(), model.len() as u64);
        prop_assert_eq!(ends.omitted(), (model.len() - head.len() - tail.len()) as u64);
        let newlines = model.iter().filter(|byte| **byte == Some(b'\n')).count() as u64;
        prop_assert!((newlines..=newlines + 1).contains(&ends.clamp(0).lines));
    }

    #[test]
    fn a_clamp_is_inside_its_budget_and_made_of_both_ends(text in ".{0,200}", max in 0_u64..60) {
        let clamped = clamp_tokens(&text, max);
        prop_assert_eq!(clamped.original_tokens, tokens(text.len() as u64));
        prop_assert_eq!(clamped.cut, clamped.original_tokens > max);
        if clamped.cut {
            let (head, rest) = clamped.text.split_once('…').unwrap();
            let (middle, tail) = rest.split_once('…').unwrap();
            if !text.contains('…') {
                prop_assert!(text.starts_with(head) && text.ends_with(tail));
                prop_assert!((head.len() + tail.len()) as u64 <= max * 4);
                let missing = text.len() - head.len() - tail.len();
                prop_assert_eq!(middle, format!("{} tokens truncated", tokens(missing as u64)));
            }
        }
        let mut ends = HeadTail::new(1 << 20);
        ends.push(text.as_bytes());
        prop_assert_eq!(ends.clamp(max), clamped);
    }

    #[test]
    fn takes_lose_nothing_and_tear_nothing(parts in parts()) {
        let mut ends = HeadTail::new(1 << 10);
        let (mut taken, mut whole) = (String::new(), Vec::new());
        for part in &parts {
            if let Part::Bytes(bytes) = part {
                ends.push(bytes);
                whole.extend_from_slice(bytes);
                taken += &ends.take_whole().clamp(u64::MAX).text;
            }
        }
        taken += &ends.clamp(u64::MAX).text;
        prop_assert_eq!(taken, to_text(&whole));
    }

    #[test]
    fn decoding_in_pieces_is_decoding_at_once(parts in parts()) {
        let (mut decoder, mut text, mut whole) = (Decoder::default(), String::new(), Vec::new());
        for part in &parts {
            if let Part::Bytes(bytes) = part {
                text += &decoder.push(bytes);
                whole.extend_from_slice(bytes);
            }
        }
        prop_assert_eq!(text + &decoder.flush(), to_text(&whole));
    }
}
