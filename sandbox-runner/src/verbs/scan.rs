//! The `scan` verb: what is protected below directories, for a node that keeps the list, so that no launch has to look for it.

use super::{misuse, print};
use crate::root::{scan, sweep};
use capstan_types::policy::PROTECTED;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Scans `[--protect NAME]... [--since NANOSECONDS] DIR...`, and prints JSON: `found`, `exhausted`, and `refused`. With a time, in
/// nanoseconds since 1970, what has come to be since then and would be obeyed is renamed first, and is what was refused.
///
/// With `--stay` alone it does so for each line of standard input, until that ends: a JSON list of such arguments, answered by a line.
pub(super) fn scan(args: Vec<OsString>) -> ExitCode {
    if let [only] = args.as_slice()
        && only == "--stay"
    {
        return stay();
    }
    match Look::read(args) {
        Ok(look) => print(&look.take()),
        Err(why) => misuse(&why),
    }
}

/// One look for each line. A line that makes no sense is answered by its reason, which is no list.
fn stay() -> ExitCode {
    // Whoever started us may want its own directory moved or unmounted.
    let _ = std::env::set_current_dir("/");
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return ExitCode::FAILURE };
        let words = serde_json::from_str::<Vec<String>>(&line).map_err(|error| error.to_string());
        let look = words.and_then(|words| Look::read(words.into_iter().map(OsString::from).collect()));
        let answer = look.map_or_else(|why| serde_json::json!({ "misuse": why }), |look| look.take());
        if print(&answer) != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What is to be looked at.
struct Look {
    names: Vec<String>,
    since: Option<i128>,
    roots: Vec<PathBuf>,
}

impl Look {
    fn read(args: Vec<OsString>) -> Result<Self, String> {
        let mut look = Self { names: PROTECTED.map(str::to_owned).into(), since: None, roots: Vec::new() };
        let mut args = args.into_iter();
        while let Some(argument) = args.next() {
            match argument.to_str() {
                Some("--protect") => {
                    let name = args.next().ok_or("`--protect` needs a relative path behind it")?;
                    look.names.push(name.to_string_lossy().into_owned());
                }
                Some("--since") => {
                    let since = args.next().and_then(|since| since.to_str()?.parse().ok());
                    look.since = Some(since.ok_or("`--since` needs a number of nanoseconds behind it")?);
                }
                _ if Path::new(&argument).is_absolute() => look.roots.push(PathBuf::from(argument)),
                _ => return Err(format!("`{}` is not the absolute path of a directory to scan", argument.display())),
            }
        }
        if look.roots.is_empty() { Err("name the directories to scan by their absolute paths".to_owned()) } else { Ok(look) }
    }

    fn take(&self) -> serde_json::Value {
        // By the time that nobody can set.
        let born = |found: fs::Metadata| i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
        let is_new = |since: i128| move |place: &Path| fs::symlink_metadata(place).is_ok_and(|found| born(found) >= since);
        let refused = self.since.map(|since| sweep(&self.roots, &self.names, is_new(since))).unwrap_or_default();
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let (found, exhausted) = scan::scan(&self.roots, &names);
        serde_json::json!({ "found": found, "exhausted": exhausted, "refused": refused })
    }
}
