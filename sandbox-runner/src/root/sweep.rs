//! After a session: what it has put where protected names would be obeyed, and that could not be prevented because it did not exist.
//!
//! It is renamed, not removed: what it holds may be somebody's work, and under another name nobody obeys it. A new repository is left as it
//! is while it holds nothing that runs code: no hooks but samples, and settings of the harmless kind only.

use super::placeholder::is_placeholder;
use super::scan::{GIT, scan};
use crate::kernel::beneath::Held;
use capstan_types::launch::Denial;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Added to the name of what is not to be obeyed.
const SUFFIX: &str = ".untrusted";
/// More than any repository's settings take.
const MOST_CONFIG: u64 = 256 * 1024;
/// How many things are named; the rest are renamed as well.
const MOST_DENIALS: usize = 20;

/// Settings of a repository that say where things are and who commits, and run nothing.
const HARMLESS: [&str; 16] = [
    "core.repositoryformatversion",
    "core.filemode",
    "core.bare",
    "core.logallrefupdates",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.autocrlf",
    "core.eol",
    "extensions.objectformat",
    "extensions.refstorage",
    "init.defaultbranch",
    "user.name",
    "user.email",
    "pull.rebase",
    "submodule.active",
];
/// The same for families of settings, by section and key, whatever stands between.
const HARMLESS_FAMILIES: [(&str, &str); 6] = [
    ("remote", "url"),
    ("remote", "fetch"),
    ("branch", "remote"),
    ("branch", "merge"),
    ("submodule", "url"),
    ("submodule", "active"),
];

/// Renames what has appeared below `roots` under one of `names`, as `is_new` tells, and says so.
pub(crate) fn sweep(roots: &[PathBuf], names: &[String], is_new: impl Fn(&Path) -> bool) -> Vec<Denial> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut denials = Vec::new();
    for root in roots {
        let Ok(held) = Held::open(root) else { continue };
        let (found, _) = scan(std::slice::from_ref(root), &names);
        let mut new: Vec<&PathBuf> = found.iter().filter(|place| is_new(place)).collect();
        // What lies deeper first: renaming what is above it would hide it.
        new.sort_by_key(|place| std::cmp::Reverse(place.components().count()));
        for place in new {
            let Ok(relative) = place.strip_prefix(root) else { continue };
            if let Some(reason) = objection(&held, relative)
                && rename(&held, relative)
            {
                denials.push(Denial {
                    act: format!("leave `{}`", place.display()),
                    reason: format!("{reason}; it is now named `{SUFFIX}`"),
                });
            }
        }
    }
    denials.truncate(MOST_DENIALS);
    denials
}

fn rename(held: &Held, place: &Path) -> bool {
    let mut name = OsString::from(place.file_name().unwrap_or_default());
    name.push(SUFFIX);
    // A second one of its kind must not fail because the first is there.
    let numbered = (1..100).map(|number| OsString::from(format!("{}{number}", name.display())));
    std::iter::once(name.clone()).chain(numbered).any(|name| held.rename(place, &name).is_ok())
}

/// Why a new place may not be obeyed; nothing when it may.
fn objection(held: &Held, place: &Path) -> Option<&'static str> {
    let name = place.file_name()?;
    let found = held.look(place).ok()?;
    let is_directory = found.is_dir();
    // A session's own, or another's that still runs: whoever made it takes it away, and nobody obeys what is empty.
    if is_placeholder(&found) && held.list(place).is_ok_and(|entries| entries.is_empty()) {
        return None;
    }
    match name.to_str().unwrap_or_default() {
        GIT if !is_directory => points_out(held, place).then_some("it leads to a repository elsewhere"),
        "hooks" => has_hooks(held, place).then_some("hooks run code on the host"),
        "config" if !is_directory => {
            (!is_harmless(&held.read(place, MOST_CONFIG).ok()?)).then_some("its settings run code on the host")
        }
        "config" | "config.worktree" | "commondir" => Some("git would read its settings from there"),
        // A repository as such: its hooks and settings are judged by themselves.
        _ if is_directory && (name == GIT || held.look(&place.join("HEAD")).is_ok()) => None,
        _ => Some("the name is protected"),
    }
}

/// Whether a `.git` file leads out of the work tree that it lies in.
fn points_out(held: &Held, place: &Path) -> bool {
    let Ok(text) = held.read(place, 8192) else { return true };
    let Some(target) = text.lines().next().and_then(|line| line.strip_prefix("gitdir: ")) else { return true };
    let mut at = place.parent().unwrap_or_else(|| Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            std::path::Component::ParentDir if at.pop() => {}
            std::path::Component::Normal(name) => at.push(name),
            std::path::Component::CurDir => {}
            // Above the writable directory, or by an absolute path.
            _ => return true,
        }
    }
    // Only the repository of the same work tree keeps those of its submodules and linked work trees.
    !at.iter().any(|part| part == GIT) || held.look(&at).is_err()
}

fn has_hooks(held: &Held, place: &Path) -> bool {
    let entries = held.list(place);
    entries.map_or(true, |entries| entries.iter().any(|entry| !entry.file_name().as_encoded_bytes().ends_with(b".sample")))
}

