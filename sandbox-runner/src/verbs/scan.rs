//! The `scan` verb: what is protected below directories, for a node that keeps the list, so that no launch has to look for it.

use super::{complain, misuse, print};
use crate::root::scan::{Identity, identity};
use crate::root::{scan, sweep};
use capstan_types::policy::PROTECTED;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Scans `[--protect NAME]... [--known FILE] DIR...`, and prints JSON: `found`, their `identities`, `exhausted`, and `refused`, which is
/// what was renamed. FILE is what an earlier scan printed.
pub(super) fn scan(args: Vec<OsString>) -> ExitCode {
    let mut names: Vec<String> = PROTECTED.map(str::to_owned).into();
    let (mut known, mut roots) = (None, Vec::new());
    let mut args = args.into_iter();
    while let Some(argument) = args.next() {
        match argument.to_str() {
            Some("--protect") => names.extend(args.next().map(|name| name.to_string_lossy().into_owned())),
            Some("--known") => known = args.next().map(PathBuf::from),
            _ if Path::new(&argument).is_absolute() => roots.push(PathBuf::from(argument)),
            _ => return misuse(&format_args!("`{}` is not the absolute path of a directory to scan", argument.display())),
        }
    }
    if roots.is_empty() {
        return misuse("name the directories to scan by their absolute paths");
    }
    let refused = match known.map(|file| read(&file)).transpose() {
        Ok(known) => known.map(|known| sweep(&roots, &names, &known)),
        Err(error) => {
            complain(&format_args!("the list of known places cannot be read: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let (found, exhausted) = scan::scan(&roots, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let identities: BTreeSet<Identity> = found.iter().filter_map(|place| identity(place)).collect();
    let refused = refused.unwrap_or_default();
    print(&serde_json::json!({ "found": found, "identities": identities, "exhausted": exhausted, "refused": refused }))
}

fn read(file: &Path) -> std::io::Result<BTreeSet<Identity>> {
    #[derive(serde::Deserialize)]
    struct Before {
        identities: BTreeSet<Identity>,
    }
    Ok(serde_json::from_slice::<Before>(&std::fs::read(file)?)?.identities)
}
