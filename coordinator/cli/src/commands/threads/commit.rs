//! `capstan threads commit`: what a thread changed, as a commit on a branch of a local repository.

use super::place::Place;
use super::turn;
use crate::args::CommitArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::fetched::fetched;
use crate::local_git::{Git, Repository};
use crate::patches::{Commit, commit};
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use std::io::{self, Write};

pub(super) fn run(args: &CommitArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let (git, turn) = (Git::find(surroundings)?, turn(args.turn.as_deref())?);
    let directory = args.cd.as_deref().map_or_else(|| Ok(surroundings.cwd().clone()), |path| surroundings.absolute(path))?;
    let repository = Repository::of(&git, directory.as_path())?;
    if args.message.trim().is_empty() {
        return Err(Failure::bad_input("the message is empty; say what the commit is for with -m TEXT"));
    }
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let (file, facts) = runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?.id;
        fetched(&mut client, thread, turn).await
    }))?;
    if facts.bytes == 0 {
        return Err(Failure::failed("no commit was made: the thread changed nothing"));
    }
    let base = args.base.as_deref().or(facts.base.as_deref()).unwrap_or("HEAD");
    let wanted = Commit { branch: &args.branch, message: &args.message, author: args.author.as_deref(), base, force: args.force };
    let made = commit(&git, &repository, file.path(), &wanted, surroundings)?;
    // It is made, whether or not anybody reads that.
    let _ = writeln!(io::stdout().lock(), "committed {} as {made} on the branch {}", told(facts.files), args.branch);
    Ok(Exit::Success)
}

fn told(files: u64) -> String {
    crate::render::text::counted(usize::try_from(files).unwrap_or(usize::MAX), "changed file")
}
