//! `capstan files`: the files of a thread's workspace.
//!
//! What the workspace holds, names included, reaches a terminal as clean lines, and everything else as it is.

mod cat;
mod list;
mod put;
mod search;
mod watch;

use super::threads::place::Place;
use crate::args::{DaemonArgs, FilesArgs, FilesCommand};
use crate::client::Client;
use crate::failure::{Exit, Failure, warn};
use crate::render::text;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::files::document::LeaveOut;
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Done, Stopped};
use capstan_types::id::ThreadId;
use serde::Serialize;
use std::ffi::OsStr;
use std::future::Future;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// Runs the command.
///
/// # Errors
/// What was given cannot be used, the coordinator or the thread's node is not there, or the file is not to be had.
pub fn run(args: &FilesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match &args.command {
        FilesCommand::List(args) => list::run(args, surroundings),
        FilesCommand::Cat(args) => cat::run(args, surroundings),
        FilesCommand::Search(args) => search::run(args, surroundings),
        FilesCommand::Put(args) => put::run(args, surroundings),
        FilesCommand::Watch(args) => watch::run(args, surroundings),
    }
}

/// Does something with a thread, wherever it is.
fn with<F: Future<Output = Result<Exit, Failure>>>(
    (thread, daemon): (&str, &DaemonArgs),
    surroundings: &Surroundings,
    act: impl FnOnce(Client, ThreadId) -> F,
) -> Result<Exit, Failure> {
    let place = Place::with_workspaces(daemon, surroundings)?;
    crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, thread).await?.id;
        act(client, thread).await
    }))
}

fn path(text: &OsStr) -> Result<FilePath, Failure> {
    FilePath::new(text.as_bytes()).map_err(|error| Failure::bad_input(format!("`{}`: {error}", text.display())))
}

const fn leave(all: bool) -> LeaveOut {
    if all { LeaveOut::Nothing } else { LeaveOut::Ignored }
}

/// A path on one clean line.
fn shown(path: &FilePath) -> String {
    text::line(&path.to_string())
}

/// Prints one JSON object. Whoever closes the pipe has read enough: that is an error here, and no failure.
fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(value)?;
    writeln!(out, "{line}")
}

/// Says what is missing in an answer.
fn warn_of(done: &Done, more: &str) {
    let mut to = io::stderr().lock();
    match done.stopped {
        None => {}
        Some(Stopped::Limit | Stopped::Depth) => warn(&mut to, &format!("there is more: {more}")),
        Some(Stopped::Bytes) => warn(&mut to, "there is more than one answer may have; look for less at once"),
        Some(Stopped::Time) => warn(&mut to, "there may be more: it took too long; look in fewer files"),
    }
    for (path, reason) in &done.skipped.named {
        warn(&mut to, &format!("`{path}` was left out: {reason}"));
    }
    let others = done.skipped.count.saturating_sub(done.skipped.named.len() as u64);
    if others > 0 {
        warn(&mut to, &format!("{others} more could not be looked at"));
    }
}
