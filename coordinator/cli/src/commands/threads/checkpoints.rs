//! `capstan threads checkpoints`, `restore` and `compare`.

use super::place::Place;
use crate::args::{CheckpointsArgs, CompareArgs, RestoreArgs};
use crate::client::{Client, Restored};
use crate::commands::exec::at_work;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::columns::columns;
use crate::render::{amount, moment, text};
use crate::surroundings::Surroundings;
use crate::thread_choice::named;
use capstan_types::checkpoint::FileNames;
use capstan_types::id::ThreadId;
use capstan_types::saved::note::{CheckpointReason, ListedCheckpoint};
use capstan_types::tree_document::{Difference, Differing};
use serde_json::json;
use std::io::{self, Write};

/// The heads of the columns.
const HEADS: [&str; 6] = ["CHECKPOINT", "TAKEN", "WHY", "FILES", "SIZE", "NEW"];

pub(super) fn list(args: &CheckpointsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::of(&args.daemon, surroundings)?;
    let listed = crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        client.checkpoints(thread.id).await.map_err(refused)
    }))?;
    let lines = match args.json {
        true => vec![json!({"checkpoints": listed.iter().map(object).collect::<Vec<_>>()}).to_string()],
        false if listed.is_empty() => vec!["nothing was saved in this thread yet".to_owned()],
        false => columns(Some(HEADS), listed.iter().map(row).collect()),
    };
    print(&lines)
}

pub(super) fn restore(args: &RestoreArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let (thread, restored) = crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        // Its turn may be changing the workspace just now.
        at_work(&thread)?;
        Ok((thread.id, client.restore(thread.id, args.checkpoint.clone(), args.force).await.map_err(refused)?))
    }))?;
    told(thread, restored)
}

pub(super) fn compare(args: &CompareArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let place = Place::with_workspaces(&args.daemon, surroundings)?;
    let (differences, more) = crate::runtime::block_on(place.with(async |mut client: Client| {
        let thread = named(&mut client, &args.thread).await?;
        client.compare(thread.id, [args.before.clone(), args.after.clone()]).await.map_err(refused)
    }))?;
    let lines = match args.json {
        true => {
            let object = |found: &Difference| json!({"path": found.path, "how": how(found.differing)});
            vec![json!({"differences": differences.iter().map(object).collect::<Vec<_>>(), "more": more}).to_string()]
        }
        false if differences.is_empty() => vec!["they are equal".to_owned()],
        false => {
            let line = |found: &Difference| format!("{:<8} {}", how(found.differing), text::line(&found.path));
            differences.iter().map(line).chain(more.then(|| "… and more".to_owned())).collect()
        }
    };
    print(&lines)
}

fn row(listed: &ListedCheckpoint) -> [String; 6] {
    let ListedCheckpoint { note, at, kept, .. } = listed;
    let why = match (note.reason, kept) {
        (CheckpointReason::Turn, true) => "a turn ended",
        (CheckpointReason::Risk, true) => "before a risky call",
        (_, false) => "not kept any more",
    };
    [
        note.name.to_string(),
        moment::utc(*at),
        why.to_owned(),
        amount::count(note.files),
        amount::bytes(note.bytes),
        amount::bytes(note.new_bytes),
    ]
}

fn object(listed: &ListedCheckpoint) -> serde_json::Value {
    let ListedCheckpoint { note, turn, at, kept } = listed;
    json!({
        "name": note.name.as_str(),
        "thread": note.thread.to_string(),
        "turn": turn.map(|turn| turn.to_string()),
        "at_ms": at.0,
        "reason": note.reason,
        "files": note.files,
        "bytes": note.bytes,
        "new_bytes": note.new_bytes,
        "skipped": note.skipped,
        "kept": kept,
    })
}

fn told(thread: ThreadId, restored: Restored) -> Result<Exit, Failure> {
    match restored {
        Restored::Done { saved, changed, resisted, .. } => {
            let list = changed.names.iter().map(|name| format!("  {}", text::line(name)));
            let mut lines = vec![format!("brought back {}:", count(&changed))];
            lines.extend(list);
            lines.extend((changed.more > 0).then(|| format!("  … and {} more", changed.more)));
            lines.push(format!("to take this back: capstan threads restore --force {thread} {saved}"));
            // It is done, whether or not anybody reads that.
            let _ = print(&lines);
            match resisted {
                0 => Ok(Exit::Success),
                _ => Err(Failure::failed(format!("{resisted} names could not be brought back, because they may not be written"))
                    .hint("look for read-only directories, and for what the sandbox hides")),
            }
        }
        Restored::ChangedSince(files) => {
            let and_more = if files.more > 0 { format!(" and {} more", files.more) } else { String::new() };
            let names: Vec<String> = files.names.iter().map(|name| text::line(name)).collect();
            let sentence = format!(
                "nothing was brought back: {} changed since the last checkpoint: {}{and_more}",
                count(&files),
                names.join(", ")
            );
            Err(Failure::failed(sentence)
                .hint("with --force they are given up as well; the present state is saved, and can be brought back"))
        }
    }
}

fn how(differing: Differing) -> &'static str {
    match differing {
        Differing::Added => "added",
        Differing::Removed => "removed",
        Differing::Changed => "changed",
        Differing::Mode => "mode",
    }
}

fn count(files: &FileNames) -> String {
    text::counted(files.names.len().saturating_add(usize::try_from(files.more).unwrap_or(usize::MAX)), "file")
}

fn print(lines: &[String]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match lines.iter().try_for_each(|line| writeln!(out, "{line}")) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        written => written.map(|()| Exit::Success).map_err(|error| Failure::failed(format!("standard output: {error}"))),
    }
}
