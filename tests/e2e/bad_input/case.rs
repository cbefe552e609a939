//! One mistake, and how it was told.

use crate::scripted::{says, step};
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::git::{Repository, Tree};
use capstan_tests::process;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nothing is waited for when the input is bad.
const AT_ONCE: Duration = Duration::from_secs(20);

/// What a run says besides its one error, because it says so in good cases too.
const NOTES: [&str; 2] = ["Reading prompt from stdin...", "Reading additional input from stdin..."];

/// A mistake in what `capstan` is given. The working directory is a git repository with a script `ok.json` in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    what: &'static str,
    arguments: Vec<&'static str>,
    config: Option<&'static str>,
    files: Vec<(&'static str, &'static [u8])>,
    environment: Vec<(&'static str, &'static str)>,
    stdin: &'static [u8],
    code: i32,
}

impl Case {
    /// A command line, split at its blanks. `''` is an empty argument.
    pub(crate) fn of(what: &'static str, line: &'static str) -> Self {
        let arguments = line.split_whitespace().map(|word| if word == "''" { "" } else { word }).collect();
        Self { what, arguments, code: 2, ..Self::default() }
    }

    /// `capstan exec --script ok.json hi`, which would work but for this `config.toml`.
    pub(crate) fn config(what: &'static str, config: &'static str) -> Self {
        Self { config: Some(config), ..Self::of(what, "exec --script ok.json hi") }
    }

    /// The same with another command line.
    pub(crate) fn arguments(self, line: &'static str) -> Self {
        Self { arguments: Self::of(self.what, line).arguments, ..self }
    }

    /// With this file in the working directory.
    pub(crate) fn file(mut self, name: &'static str, content: &'static [u8]) -> Self {
        self.files.push((name, content));
        self
    }

    /// With this variable. `[ROOT]` in it stands for the directory of the test.
    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// With this on standard input.
    pub(crate) const fn stdin(mut self, input: &'static [u8]) -> Self {
        self.stdin = input;
        self
    }

    /// With this exit code instead of 2.
    pub(crate) const fn code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    fn run(&self) -> String {
        let home = Home::new();
        let work = home.root().join("repo");
        lay_out(&home, &work, &self.files);
        self.config.into_iter().for_each(|config| home.configure(config));
        let before = (Tree::of(&work), Tree::of(&home.path()));
        let mut capstan = Capstan::new(&home).args(self.arguments.clone()).in_dir(&work).stdin(self.stdin).deadline(AT_ONCE);
        for (name, value) in &self.environment {
            capstan = capstan.env(name, &value.replace("[ROOT]", &home.root().display().to_string()));
        }
        let run = capstan.run();
        let after = (Tree::of(&work), Tree::of(&home.path()));
        for (before, after) in [(&before.0, &after.0), (&before.1, &after.1)] {
            assert_eq!(after.differences(before), Vec::<String>::new(), "{}: something was made\n{run}", self.what);
        }
        assert_eq!(process::at(home.root()), [], "{}", self.what);
        run.assert_code(self.code);
        assert_told(&run);
        self.entry(&run, home.root())
    }

    fn entry(&self, run: &Run, root: &Path) -> String {
        let said = run.stderr.replace(&root.display().to_string(), "[ROOT]");
        let config = self.config.map(|config| format!("  config.toml: {}\n", config.trim_end().replace('\n', " ⏎ ")));
        let files = self.files.iter().fold(String::new(), |mut lines, (name, content)| {
            let _ = writeln!(lines, "  {name}: {}", String::from_utf8_lossy(content).trim_end());
            lines
        });
        let variables = self.environment.iter().fold(String::new(), |line, (name, value)| format!("{line}{name}={value} "));
        let line = self
            .arguments
            .iter()
            .fold(String::new(), |line, word| format!("{line} {}", if word.is_empty() { "''" } else { word }));
        format!("# {}\n{}{files}$ {variables}capstan{line}\n{said}exit {}\n", self.what, config.unwrap_or_default(), self.code)
    }
}

/// Runs the cases, and gives all that was told.
pub(crate) fn told(cases: &[Case]) -> String {
    cases.iter().map(Case::run).collect::<Vec<_>>().join("\n")
}

/// One error, at most one hint, nothing on standard output, and no sign of a fault.
pub(crate) fn assert_told(run: &Run) {
    let lines: Vec<&str> = run.stderr.lines().filter(|line| !NOTES.contains(line)).collect();
    let (errors, rest): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.starts_with("error: "));
    assert_eq!(errors.len(), 1, "not one sentence: {run}");
    assert!(rest.len() <= 1 && rest.iter().all(|line| line.starts_with("hint: ")), "more than a hint: {run}");
    assert_eq!(run.stdout, "", "{run}");
    for sign in ["panicked", "backtrace", "has a fault", "RUST_"] {
        assert!(!run.stderr.contains(sign), "{run}");
    }
}

/// The working directory of a case.
pub(crate) fn lay_out(home: &Home, work: &Path, files: &[(&str, &[u8])]) {
    fs::create_dir(work).expect("a directory can be made");
    let script = json!({ "version": 1, "steps": [step([], [says("done")])] });
    let _ = Repository::with_files(work, &[("ok.json", &script.to_string())]);
    for (name, content) in files {
        fs::write(work.join(name), content).expect("a file can be written");
    }
    assert!(home.path().is_dir());
}

/// A copy of both programs in a directory that every user may enter.
pub(crate) fn programs_for_all(root: &Path) -> PathBuf {
    let bin = root.join("bin");
    fs::create_dir(&bin).expect("a directory can be made");
    for name in ["capstan", "capstan-sandbox"] {
        fs::copy(capstan_tests::capstan::binary(name), bin.join(name)).expect("the program can be copied");
    }
    bin.join("capstan")
}
