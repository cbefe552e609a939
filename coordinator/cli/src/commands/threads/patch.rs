//! `capstan threads patch`: what a thread changed, as a patch.

use super::place::Place;
use super::turn;
use crate::args::PatchArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::id::TurnId;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

pub(super) fn run(args: &PatchArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let turn = turn(args.turn.as_deref())?;
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let file = args.output.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    runtime::block_on(place.with(async |client: Client| match &file {
        Some(path) => to_file(client, (&args.thread, turn), path.as_path()).await,
        None => to_output(client, (&args.thread, turn)).await,
    }))
}

/// Beside its place until it is whole, so that half a patch is never taken for one.
async fn to_file(client: Client, what: (&str, Option<TurnId>), path: &Path) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::bad_input(format!("the file {} cannot be written: {error}", path.display()));
    let beside = path.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = BufWriter::new(NamedTempFile::new_in(beside).map_err(failed)?);
    written(client, what, &mut out).await?.map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(Exit::Success)
}

async fn to_output(client: Client, what: (&str, Option<TurnId>)) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout());
    match written(client, what, &mut out).await?.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Success),
        // Whoever has left has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(error) => Err(Failure::failed(format!("the output cannot be written: {error}"))),
    }
}

async fn written(
    mut client: Client,
    (thread, turn): (&str, Option<TurnId>),
    out: &mut impl Write,
) -> Result<io::Result<()>, Failure> {
    let thread = named(&mut client, thread).await?.id;
    let facts = client.patch(thread, turn, |piece| out.write_all(piece)).await.map_err(refused)?;
    Ok(facts.map(drop))
}
