//! Where output may be cut without cutting a character.

/// The most bytes that can be the beginning of a character and not the whole of it, in UTF-8.
pub const LONGEST_UNFINISHED: usize = 3;

/// How many of `bytes` come before a character that has begun at their end and is not finished; all, when none has. Bytes that are no
/// text are taken as they are.
#[must_use]
pub fn whole_characters(bytes: &[u8]) -> usize {
    let lead = bytes.iter().rev().take(LONGEST_UNFINISHED).position(|byte| byte & 0xC0 != 0x80);
    let Some(start) = lead.map(|back| bytes.len() - 1 - back) else {
        return bytes.len();
    };
    match std::str::from_utf8(bytes.get(start..).unwrap_or_default()) {
        Err(error) if error.error_len().is_none() => start,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_never_cut_inside_a_character(text in "\\PC{0,12}", cut in any::<proptest::sample::Index>()) {
            let bytes = text.as_bytes();
            let cut = cut.index(bytes.len() + 1);
            let whole = whole_characters(&bytes[..cut]);
            prop_assert!(text.is_char_boundary(whole) && cut - whole <= LONGEST_UNFINISHED);
            prop_assert!(!text.is_char_boundary(cut) || whole == cut, "nothing is held back without need");
        }

        #[test]
        fn of_any_bytes_a_few_are_held_back_at_most(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let whole = whole_characters(&bytes);
            prop_assert!(whole <= bytes.len() && bytes.len() - whole <= LONGEST_UNFINISHED);
        }
    }

    #[test]
    fn what_cannot_become_a_character_is_not_held_back() {
        for bytes in [&b"a\xff"[..], b"\xed\xa0", b"\x80\x80\x80\x80", b"\xc0", b""] {
            assert_eq!(whole_characters(bytes), bytes.len(), "{bytes:x?}");
        }
        assert_eq!(whole_characters(b"\xf0\x9f\x92"), 0);
    }
}
