//! Real input: three published crates as git repositories. Scripted turns read them, search them, patch them, and compile and test them
//! offline, all in sandboxed sessions; then the whole tree is compared with the one that it should be, and the diff that was shown is
//! applied to the original.

mod httpdate;
mod percent_encoding;
mod strsim;

use crate::scripted;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::crates::unpack;
use capstan_tests::git::{Repository, Tree};
use capstan_tests::{process, wait};
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// A crate in a repository, and a home beside it.
struct Project {
    home: Home,
    repository: Repository,
}

impl Project {
    fn unpacked(name: &str) -> Self {
        let home = Home::new();
        let repository = unpack(name, &home.root().join(name));
        // Sessions see it and cannot change it: it lies outside of what they may write.
        fs::create_dir(home.root().join("cargo")).expect("a directory can be made");
        Self { home, repository }
    }

    fn tree(&self) -> Tree {
        Tree::of(self.repository.dir())
    }

    /// Plays the script, shows that it left this tree and a diff that leads there, and that no process and no other file is left.
    fn play(&self, steps: &[Value], expected: &Tree) {
        let screen = self.screen(steps);
        self.tree().assert_is(expected);
        assert_eq!(Tree::of(&self.home.root().join("cargo")), Tree::of(&self.home.user_dir()), "CARGO_HOME was written");
        self.apply(&shown_diff(&screen), expected);
        let left = || process::at(self.home.root());
        wait::until_true(Duration::from_secs(10), &format!("no process left; now {:#?}", left()), || left().is_empty());
    }

    /// What a person sees of the run.
    fn screen(&self, steps: &[Value]) -> String {
        let script = scripted::write(self.home.root(), steps);
        let cargo_home = format!("shell_environment_policy.set.CARGO_HOME={:?}", self.home.root().join("cargo"));
        let exec = Capstan::new(&self.home).args(["exec", "-s", "workspace-write", "--color", "never", "-c", &cargo_home]);
        // Sessions see the toolchains of their own user's home.
        let toolchains = std::env::var("HOME").expect("whoever runs tests has a home");
        let exec = exec.env("HOME", &toolchains).arg("--script").arg(script).arg("Do it.").in_dir(self.repository.dir());
        let shown = exec.deadline(Duration::from_secs(240)).run_in_terminal();
        assert!(shown.code == 0 && !shown.text.contains("panicked"), "exit code {}\n{}", shown.code, shown.text);
        shown.text
    }

    /// Applies a diff to the last commit, which must lead to this tree.
    fn apply(&self, diff: &str, expected: &Tree) {
        let (original, file) = (self.home.root().join("original"), self.home.root().join("shown.diff"));
        fs::write(&file, diff).expect("the diff can be written");
        let (at, file) = (original.display().to_string(), file.display().to_string());
        self.repository.git(&["clone", "--quiet", ".", &at]);
        self.repository.git(&["-C", &at, "apply", "--check", &file]);
        self.repository.git(&["-C", &at, "apply", &file]);
        Tree::of(&original).assert_is(expected);
    }
}

/// The diff at the end of a transcript.
fn shown_diff(screen: &str) -> String {
    let from = screen.find("\ndiff --git ").unwrap_or_else(|| panic!("no diff was shown:\n{screen}"));
    let diff = &screen[from + 1..];
    let to = diff.find("\n\ndone in ").unwrap_or_else(|| panic!("nothing follows the diff:\n{screen}"));
    format!("{}\n", &diff[..to])
}
