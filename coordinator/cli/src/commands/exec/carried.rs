//! The person's repository to where a thread works, and what the thread changed back to it.

use super::source::Local;
use crate::client::Client;
use crate::failure::Failure;
use crate::fetched::fetched;
use crate::home::Home;
use crate::patches::{Direction, How, apply, told, untold};
use crate::render::amount::bytes;
use crate::render::text;
use crate::surroundings::Surroundings;
use crate::upload::{Depth, Place, Sent, Upload, send, take};
use capstan_types::id::ThreadId;
use capstan_types::saved::CheckpointName;
use capstan_types::source::{SavedSource, WorkspaceSource};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// How often it is said how far an upload has come, in bytes.
const SAID_EVERY: u64 = 64 << 20;

/// Uploads the repository for this thread, and gives what its workspace is made of.
///
/// # Errors
/// It cannot be packed, or the coordinator does not take it.
pub(super) async fn out(
    client: &mut Client,
    local: &Local,
    thread: ThreadId,
    home: &Home,
    surroundings: &Surroundings,
) -> Result<WorkspaceSource, Failure> {
    say(&format!("Packing {}", text::line(&local.repository.top.to_string_lossy())));
    let place = Place::of(home, &local.repository)?;
    let (local, around) = (local.clone(), surroundings.clone());
    let packed = tokio::task::spawn_blocking(move || {
        let upload = take(&local.git, &local.repository, &place, &around);
        (upload, place)
    });
    let (upload, place) = packed.await.map_err(Failure::failed)?;
    let upload = upload?;
    warn(&upload);
    let mut said = 0;
    let sent = send(client, &upload, &place, thread, |out, total| {
        if out / SAID_EVERY > said / SAID_EVERY {
            say(&format!("Uploading: {} of {}", bytes(out), bytes(total)));
        }
        said = out;
    });
    let Sent { bytes: out, .. } = sent.await?;
    let files = text::counted(usize::try_from(upload.taken.files).unwrap_or(usize::MAX), "file");
    say(&format!("Uploaded {files} of {}; {} of that had to travel", bytes(upload.taken.bytes), bytes(out)));
    let name: CheckpointName = crate::upload::NAME.parse().map_err(Failure::failed)?;
    Ok(WorkspaceSource::Saved(SavedSource { thread, name }))
}

/// What is not there as it is here.
fn warn(upload: &Upload) {
    match upload.staged.depth {
        Depth::Whole => {}
        Depth::LastOfMany => say("The repository's history is too large to be uploaded; the last commit goes alone"),
        Depth::LastOfPartial => say("The repository has only parts of its history; the last commit goes alone"),
    }
    let skipped = &upload.taken.skipped;
    if let Some((path, reason)) = skipped.named.first() {
        let more = if skipped.count > 1 { format!(", and {} more", skipped.count - 1) } else { String::new() };
        say(&format!("Not uploaded: {} ({}){more}", text::line(path), text::line(reason)));
    }
}

/// Beside the events, whose first one is that of the thread.
fn say(message: &str) {
    // It goes on, whether or not anybody reads that.
    let _ = writeln!(io::stderr().lock(), "{}", text::line(message));
}

/// Applies what the thread changed to the person's files if it fits; else keeps it as a file, and says so.
///
/// # Errors
/// It does not fit, or cannot be had.
pub(super) async fn back(client: &mut Client, local: &Local, thread: ThreadId, home: &Home) -> Result<(), Failure> {
    let fetched = fetched(client, thread, None).await;
    let (patch, facts) = fetched.map_err(|failure| failure.hint(format!("`capstan apply {thread}` tries again")))?;
    if facts.bytes == 0 {
        // Whoever waits for a change is to know that none was left out.
        say("Nothing to apply: no file is noted as changed there");
        return Ok(());
    }
    let how = How { direction: Direction::Forward, marks: false, only_check: false };
    let (git, repository) = (local.git.clone(), local.repository.clone());
    let applied = tokio::task::spawn_blocking(move || (apply(&git, &repository, patch.path(), how), patch));
    let (applied, patch) = applied.await.map_err(Failure::failed)?;
    let unfit = match applied {
        Ok(applied) => {
            let _ = write!(io::stderr().lock(), "{}", told(&applied, how));
            untold(&applied, how)
        }
        Err(failure) => Some(failure),
    };
    let Some(failure) = unfit else { return Ok(()) };
    let kept = keep(home, thread, patch.path());
    let kept = kept.map(|path| format!("; it is kept as {}", path.display())).unwrap_or_default();
    Err(Failure::failed(format!("{}{kept}", failure.sentence))
        .hint(format!("`capstan apply --3way {thread}` merges what it can, and leaves the rest between conflict marks")))
}

fn keep(home: &Home, thread: ThreadId, patch: &std::path::Path) -> Option<PathBuf> {
    let dir = home.patches();
    fs::create_dir_all(&dir).ok()?;
    let path = dir.join(format!("{thread}.patch"));
    fs::copy(patch, &path).ok().map(|_| path)
}
