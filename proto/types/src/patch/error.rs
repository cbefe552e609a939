//! What is wrong with a patch, told so that the model can send a better one.

use std::fmt::Write as _;

/// A patch that cannot be read or applied. Nothing has been changed. Each text is for the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// There is no file in it.
    #[error(
        "the patch names no file; between `*** Begin Patch` and `*** End Patch` it needs at least one `*** Add File: PATH`, `*** Delete File: PATH` or `*** Update File: PATH`"
    )]
    Empty,
    /// It does not start as a patch does.
    #[error("a patch starts with the line `*** Begin Patch`, but this one starts with `{found}`")]
    NoBegin {
        /// Its first line, shortened.
        found: String,
    },
    /// It was cut off, or something follows it.
    #[error("a patch ends with the line `*** End Patch`, but this one ends with `{found}`; send the whole patch again")]
    NoEnd {
        /// Its last line, shortened.
        found: String,
    },
    /// A line that cannot stand where it stands.
    #[error("line {number} of the patch is `{found}`, where {expected} is expected")]
    Line {
        /// The line, counted from `*** Begin Patch` as 1.
        number: usize,
        /// The line, shortened.
        found: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// A file header without a path, or with one that no file can have.
    #[error("line {number} of the patch names no usable path: `{found}`; write the path after the colon, on the same line")]
    Path {
        /// The line, counted from `*** Begin Patch` as 1.
        number: usize,
        /// The line, shortened.
        found: String,
    },
    /// An update without a change.
    #[error(
        "the patch has `*** Update File: {path}` but no change below it; give at least one `-` or `+` line, or `*** Move to: PATH` directly below it"
    )]
    NoChange {
        /// The file.
        path: String,
    },
    /// A file that is named twice.
    #[error(
        "the patch names `{path}` twice; put all changes of one file below one `*** Update File:` line (which can also replace the whole content)"
    )]
    Duplicate {
        /// The file.
        path: String,
    },
    /// Lines that the file does not have.
    #[error(
        "these lines of the patch were not found in `{path}`:\n{lines}\n{hint}Read the file again, and send a patch whose context and `-` lines are exactly those of the file."
    )]
    NotFound {
        /// The file.
        path: String,
        /// The lines, shortened.
        lines: String,
        /// What the file has instead, as a whole line, or nothing.
        hint: String,
    },
    /// Lines that the file has more than once.
    #[error(
        "these lines of the patch are in `{path}` more than once ({places}):\n{lines}\nAdd more lines around them, or put `@@ ` and the first line of the enclosing function or class above the chunk."
    )]
    Ambiguous {
        /// The file.
        path: String,
        /// The lines, shortened.
        lines: String,
        /// Where they are.
        places: String,
    },
    /// Lines that are above those of an earlier chunk.
    #[error(
        "these lines of the patch are in `{path}` at line {found}, above those of the chunk before:\n{lines}\nSend the chunks of a file in the order of the file, without overlap."
    )]
    OutOfOrder {
        /// The file.
        path: String,
        /// The lines, shortened.
        lines: String,
        /// Where they are, counted from 1.
        found: usize,
    },
}

const SHOWN_LINES: usize = 20;
const SHOWN_CHARS: usize = 200;
const SHOWN_PLACES: usize = 5;

/// One line, short enough for an error.
pub(super) fn shorten(line: &str) -> String {
    let line = line.trim_end();
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

/// Lines as an error shows them: indented, long lines and long lists cut.
pub(super) fn listing<'a>(lines: impl ExactSizeIterator<Item = &'a str>) -> String {
    let hidden = lines.len().saturating_sub(SHOWN_LINES);
    let mut text: Vec<String> = lines.take(SHOWN_LINES).map(|line| format!("    {}", shorten(line))).collect();
    if hidden > 0 {
        text.push(format!("    … and {hidden} more lines"));
    }
    text.join("\n")
}

/// Places as an error shows them; `indexes` count from 0, people from 1.
pub(super) fn places(indexes: &[usize]) -> String {
    let shown: Vec<String> = indexes.iter().take(SHOWN_PLACES).map(|index| (index + 1).to_string()).collect();
    let mut text = format!("at lines {}", shown.join(", "));
    if indexes.len() > SHOWN_PLACES {
        let _ = write!(text, " and {} more", indexes.len() - SHOWN_PLACES);
    }
    text
}
