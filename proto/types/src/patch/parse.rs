//! Reads the text of a patch.

use super::error::shorten;
use super::{Chunk, FileHunk, Patch, PatchError};
use std::collections::HashSet;

pub(super) const BEGIN: &str = "*** Begin Patch";
pub(super) const END: &str = "*** End Patch";
pub(super) const ADD: &str = "*** Add File:";
pub(super) const DELETE: &str = "*** Delete File:";
pub(super) const UPDATE: &str = "*** Update File:";
pub(super) const MOVE: &str = "*** Move to:";
pub(super) const END_OF_FILE: &str = "*** End of File";

const A_FILE: &str = "`*** Add File: PATH`, `*** Delete File: PATH`, `*** Update File: PATH` or `*** End Patch`";
const A_CONTENT_LINE: &str = "a line that starts with `+`, or the next `***` line";
const A_CHUNK_LINE: &str = "a line that starts with a space, `-` or `+`, a `@@` line, or the next `***` line";
const A_NEW_CHUNK: &str = "a `@@` line or the next file, because `*** End of File` ends a chunk,";

/// Reads a patch.
///
/// Blank lines around it, blanks around the marker lines, Windows line ends and a here-document wrapped around it are taken off.
///
/// # Errors
/// A text that is not a patch, or not the whole of one, a patch without files, or with a file twice.
pub fn parse(text: &str) -> Result<Patch, PatchError> {
    let lines = body(text)?;
    let mut reader = Reader { lines: &lines, at: 0 };
    let mut hunks = Vec::new();
    while let Some(line) = reader.peek() {
        if line.trim().is_empty() {
            reader.at += 1;
        } else {
            hunks.push(reader.file()?);
        }
    }
    if hunks.is_empty() {
        return Err(PatchError::Empty);
    }
    refuse_duplicates(&hunks)?;
    Ok(Patch { hunks })
}

/// The lines between the first and the last marker.
fn body(text: &str) -> Result<Vec<&str>, PatchError> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    trim_blank(&mut lines);
    unwrap_here_document(&mut lines);
    let (Some(&first), Some(&last)) = (lines.first(), lines.last()) else {
        return Err(PatchError::NoBegin { found: String::new() });
    };
    if first.trim() != BEGIN {
        return Err(PatchError::NoBegin { found: shorten(first) });
    }
    if lines.len() < 2 || last.trim() != END {
        return Err(PatchError::NoEnd { found: shorten(last) });
    }
    // A patch that was written with Windows line ends throughout does not mean its carriage returns as text.
    if first.ends_with('\r') {
        lines.iter_mut().for_each(|line| *line = line.strip_suffix('\r').unwrap_or(line));
    }
    lines.pop();
    lines.remove(0);
    Ok(lines)
}

fn trim_blank(lines: &mut Vec<&str>) {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.trim().is_empty()).count();
    lines.drain(..blank);
}

