//! A patch and a file, parted by a NUL: what is read is printed so that it reads the same, what is applied loses no line that stays, and what
//! is put in place of a file's whole content can be taken back.
#![no_main]

use capstan_types::patch::{Chunk, FileHunk, apply, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (patch, file) = text.split_once('\0').unwrap_or((text, "one\ntwo\nthree\n"));
    let wrapped = format!("*** Begin Patch\n{patch}\n*** End Patch");
    let Ok(read) = parse(&wrapped).or_else(|_| parse(patch)) else { return };
    assert_eq!(parse(&read.to_string()).expect("what was printed can be read"), read);
    for hunk in &read.hunks {
        let FileHunk::Update { path, chunks, .. } = hunk else { continue };
        let Ok(applied) = apply(path, file, chunks) else { continue };
        let came: usize = chunks.iter().flat_map(|chunk| &chunk.new).map(|line| line.len() + 2).sum();
        assert!(applied.len() <= file.len() + came + 2, "more came than the patch holds");
        whole(path, file, &applied);
    }
});

/// From one content to another as one chunk of all lines, and back.
fn whole(path: &str, file: &str, applied: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(file), lines(applied));
    // Of a file with one kind of line end this must hold; of a mixed one nobody knows which a new line had.
    let plain = |text: &str| !text.contains('\r') && text.ends_with('\n');
    if old.is_empty() || new.is_empty() || !plain(file) || !plain(applied) {
        return;
    }
    let chunk = Chunk { context: None, old: old.clone(), new: new.clone(), at_end_of_file: false };
    let back = Chunk { context: None, old: new, new: old, at_end_of_file: false };
    let there = apply(path, file, &[chunk]).expect("all lines of a file are found in it");
    assert_eq!(there, applied);
    assert_eq!(apply(path, &there, &[back]).expect("all lines of a file are found in it"), file);
}
