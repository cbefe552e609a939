//! `capstan threads diff`: what a turn changed.

use super::place::Place;
use super::turn;
use crate::args::DiffArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::text;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::checkpoint::Changes;
use std::io::{self, IsTerminal, Write};

pub(super) fn run(args: &DiffArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let turn = turn(args.turn.as_deref())?;
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let changes = crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?.id;
        client.diff(thread, turn).await.map_err(refused)
    }))?;
    show(&changes);
    Ok(Exit::Success)
}

/// To a terminal without what speaks to it, and else as it is, so that it can be applied.
fn show(changes: &Changes) {
    let mut out = io::stdout().lock();
    // Whoever closes the pipe has read enough.
    let _ = if out.is_terminal() {
        text::exact_lines(&changes.diff).iter().try_for_each(|line| writeln!(out, "{line}"))
    } else {
        out.write_all(changes.diff.as_bytes())
    };
    if changes.left_out_bytes > 0 {
        let (bytes, files) = (changes.left_out_bytes, changes.files);
        let _ = writeln!(io::stderr().lock(), "{bytes} more bytes of the diff are not shown; {files} files changed in all");
    }
}