/// Takes `<<'EOF'` … `EOF` off, with or without the program's name before it.
fn unwrap_here_document(lines: &mut Vec<&str>) {
    let Some((_, word)) = lines.first().and_then(|first| first.trim().split_once("<<")) else {
        return;
    };
    let word = word.trim_start_matches('-').trim().trim_matches(['\'', '"']);
    if lines.len() < 2 || word.is_empty() || lines.last().is_none_or(|last| last.trim() != word) {
        return;
    }
    lines.pop();
    lines.remove(0);
    trim_blank(lines);
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    /// The line that `at` stands on, refused.
    fn refuse(&self, expected: &'static str) -> PatchError {
        PatchError::Line { number: self.at + 2, found: shorten(self.peek().unwrap_or(END)), expected }
    }

    fn file(&mut self) -> Result<FileHunk, PatchError> {
        if let Some(path) = self.header(ADD)? {
            return Ok(FileHunk::Add { path, content: self.content()? });
        }
        if let Some(path) = self.header(DELETE)? {
            return Ok(FileHunk::Delete { path });
        }
        if let Some(path) = self.header(UPDATE)? {
            return self.update(path);
        }
        Err(self.refuse(A_FILE))
    }

    /// Takes the line if it starts with `marker`, and gives the path behind it.
    fn header(&mut self, marker: &str) -> Result<Option<String>, PatchError> {
        let Some(rest) = self.peek().and_then(|line| line.trim().strip_prefix(marker)) else {
            return Ok(None);
        };
        let path = rest.trim();
        if path.is_empty() || path.contains('\0') {
            return Err(PatchError::Path { number: self.at + 2, found: shorten(self.peek().unwrap_or_default()) });
        }
        self.at += 1;
        Ok(Some(path.to_owned()))
    }

    fn content(&mut self) -> Result<String, PatchError> {
        let mut content = String::new();
        while let Some(line) = self.peek() {
            if let Some(text) = line.strip_prefix('+') {
                content.push_str(text);
                content.push('\n');
            } else if line.trim_start().starts_with("***") {
                break;
            } else if !line.trim().is_empty() {
                return Err(self.refuse(A_CONTENT_LINE));
            }
            self.at += 1;
        }
        Ok(content)
    }

    fn update(&mut self, path: String) -> Result<FileHunk, PatchError> {
        let moved_to = self.header(MOVE)?;
        let mut chunks: Vec<Chunk> = Vec::new();
        while let Some(line) = self.peek() {
            if is_marker(line) {
                break;
            }
            if chunks.is_empty() && line.trim().is_empty() {
                self.at += 1;
                continue;
            }
            if !chunks.is_empty() && !line.starts_with("@@") {
                return Err(self.refuse(A_NEW_CHUNK));
            }
            chunks.push(self.chunk()?);
        }
        let last_says_nothing = chunks.last().is_some_and(Chunk::is_position_only);
        if last_says_nothing || (chunks.is_empty() && moved_to.is_none()) {
            return Err(PatchError::NoChange { path });
        }
        Ok(FileHunk::Update { path, moved_to, chunks })
    }

    fn chunk(&mut self) -> Result<Chunk, PatchError> {
        let mut chunk = Chunk::default();
        if let Some(rest) = self.peek().and_then(|line| line.strip_prefix("@@")) {
            chunk.context = context(rest);
            self.at += 1;
        }
        let mut blank = 0;
        while let Some(line) = self.peek() {
            if line.trim_end() == END_OF_FILE {
                chunk.at_end_of_file = true;
                self.at += 1;
                self.skip_blank();
                break;
            }
            if is_marker(line) || line.starts_with("@@") {
                break;
            }
            if matches!(line, "" | "\r") {
                blank += 1;
            } else {
                keep_blank(&mut chunk, std::mem::take(&mut blank));
                take_line(&mut chunk, line).ok_or_else(|| self.refuse(A_CHUNK_LINE))?;
            }
            self.at += 1;
        }
        Ok(chunk)
    }

    fn skip_blank(&mut self) {
        while self.peek().is_some_and(|line| line.trim().is_empty()) {
            self.at += 1;
        }
    }
}

/// Whether a line begins the next file. Only at the very start of the line: behind a blank it is a line of the file.
fn is_marker(line: &str) -> bool {
    line.starts_with("*** ")
}

/// What stands behind `@@`. The line numbers of a unified diff say nothing that the lines themselves do not say better.
fn context(rest: &str) -> Option<String> {
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    let numbered = text.starts_with('-') && text.contains(" +") && text.contains(" @@");
    (!numbered && !text.trim().is_empty()).then(|| text.to_owned())
}

/// Editors and models drop the blank of an empty line that stays. Such lines at a chunk's end are not kept: there they are the gap
/// before what follows.
fn keep_blank(chunk: &mut Chunk, lines: usize) {
    let blank = || std::iter::repeat_n(String::new(), lines);
    chunk.old.extend(blank());
    chunk.new.extend(blank());
}

fn take_line(chunk: &mut Chunk, line: &str) -> Option<()> {
    let (sign, text) = line.split_at_checked(1)?;
    match sign {
        " " => {
            chunk.old.push(text.to_owned());
            chunk.new.push(text.to_owned());
        }
        "-" => chunk.old.push(text.to_owned()),
        "+" => chunk.new.push(text.to_owned()),
        _ => return None,
    }
    Some(())
}

fn refuse_duplicates(hunks: &[FileHunk]) -> Result<(), PatchError> {
    let mut seen = HashSet::new();
    for path in hunks.iter().flat_map(FileHunk::paths) {
        if !seen.insert(folded(path)) {
            return Err(PatchError::Duplicate { path: path.to_owned() });
        }
    }
    Ok(())
}

/// The path without what does not change its meaning, so that `./a` and `b/../a` are seen to be the same file.
fn folded(path: &str) -> Vec<&str> {
    let mut parts = if path.starts_with('/') { vec!["/"] } else { Vec::new() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "/")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}
