//! `capstan threads undo`: the workspace as it was before a turn.

use super::place::Place;
use super::turn;
use crate::args::UndoArgs;
use crate::client::Client;
use crate::commands::exec::at_work;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::text;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::checkpoint::{FileNames, Undo};
use capstan_types::id::ThreadId;
use std::io::{self, Write};

pub(super) fn run(args: &UndoArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let turn = turn(args.turn.as_deref())?;
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let (thread, undo) = crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        // Its turn may be changing the workspace just now.
        at_work(&thread)?;
        Ok((thread.id, client.undo(thread.id, turn, args.force).await.map_err(refused)?))
    }))?;
    told(thread, undo)
}

fn told(thread: ThreadId, undo: Undo) -> Result<Exit, Failure> {
    match undo {
        Undo::Done { saved, changed, resisted } => {
            let list: String = changed.names.iter().map(|name| format!("  {}\n", text::line(name))).collect();
            let back = format!("to take this back: capstan threads undo {thread} {saved}");
            // It is done, whether or not anybody reads that.
            let _ = write!(io::stdout().lock(), "brought back {}:\n{list}{}{back}\n", count(&changed), more(&changed));
            match resisted {
                false => Ok(Exit::Success),
                true => Err(Failure::failed("some files could not be brought back, because they may not be written")
                    .hint("compare them with `git diff`, or look for read-only directories")),
            }
        }
        Undo::ChangedSince(files) => {
            let names = files.names.join(", ");
            let sentence =
                format!("nothing was undone: {} changed since the turn ended: {names}{}", count(&files), and_more(&files));
            Err(Failure::failed(sentence)
                .hint("with --force they are undone as well; the present state is kept, and can be brought back"))
        }
        Undo::NeverEnded => {
            let sentence = "nothing was undone: the end of the turn was not seen, so what has changed since is not known";
            Err(Failure::failed(sentence)
                .hint("with --force all of it is undone; the present state is kept, and can be brought back"))
        }
    }
}

fn count(files: &FileNames) -> String {
    text::counted(files.names.len().saturating_add(usize::try_from(files.more).unwrap_or(usize::MAX)), "file")
}

fn more(files: &FileNames) -> String {
    if files.more > 0 { format!("  … and {} more\n", files.more) } else { String::new() }
}

fn and_more(files: &FileNames) -> String {
    if files.more > 0 { format!(" and {} more", files.more) } else { String::new() }
}
