//! What a command gives out whole: into a file, which takes its name when all of it is there, or to standard output.

use crate::failure::{Exit, Failure};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Has `write` write it. Its inner error is of the output.
pub(super) async fn written(
    to: Option<&Path>,
    write: impl AsyncFnOnce(&mut dyn Write) -> Result<io::Result<()>, Failure>,
) -> Result<Exit, Failure> {
    match to {
        Some(path) => to_file(path, write).await,
        None => to_output(write).await,
    }
}

/// Beside its place until it is whole, so that half of it is never taken for all.
async fn to_file(
    path: &Path,
    write: impl AsyncFnOnce(&mut dyn Write) -> Result<io::Result<()>, Failure>,
) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::bad_input(format!("the file {} cannot be written: {error}", path.display()));
    let beside = path.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = BufWriter::new(NamedTempFile::new_in(beside).map_err(failed)?);
    write(&mut out).await?.map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(Exit::Success)
}

async fn to_output(write: impl AsyncFnOnce(&mut dyn Write) -> Result<io::Result<()>, Failure>) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout());
    match write(&mut out).await?.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Success),
        // Whoever has left has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(error) => Err(Failure::failed(format!("the output cannot be written: {error}"))),
    }
}
