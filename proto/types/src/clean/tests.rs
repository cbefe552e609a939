//! Hostile text on its way to a terminal.

use super::*;
use proptest::prelude::*;

fn cleaned(text: &str) -> String {
    clean_for_terminal(text)
}

#[test]
fn honest_text_is_left_alone() {
    for text in ["plain\n\ttext", "Größe → 12 € ✅", "日本語", "❤️ 👍🏽", "", "a\\u{1b}b"] {
        assert_eq!(cleaned(text), text);
    }
}

#[test]
fn every_family_of_escape_sequences_is_dropped_whole() {
    for (name, sequence) in [
        ("clipboard", "\u{1b}]52;c;ZXZpbA==\u{7}"),
        ("title", "\u{1b}]0;title\u{1b}\\"),
        ("title with a C1 terminator", "\u{1b}]2;title\u{9c}"),
        ("link", "\u{1b}]8;;file:///etc/passwd\u{1b}\\"),
        ("colour", "\u{1b}[1;31m"),
        ("status request", "\u{1b}[6n"),
        ("device attributes", "\u{1b}[>0c"),
        ("title report", "\u{1b}[21t"),
        ("settings request", "\u{1b}P$qm\u{1b}\\"),
        ("application command", "\u{1b}_x\u{1b}\\"),
        ("privacy message", "\u{1b}^x\u{1b}\\"),
        ("start of string", "\u{1b}Xx\u{1b}\\"),
        ("alternate screen", "\u{1b}[?1049h"),
        ("mouse", "\u{1b}[?1003;1006h"),
        ("bracketed paste off", "\u{1b}[?2004l"),
        ("soft reset", "\u{1b}[!p"),
        ("reset", "\u{1b}c"),
        ("character set", "\u{1b}(0"),
        ("keypad", "\u{1b}="),
        ("lone escape", "\u{1b}"),
    ] {
        assert_eq!(cleaned(&format!("a{sequence}\u{e9}b")), "aéb", "{name}");
        assert_eq!(cleaned(&format!("a{sequence}")), "a", "{name} at the end");
    }
}

#[test]
fn a_string_that_never_ends_hides_nothing() {
    assert_eq!(cleaned("a\u{1b}]0;title and then\nthe truth"), "a0;title and then\nthe truth");
    assert_eq!(cleaned("\u{1b}P\u{1b}]52;c;x"), "52;c;x");
}

#[test]
fn a_huge_sequence_and_many_small_ones_take_little_time() {
    let payload = "A".repeat(10 << 20);
    assert_eq!(cleaned(&format!("a\u{1b}]52;c;{payload}\u{7}b")), "ab");
    assert_eq!(cleaned(&"\u{1b}]".repeat(1 << 20)), "");
    assert_eq!(cleaned(&"\u{1b}[".repeat(1 << 20)), "");
}

#[test]
fn a_carriage_return_cannot_overwrite_what_stands() {
    assert_eq!(cleaned("rm -rf /\rls      "), "rm -rf /\nls      ");
    assert_eq!(cleaned("a\r\nb\r\r\nc\n\rd\re"), "a\nb\nc\nd\ne");
    assert_eq!(cleaned("\rx"), "x");
}

#[test]
fn what_cannot_be_seen_is_shown() {
    assert_eq!(cleaned("a\u{202e}b\u{2066}c"), "a\\u{202e}b\\u{2066}c");
    assert_eq!(cleaned("pay\u{200b}pal\u{feff}"), "pay\\u{200b}pal\\u{feff}");
    assert_eq!(cleaned("\u{e0041}\u{e007f}\u{e0100}"), "\\u{e0041}\\u{e007f}\\u{e0100}");
    assert_eq!(cleaned("\u{9b}31m\u{85}\u{8}\0\u{7f}\u{7}"), "\\u{9b}31m\\u{85}\\u{8}\\u{0}\\u{7f}\\u{7}");
    assert_eq!(cleaned("\u{2028}\u{ad}\u{fe00}"), "\\u{2028}\\u{ad}\\u{fe00}");
}

proptest! {
    #[test]
    fn nothing_but_printable_text_comes_out(text in prop_oneof!["\\PC*", any::<String>(), "[\u{1b}\\[\\]P\\\\a-c;0-2\u{7}\r\n\u{9c}]{0,40}"]) {
        let out = cleaned(&text);
        prop_assert!(out.chars().all(|c| c == '\n' || c == '\t' || !is_invisible(c)), "{:?}", out);
        prop_assert!(!out.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
        prop_assert_eq!(cleaned(&out), out);
    }

    #[test]
    fn visible_text_without_escapes_is_kept(text in "[a-zA-Z0-9 äöü€\n\t]{0,60}") {
        prop_assert_eq!(cleaned(&text), text);
    }
}
