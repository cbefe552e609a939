//! `capstan apply`: what a thread changed, onto the files of a local repository.

use super::threads::place::Place;
use crate::args::ApplyArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::fetched::fetched;
use crate::given_file;
use crate::local_git::{Git, Repository};
use crate::patches::{Applied, Direction, How, apply, told, untold};
use crate::runtime;
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use crate::thread_choice::{last, named};
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::path::AbsPath;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Runs the command.
///
/// # Errors
/// What was given cannot be used, or the patch does not fit.
pub fn run(args: &ApplyArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let git = Git::find(surroundings)?;
    let turn = args.turn.as_deref().map(|turn| turn.parse::<TurnId>().map_err(Failure::bad_input)).transpose()?;
    let directory = args.cd.as_deref().map_or_else(|| Ok(surroundings.cwd().clone()), |path| surroundings.absolute(path))?;
    let repository = Repository::of(&git, directory.as_path())?;
    let patch = match &args.what {
        Some(what) => given(what, turn, surroundings)?,
        None => None,
    };
    let patch = match patch {
        Some(patch) => patch,
        None => of_thread(args, turn, surroundings)?,
    };
    let direction = if args.reverse { Direction::Reverse } else { Direction::Forward };
    let how = How { direction, marks: args.three_way, only_check: args.check };
    let is_empty = patch.as_file().metadata().is_ok_and(|found| found.len() == 0);
    if is_empty {
        let _ = writeln!(io::stdout().lock(), "nothing to apply: it changes nothing");
        return Ok(Exit::Success);
    }
    let applied = at_one_go(git, repository, patch, how)?;
    // It is done, whether or not anybody reads that.
    let _ = write!(io::stdout().lock(), "{}", told(&applied, how));
    untold(&applied, how).map_or(Ok(Exit::Success), Err)
}

/// Applies it. A signal ends git while it judges, and nothing when files are being exchanged: that comes to its end.
fn at_one_go(git: Git, repository: Repository, patch: NamedTempFile, how: How) -> Result<Applied, Failure> {
    runtime::block_on(async move {
        let _signals = Signals::listen().map_err(Failure::failed)?;
        tokio::task::spawn_blocking(move || apply(&git, &repository, patch.path(), how)).await.map_err(Failure::failed)?
    })
}

/// The patch on standard input or in a file; none where a thread is meant.
fn given(what: &str, turn: Option<TurnId>, surroundings: &Surroundings) -> Result<Option<NamedTempFile>, Failure> {
    let path = surroundings.absolute(Path::new(what))?;
    let is_file = what == "-" || (what.parse::<ThreadId>().is_err() && path.as_path().is_file());
    if !is_file {
        return Ok(None);
    }
    if turn.is_some() {
        return Err(Failure::bad_input("--turn is for threads; a patch that is given is applied as it is"));
    }
    copied(what, &path).map(Some)
}

/// A copy, so that all of it is judged and applied as it was when it was read.
fn copied(what: &str, path: &AbsPath) -> Result<NamedTempFile, Failure> {
    let failed = |error: io::Error| Failure::bad_input(format!("the patch {what} cannot be read: {error}"));
    let mut to = NamedTempFile::with_prefix("capstan-patch-").map_err(failed)?;
    if what == "-" {
        io::copy(&mut io::stdin().lock(), &mut to).map_err(failed)?;
    } else {
        io::copy(&mut given_file::open(path.as_path()).map_err(failed)?, &mut to).map_err(failed)?;
    }
    Ok(to)
}

fn of_thread(args: &ApplyArgs, turn: Option<TurnId>, surroundings: &Surroundings) -> Result<NamedTempFile, Failure> {
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    runtime::block_on(place.with(async |mut client: Client| {
        let thread = match &args.what {
            Some(thread) => named(&mut client, thread).await?.id,
            None => last(&mut client, None).await?.id,
        };
        fetched(&mut client, thread, turn).await.map(|(file, _)| file)
    }))
}
