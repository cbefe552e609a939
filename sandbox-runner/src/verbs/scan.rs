//! The `scan` verb: what is protected below directories, for a node that keeps the list, so that no launch has to look for it.

use super::{misuse, print};
use crate::root::{scan, sweep};
use capstan_types::policy::PROTECTED;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Scans `[--protect NAME]... [--since NANOSECONDS] DIR...`, and prints JSON: `found`, `exhausted`, and `refused`. With a time, in
/// nanoseconds since 1970, what has come to be since then and would be obeyed is renamed first, and is what was refused.
pub(super) fn scan(args: Vec<OsString>) -> ExitCode {
    let mut names: Vec<String> = PROTECTED.map(str::to_owned).into();
    let (mut since, mut roots) = (None, Vec::new());
    let mut args = args.into_iter();
    while let Some(argument) = args.next() {
        match argument.to_str() {
            Some("--protect") => match args.next() {
                Some(name) => names.push(name.to_string_lossy().into_owned()),
                None => return misuse("`--protect` needs a relative path behind it"),
            },
            Some("--since") => match args.next().and_then(|since| since.to_str()?.parse::<i128>().ok()) {
                Some(nanoseconds) => since = Some(nanoseconds),
                None => return misuse("`--since` needs a number of nanoseconds behind it"),
            },
            _ if Path::new(&argument).is_absolute() => roots.push(PathBuf::from(argument)),
            _ => return misuse(&format_args!("`{}` is not the absolute path of a directory to scan", argument.display())),
        }
    }
    if roots.is_empty() {
        return misuse("name the directories to scan by their absolute paths");
    }
    // By the time that nobody can set.
    let born = |found: fs::Metadata| i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
    let is_new = |since: i128| move |place: &Path| fs::symlink_metadata(place).is_ok_and(|found| born(found) >= since);
    let refused = since.map(|since| sweep(&roots, &names, is_new(since))).unwrap_or_default();
    let (found, exhausted) = scan::scan(&roots, &names.iter().map(String::as_str).collect::<Vec<_>>());
    print(&serde_json::json!({ "found": found, "exhausted": exhausted, "refused": refused }))
}