/// Whether all settings of a repository are of the harmless kind. What cannot be read plainly is not.
fn is_harmless(config: &str) -> bool {
    let mut section = String::new();
    config.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])).all(|line| {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = header.split([' ', '.']).next().unwrap_or_default().to_ascii_lowercase();
            return true;
        }
        let key = line.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        // A backslash continues a line, and a bracket could begin a section on it.
        let plain = !line.ends_with('\\') && !line.contains('[');
        let setting = format!("{section}.{key}");
        let value = line.split_once('=').map_or("", |(_, value)| value.trim());
        // `ext::` and the like are commands.
        let runs = key == "url" && value.contains("::");
        let bare = setting != "core.bare" || value == "false" || value == "true";
        let family = HARMLESS_FAMILIES.iter().any(|(known, name)| section == *known && key == *name);
        plain && !runs && bare && (HARMLESS.contains(&setting.as_str()) || family)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn settings_that_run_something_are_told_from_those_that_do_not() {
        let plain =
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = https://x/y\n\tfetch = +a:b\n";
        assert!(is_harmless(plain));
        for bad in [
            "[core]\n fsmonitor = ./x",
            "[core] fsmonitor = ./x",
            "[core]\n hooksPath = h",
            "[include]\n path = x",
            "[alias]\n st = !x",
            "[filter \"a\"]\n clean = x",
            "[remote \"o\"]\n url = ext::sh -c x",
            "[remote \"o\"]\n uploadpack = x",
            "[user]\n name = a\\\n[core]",
            "garbage",
        ] {
            assert!(!is_harmless(bad), "{bad}");
        }
    }

    fn swept(make: impl Fn(&Path)) -> (Vec<String>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        make(&root);
        let names = [".git/hooks", ".git/config", ".codex"].map(str::to_owned);
        let denials = sweep(std::slice::from_ref(&root), &names, |_| true);
        let acts = denials.into_iter().map(|denial| denial.act.replace(&root.display().to_string(), "")).collect();
        (acts, dir)
    }

    #[test]
    fn what_would_be_obeyed_is_renamed_and_a_plain_repository_is_left() {
        let (acts, dir) = swept(|root| {
            fs::create_dir_all(root.join("deep/.codex")).unwrap();
            fs::create_dir_all(root.join("new/.git/hooks")).unwrap();
            fs::write(root.join("new/.git/HEAD"), "ref: refs/heads/x").unwrap();
            fs::write(root.join("new/.git/config"), "[core]\n\tbare = false\n").unwrap();
            fs::write(root.join("new/.git/hooks/pre-commit.sample"), "").unwrap();
            fs::create_dir_all(root.join("bad/.git/hooks")).unwrap();
            fs::write(root.join("bad/.git/HEAD"), "").unwrap();
            fs::write(root.join("bad/.git/hooks/pre-commit"), "").unwrap();
            fs::write(root.join("bad/.git/config"), "[core]\n fsmonitor = x\n").unwrap();
            fs::create_dir(root.join("away")).unwrap();
            fs::write(root.join("away/.git"), "gitdir: /elsewhere").unwrap();
        });
        let mut acts = acts;
        acts.sort();
        assert_eq!(acts, ["leave `/away/.git`", "leave `/bad/.git/config`", "leave `/bad/.git/hooks`", "leave `/deep/.codex`"]);
        assert!(dir.path().join("new/.git/config").exists() && dir.path().join("bad/.git/hooks.untrusted/pre-commit").exists());
    }

    #[test]
    fn what_was_only_made_to_be_protected_is_left_while_it_is_empty() {
        let (acts, dir) = swept(|root| {
            for place in ["empty/.codex", "full/.codex"] {
                fs::create_dir_all(root.join(place)).unwrap();
            }
            fs::write(root.join("full/.codex/config.toml"), "").unwrap();
            for place in ["empty/.codex", "full/.codex"] {
                fs::set_permissions(root.join(place), Permissions::from_mode(0o1555)).unwrap();
            }
        });
        assert_eq!(acts, ["leave `/full/.codex`"]);
        assert!(dir.path().join("empty/.codex").is_dir());
    }

    #[test]
    fn a_file_may_lead_git_to_the_repository_of_its_own_work_tree_and_nowhere_else() {
        let target = |target: &str| {
            let (acts, _dir) = swept(|root| {
                fs::create_dir_all(root.join("above/.git/modules/m")).unwrap();
                fs::create_dir_all(root.join("above/elsewhere")).unwrap();
                fs::create_dir_all(root.join("above/inner")).unwrap();
                fs::write(root.join("above/inner/.git"), target).unwrap();
            });
            acts
        };
        assert!(target("gitdir: ../.git/modules/m").is_empty());
        assert!(target("gitdir: ./../.git/modules/m").is_empty());
        for away in
            ["gitdir: ../elsewhere", "gitdir: ../.git/modules/none", "gitdir: ../../../.git/x", "gitdir: /x/.git", "x", ""]
        {
            assert_eq!(target(away), ["leave `/above/inner/.git`"], "{away}");
        }
    }

    #[test]
    fn a_second_one_of_its_kind_is_renamed_as_well() {
        let (acts, dir) = swept(|root| {
            fs::create_dir_all(root.join(".codex.untrusted/x")).unwrap();
            fs::create_dir_all(root.join(".codex/y")).unwrap();
        });
        assert_eq!(acts.len(), 1);
        assert!(dir.path().join(".codex.untrusted1/y").exists());
    }
}
