//! What was in force in the session that was tried, what was not, and what to do about that.

use super::{Mark, Row, row};
use crate::commands::doctor::Findings;
use capstan_types::launch::Enforced;
use capstan_types::policy::Level;

/// How to get what is missing, by how its entry in a proof begins. An entry that names its own remedy has none here.
const REMEDIES: [(&str, &str); 4] = [
    (
        "own user",
        "work on a file system with idmapped mounts (ext4, xfs, btrfs, tmpfs; not a container's overlay), or as an ordinary user",
    ),
    ("memory of the whole tree", CGROUP),
    ("number of processes of the whole tree", CGROUP),
    ("share of the processors", CGROUP),
];
const CGROUP: &str = "have a cgroup delegated: as an ordinary user, start it by `systemd-run --user --scope -p Delegate=yes`";

pub(super) fn rows(findings: &Findings) -> Vec<Row> {
    let Some(session) = &findings.session else { return vec![row(Mark::Bad, "level", "none could be tried")] };
    match (&session.enforced, &session.problem) {
        (Some(enforced), _) => {
            let place = format!("in {}; other file systems may give less", session.place.display());
            [row(Mark::Good, "workspace", place)].into_iter().chain(in_force(enforced)).collect()
        }
        (None, problem) => vec![row(Mark::Bad, "level", problem.as_deref().unwrap_or("none could be tried"))],
    }
}

fn in_force(enforced: &Enforced) -> Vec<Row> {
    let held = |name: &str, parts: &[String]| match parts {
        [] => row(Mark::Lacking, name, "none of its own"),
        parts => row(Mark::Good, name, parts.join(" ")),
    };
    let landlock =
        enforced.landlock_abi.map(|abi| row(Mark::Good, "Landlock", format!("ABI {abi}, {}", enforced.landlock_rights)));
    let limits = enforced.limits.iter().enumerate();
    let limits = limits.map(|(at, limit)| row(Mark::Good, if at == 0 { "limits" } else { "" }, limit));
    let missing = enforced.missing.iter().map(|missing| row(Mark::Lacking, "missing", remedied(missing)));
    [level(enforced), user(enforced), held("own namespaces", &enforced.namespaces)]
        .into_iter()
        .chain(landlock)
        .chain(limits)
        .chain(missing)
        .collect()
}

fn level(enforced: &Enforced) -> Row {
    match enforced.level {
        Level::Full => row(Mark::Good, "level", "full: namespaces, and a user of its own"),
        Level::Namespaces => {
            row(Mark::Lacking, "level", "namespaces; the level full has a user for each session too, which only root can give")
        }
        Level::Landlock => {
            row(Mark::Lacking, "level", "landlock: files and processes of this host can be seen; see what is missing")
        }
        Level::None => row(Mark::Bad, "level", "none"),
    }
}

fn user(enforced: &Enforced) -> Row {
    let mark = if enforced.uid == 0 { Mark::Lacking } else { Mark::Good };
    let whose = if enforced.uid == 0 { ", root, without its capabilities" } else { "" };
    row(mark, "user", format!("uid {}{whose}", enforced.uid))
}

fn remedied(missing: &str) -> String {
    let remedy = REMEDIES.iter().find(|(begins, _)| missing.starts_with(begins));
    remedy.map_or_else(|| missing.to_owned(), |(_, remedy)| format!("{missing}; {remedy}"))
}
