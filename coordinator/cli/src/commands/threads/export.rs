//! `capstan threads export`: a whole thread as JSON lines.

use super::place::Place;
use crate::args::ExportArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

pub(super) fn run(args: &ExportArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    let file = args.output.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    runtime::block_on(place.with(async |client: Client| match &file {
        Some(path) => to_file(client, &args.thread, path.as_path()).await,
        None => to_output(client, &args.thread).await,
    }))
}

/// Beside its place until it is whole, so that half an export is never taken for one.
async fn to_file(client: Client, thread: &str, path: &Path) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::bad_input(format!("the file {} cannot be written: {error}", path.display()));
    let beside = path.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = BufWriter::new(NamedTempFile::new_in(beside).map_err(failed)?);
    written(client, thread, &mut out).await?.map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(Exit::Success)
}

async fn to_output(client: Client, thread: &str) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout());
    match written(client, thread, &mut out).await?.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Success),
        // Whoever has left has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(error) => Err(Failure::failed(format!("the output cannot be written: {error}"))),
    }
}

async fn written(mut client: Client, thread: &str, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
    let thread = named(&mut client, thread).await?.id;
    client.export(thread, |line| writeln!(out, "{line}")).await.map_err(refused)
}
