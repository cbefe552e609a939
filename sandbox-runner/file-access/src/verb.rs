//! The `files` verb: a document comes in, and frames go out.

use crate::beneath::Top;
use crate::out::Out;
use crate::refusal::refused;
use crate::walk::is_hidden;
use crate::{list, read, search, watch, write};
use capstan_types::files::document::{FilesDocument, FilesQuery};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::FilesReport;
use rustix::io::Errno;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

/// The longest document, in bytes.
const MAX_DOCUMENT: u64 = 1 << 20;
/// The exit code for a document that cannot be understood, or for a reader that has gone.
const MISUSE: u8 = 2;

/// Reads a [`FilesDocument`] as one line of JSON from standard input, and answers on standard output in frames
/// ([`capstan_types::files::frame`]); what is to be written follows the line, and else the reader's acknowledgements.
///
/// Exit code 2, and a sentence on standard error, for a document that cannot be understood, and when nobody reads the answer.
pub fn files() -> ExitCode {
    let stdin = io::stdin();
    let mut input = BufReader::new(stdin.lock());
    let done = document(&mut input).and_then(|document| {
        let answered = answer(&document, (&mut input, stdin.as_fd()), &mut io::stdout().lock());
        answered.map_err(|error| format!("the answer could not be given: {error}"))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(io::stderr().lock(), "capstan-sandbox: {reason}");
            ExitCode::from(MISUSE)
        }
    }
}

fn document(input: &mut impl BufRead) -> Result<FilesDocument, String> {
    let mut line = Vec::new();
    let read = input.take(MAX_DOCUMENT + 1).read_until(b'\n', &mut line);
    let length = read.map_err(|error| format!("cannot read the document: {error}"))?;
    if length as u64 > MAX_DOCUMENT {
        return Err(format!("the document is longer than {MAX_DOCUMENT} bytes"));
    }
    serde_json::from_slice(&line).map_err(|error| format!("the document is not valid: {error}"))
}

/// Answers. `input` reads from `heard`, which is watched for the end of whoever asked.
///
/// # Errors
/// Nobody hears it any more.
pub(crate) fn answer(
    document: &FilesDocument,
    (input, heard): (&mut dyn Read, BorrowedFd<'_>),
    output: &mut dyn Write,
) -> io::Result<()> {
    let FilesDocument { top: place, hidden, query } = document;
    let top = match Top::open(place.as_path()) {
        Ok(top) => top,
        Err(error) => {
            let refused = refused(&FilePath::default(), "opened", &error);
            return Out::new(output, input).tell(&FilesReport::Refused(refused));
        }
    };
    if let Some(path) = Some(path(query)).filter(|path| is_hidden(hidden, path)) {
        let refused = refused(path, "found", &Errno::NOENT.into());
        return Out::new(output, input).tell(&FilesReport::Refused(refused));
    }
    match query {
        FilesQuery::Read(query) => read::read(&top, query, &mut Out::new(output, input)),
        FilesQuery::List(query) => list::list(&top, query, hidden, &mut Out::new(output, input)),
        FilesQuery::Search(query) => search::search(&top, query, hidden, &mut Out::new(output, input)),
        FilesQuery::Write(query) => {
            let report = write::write(&top, query, input).map_or_else(FilesReport::Refused, FilesReport::Written);
            Out::new(output, input).tell(&report)
        }
        FilesQuery::Watch(query) => watch::watch(&top, query, hidden, &mut Out::new(output, input), heard),
    }
}

const fn path(query: &FilesQuery) -> &FilePath {
    match query {
        FilesQuery::Read(query) => &query.path,
        FilesQuery::List(query) => &query.path,
        FilesQuery::Search(query) => &query.path,
        FilesQuery::Write(query) => &query.path,
        FilesQuery::Watch(query) => &query.path,
    }
}
