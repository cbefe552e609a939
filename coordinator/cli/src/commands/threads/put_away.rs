//! `capstan threads archive`, `unarchive`, `delete`, `name` and `steer`: each changes threads, and says in a line what it did.

use super::place::Place;
use crate::args::{DeleteArgs, NameArgs, NamedArgs, SteerArgs};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::text;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::thread::ThreadRecord;
use std::io::{self, BufRead, IsTerminal, Write};

pub(super) fn archive(args: &NamedArgs, undo: bool, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        for thread in all(&mut client, &args.threads).await? {
            client.archive(thread.id, undo).await.map_err(refused)?;
            say(&format!("{} {}", if undo { "took back" } else { "put away" }, thread.id));
        }
        Ok(Exit::Success)
    }))
}

pub(super) fn delete(args: &DeleteArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !args.yes && !can_ask {
        return Err(Failure::bad_input("a thread that is deleted cannot be brought back, and there is nobody to ask")
            .hint("--yes deletes without asking; `capstan threads archive` only puts away"));
    }
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        for thread in all(&mut client, &args.threads).await? {
            if args.yes || is_meant(&thread)? {
                client.delete(thread.id).await.map_err(refused)?;
                say(&format!("deleted {}", thread.id));
            }
        }
        Ok(Exit::Success)
    }))
}

fn is_meant(thread: &ThreadRecord) -> Result<bool, Failure> {
    let words = thread.name.as_ref().unwrap_or(&thread.preview);
    let question = format!("delete thread {} ({}) with all that is stored of it? [y/N] ", thread.id, text::line(words));
    let unread = |error: io::Error| Failure::failed(format!("the answer cannot be read: {error}"));
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes()).and_then(|()| err.flush()).map_err(unread)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(unread)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) fn name(args: &NameArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        client.rename(thread.id, args.name.clone()).await.map_err(refused)?;
        Ok(Exit::Success)
    }))
}

pub(super) fn steer(args: &SteerArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        client.steer(thread.id, args.text.clone()).await.map_err(refused)?;
        Ok(Exit::Success)
    }))
}

/// All of them, before anything is done to one.
async fn all(client: &mut Client, given: &[String]) -> Result<Vec<ThreadRecord>, Failure> {
    let mut threads = Vec::with_capacity(given.len());
    for given in given {
        threads.push(named(client, given).await?);
    }
    Ok(threads)
}

fn say(line: &str) {
    // It is done, whether or not anybody reads that.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
