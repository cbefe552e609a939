//! What a script wrote: its output, and behind a NUL a few words for the node.

use super::SHOWN;
use capstan_types::checkpoint::{Changes, FileNames};

/// What a script wrote.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    /// What stands behind the last NUL: three words, empty where there are fewer.
    pub(super) words: [String; 3],
    /// How many bytes the output had.
    length: usize,
}

impl Said {
    pub(super) fn read(output: &[u8]) -> Self {
        let nul = output.iter().rposition(|byte| *byte == 0);
        let (text, words) = output.split_at(nul.unwrap_or(output.len()));
        let words = String::from_utf8_lossy(words);
        let mut words = words.trim_matches(['\0', '\n']).split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Self { text: String::from_utf8_lossy(text).into_owned(), words: [word(), word(), word()], length: text.len() }
    }

    /// A diff of at most `max` bytes. Bytes that are not UTF-8 are replaced; no character is split.
    pub(super) fn changes(self, max: usize) -> Changes {
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        let whole = number(&self.words[1]);
        let mut text = self.text;
        if whole > self.length as u64
            && let Some(cut) = text.strip_suffix(char::REPLACEMENT_CHARACTER)
        {
            // The cut went through a character.
            text.truncate(cut.len());
        }
        text.truncate(text.floor_char_boundary(max));
        Changes { files: number(&self.words[2]), left_out_bytes: whole.saturating_sub(text.len() as u64), diff: text }
    }

    /// Names of files, one on each line.
    pub(super) fn names(&self) -> FileNames {
        let all = self.text.lines().count();
        let names: Vec<_> = self.text.lines().take(SHOWN).map(str::to_owned).collect();
        FileNames { more: (all - names.len()) as u64, names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_diff_is_cut_between_characters_and_what_is_left_out_is_counted() {
        let changes = |text: &str, whole: usize, max| Said::read(format!("{text}\0t {whole} 2").as_bytes()).changes(max);
        assert_eq!(changes("aé", 3, 9), Changes { diff: "aé".into(), files: 2, left_out_bytes: 0 });
        assert_eq!(changes("abc", 10, 3), Changes { diff: "abc".into(), files: 2, left_out_bytes: 7 });
        let cut = Said::read(b"a\xc3\0t 9 1").changes(2);
        assert_eq!(cut, Changes { diff: "a".into(), files: 1, left_out_bytes: 8 });
    }

    #[test]
    fn names_are_listed_up_to_a_bound_and_the_rest_is_counted() {
        let many: String = (0..SHOWN + 7).map(|number| format!("f{number}\n")).collect();
        let names = Said::read(format!("{many}\0t").as_bytes()).names();
        assert_eq!((names.names.len(), names.more, names.names[0].as_str()), (SHOWN, 7, "f0"));
    }

    proptest! {
        #[test]
        fn no_output_makes_reading_panic_and_no_diff_passes_its_limit(bytes in proptest::collection::vec(any::<u8>(), 0..200), max in 1_usize..100) {
            prop_assert!(Said::read(&bytes).changes(max).diff.len() <= max);
        }
    }
}
