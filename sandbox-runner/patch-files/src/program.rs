//! `apply_patch` as a program: the patch comes as its one argument or on standard input, and people read what became of it.

use crate::verb::{MAX_DOCUMENT, carry_out};
use capstan_types::item::{FileChange, FileChangeKind};
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The names that make a binary this program.
const NAMES: [&str; 2] = ["apply_patch", "applypatch"];
/// The variable that every session of a call has: there the sandbox decides what may be written.
const IN_SESSION: &str = "CAPSTAN_CALL_ID";
/// The exit code of a patch that was not applied.
const REFUSED: u8 = 1;
/// The exit code for a command line that cannot be understood.
const MISUSE: u8 = 2;

const HELP: &str = "\
Applies a patch to the files below the current directory: all of it, or nothing.

Usage: apply_patch PATCH
       apply_patch <PATCH_FILE

A patch begins with the line `*** Begin Patch` and ends with `*** End Patch`.
Exit codes: 0 applied, 1 not applied and nothing changed, 2 misuse.";

/// Whether a program that is called `name` is this one.
#[must_use]
pub fn is_apply_patch(name: &OsStr) -> bool {
    Path::new(name).file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known))
}

/// Applies the patch that `args` hold, or that standard input holds when there are none. Paths are relative to the current directory. Outside
/// of a session a file outside of the git work tree, or of the current directory where there is none, is refused, also behind links.
///
/// Exit codes: 0 when all of it is applied, 1 when nothing is changed, with the reason on standard error, 2 for misuse.
pub fn apply_patch(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let text = match args.as_slice() {
        [] => read_input(),
        [only] if only == "--help" || only == "-h" => return say(HELP),
        [only] => only.to_str().map(str::to_owned).ok_or_else(|| "the patch is not UTF-8 text".to_owned()),
        [..] => Err("give the patch as one argument (quote it), or on standard input".to_owned()),
    };
    let text = match text {
        Ok(text) => text,
        Err(reason) => return complain(&reason, MISUSE),
    };
    let cwd = match std::env::current_dir() {
        Ok(cwd) => cwd,
        Err(error) => return complain(&format!("the current directory cannot be found: {error}"), REFUSED),
    };
    let within = std::env::var_os(IN_SESSION).is_none().then(|| work_tree(&cwd));
    match carry_out(&cwd, &text, within.as_deref()) {
        Ok(changes) => say(&summary(&changes)),
        Err(reason) => complain(&reason, REFUSED),
    }
}

fn read_input() -> Result<String, String> {
    let input = io::stdin().lock();
    if io::stdin().is_terminal() {
        return Err("give the patch as an argument or on standard input; `apply_patch --help` tells more".to_owned());
    }
    let mut text = String::new();
    let read = input.take(MAX_DOCUMENT + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 > MAX_DOCUMENT => Err(format!("the patch is longer than {MAX_DOCUMENT} bytes; split it")),
        Ok(_) => Ok(text),
        Err(error) => Err(format!("the patch cannot be read: {error}")),
    }
}

/// The directory below which files may be changed.
fn work_tree(cwd: &Path) -> PathBuf {
    let top = cwd.ancestors().find(|above| above.join(".git").exists());
    top.filter(|top| top.parent().is_some()).unwrap_or(cwd).to_owned()
}

fn summary(changes: &[FileChange]) -> String {
    let line = |change: &FileChange| match &change.kind {
        FileChangeKind::Add => format!("\nA {}", change.path),
        FileChangeKind::Delete => format!("\nD {}", change.path),
        FileChangeKind::Update { moved_to: None } => format!("\nM {}", change.path),
        FileChangeKind::Update { moved_to: Some(to) } => format!("\nM {} -> {to}", change.path),
    };
    format!("Success. Updated the following files:{}", changes.iter().map(line).collect::<String>())
}

/// The patch counts, not whether somebody reads of it.
fn say(text: &str) -> ExitCode {
    let _ = writeln!(io::stdout().lock(), "{text}");
    ExitCode::SUCCESS
}

fn complain(reason: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "apply_patch: {reason}");
    ExitCode::from(code)
}
