//! What holds for every patch.

use crate::patch::{Chunk, FileHunk, Patch, PatchError, apply, parse};
use proptest::collection::vec;
use proptest::prelude::*;

/// A file of lines that are all different, with an end of line of its own and perhaps none at its end. Where its one line has none,
/// nothing tells how lines end in it, and they end as most files' do.
#[derive(Debug, Clone)]
struct Original {
    lines: Vec<String>,
    end: &'static str,
    final_newline: bool,
}

impl Original {
    fn text(&self) -> String {
        let text = self.lines.join(self.end);
        if self.final_newline && !self.lines.is_empty() { text + self.end } else { text }
    }
}

fn originals() -> impl Strategy<Value = Original> {
    let lines = vec("[ a-z(){}]{0,12}", 1..40);
    (lines, prop_oneof![Just("\n"), Just("\r\n")], any::<bool>()).prop_map(|(lines, end, final_newline)| {
        let lines: Vec<String> = lines.into_iter().enumerate().map(|(number, line)| format!("{line}#{number}")).collect();
        let end = if lines.len() > 1 || final_newline { end } else { "\n" };
        Original { lines, end, final_newline }
    })
}

/// For some stretches of the file: how many lines to skip, how many to keep above, to replace and to put there.
fn plans() -> impl Strategy<Value = Vec<(usize, usize, usize, usize)>> {
    vec((0_usize..6, 0_usize..3, 0_usize..4, 0_usize..4), 1..6)
}

fn chunks(original: &Original, plans: &[(usize, usize, usize, usize)]) -> Vec<Chunk> {
    let mut at = 0;
    let mut chunks = Vec::new();
    for (index, (skip, keep, replace, put)) in plans.iter().enumerate() {
        let (start, kept_to, end) = (at + skip, at + skip + keep, at + skip + keep + replace);
        let Some(old) = original.lines.get(start..end).filter(|old| !old.is_empty()) else { break };
        let mut new = original.lines[start..kept_to].to_vec();
        new.extend((0..*put).map(|line| format!("new {index}.{line}")));
        if !new.is_empty() {
            chunks.push(Chunk { old: old.to_vec(), new, ..Chunk::default() });
        }
        at = end;
    }
    chunks
}

fn reversed(chunks: &[Chunk]) -> Vec<Chunk> {
    chunks.iter().map(|chunk| Chunk { old: chunk.new.clone(), new: chunk.old.clone(), ..chunk.clone() }).collect()
}

/// The lines as the chunks mean them, by a way that does not search.
fn expected(original: &Original, chunks: &[Chunk]) -> Original {
    let mut lines = original.lines.clone();
    for chunk in chunks {
        let at = lines.windows(chunk.old.len()).position(|window| window == chunk.old).unwrap();
        lines.splice(at..at + chunk.old.len(), chunk.new.clone());
    }
    Original { lines, ..original.clone() }
}

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 +*@#-]{0,10}"
}

fn any_chunk() -> impl Strategy<Value = Chunk> {
    let context = proptest::option::of("[a-z (){}]{0,8}[a-z]");
    (context, vec(words(), 0..5), vec(words(), 0..5), any::<bool>())
        .prop_map(|(context, old, new, at_end_of_file)| Chunk { context, old, new, at_end_of_file })
        .prop_filter("a chunk that says nothing cannot be written", |chunk| !chunk.is_position_only())
}

fn any_hunk() -> impl Strategy<Value = FileHunk> {
    let content = vec(words(), 0..5).prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect());
    prop_oneof![
        ("[a-z]{3,12}", content).prop_map(|(path, content)| FileHunk::Add { path, content }),
        "[a-z]{3,12}".prop_map(|path| FileHunk::Delete { path }),
        ("[a-z]{3,12}", proptest::option::of("[A-Z]{3,12}"), vec(any_chunk(), 1..4))
            .prop_map(|(path, moved_to, chunks)| FileHunk::Update { path, moved_to, chunks }),
    ]
}

/// Lines that look like those of a patch, in no good order.
fn noise() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("*** Begin Patch".to_owned()),
        Just("*** End Patch".to_owned()),
        Just("*** End of File".to_owned()),
        Just("*** Move to: x".to_owned()),
        "\\*\\*\\* (Add|Delete|Update) File: [a-c./]{0,3}",
        "@@.{0,5}",
        "[ +-].{0,5}",
        ".{0,6}",
    ];
    vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn a_patch_does_what_its_chunks_say_and_its_reverse_undoes_it(original in originals(), plans in plans()) {
        let chunks = chunks(&original, &plans);
        let text = original.text();
        let patched = apply("f", &text, &chunks).unwrap();
        prop_assert_eq!(&patched, &expected(&original, &chunks).text());
        let undone = apply("f", &patched, &reversed(&chunks)).unwrap();
        // The patch may have taken away every line end.
        let text = if patched.contains('\n') { text } else { text.replace("\r\n", "\n") };
        prop_assert_eq!(undone, text);
    }

    #[test]
    fn what_is_printed_is_read_as_it_was(hunks in vec(any_hunk(), 1..4)) {
        let patch = Patch { hunks };
        match parse(&patch.to_string()) {
            Ok(read) => prop_assert_eq!(read, patch),
            Err(error) => prop_assert!(matches!(error, PatchError::Duplicate { .. }), "{}", error),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic_and_what_it_reads_can_be_printed(text in prop_oneof![".{0,200}", noise(), noise().prop_map(|noise| format!("*** Begin Patch\n{noise}\n*** End Patch"))]) {
        if let Ok(patch) = parse(&text) {
            prop_assert_eq!(parse(&patch.to_string()).unwrap(), patch);
        }
    }

    #[test]
    fn no_chunk_makes_applying_panic(text in "[ab\r\n ]{0,30}", chunks in vec(any_small_chunk(), 0..4)) {
        let applied = apply("f", &text, &chunks);
        if let Ok(applied) = applied {
            let added: usize = chunks.iter().flat_map(|chunk| &chunk.new).map(|line| line.len() + 2).sum();
            prop_assert!(applied.len() <= text.len() + added + 2);
        }
    }
}

fn any_small_chunk() -> impl Strategy<Value = Chunk> {
    let lines = || vec("[ab ]{0,2}", 0..3);
    (proptest::option::of("[ab]{1,2}"), lines(), lines(), any::<bool>()).prop_map(|(context, old, new, at_end_of_file)| Chunk {
        context,
        old,
        new,
        at_end_of_file,
    })
}
