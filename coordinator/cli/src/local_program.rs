//! Starts the programs that a command needs on the host of the person who gave it: git, and the runner for what it does with their files. Nothing
//! that a model asked for is started here.

use crate::failure::Failure;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program with all of its environment and the directory in which it works.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The directory in which it works.
    pub cwd: PathBuf,
}

/// What a program reads.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(&'a [u8]),
}

/// What a program wrote, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Whether its exit code is 0.
    pub is_success: bool,
    /// Its exit code; -1 for one that a signal ended.
    pub code: i32,
    /// Its output.
    pub out: Vec<u8>,
    /// What it complained of.
    pub err: String,
}

impl Program {
    /// Runs it to its end; its output goes to `to`, if that is given.
    ///
    /// # Errors
    /// It cannot be started. That it failed is no error here.
    pub fn run<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
        input: Input<'_>,
        to: Option<File>,
    ) -> Result<Said, Failure> {
        let not_run = |error: io::Error| Failure::failed(format!("{} cannot be run: {error}", self.program.display()));
        #[expect(clippy::disallowed_methods, reason = "this is where programs are started for the person who gave the command")]
        let mut command = Command::new(&self.program);
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.args(&self.arguments).args(arguments).env_clear().envs(environment).current_dir(&self.cwd);
        command.stdin(stdin(input).map_err(not_run)?).stdout(to.map_or_else(Stdio::piped, Stdio::from)).stderr(Stdio::piped());
        let said = command.spawn().and_then(std::process::Child::wait_with_output).map_err(not_run)?;
        let err = String::from_utf8_lossy(&said.stderr).into_owned();
        Ok(Said { is_success: said.status.success(), code: said.status.code().unwrap_or(-1), out: said.stdout, err })
    }
}

fn stdin(input: Input<'_>) -> io::Result<Stdio> {
    match input {
        Input::Nothing => Ok(Stdio::null()),
        Input::Bytes(bytes) => {
            // A file: a program may write before it has read all, and then a pipe would have to be served on both ends.
            let mut file = tempfile::tempfile()?;
            file.write_all(bytes)?;
            file.rewind()?;
            Ok(file.into())
        }
    }
}

impl Said {
    /// What it failed with, in its own words.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::failed(format!("git failed: {}", self.complaint()))
    }

    /// What it complained of first.
    #[must_use]
    pub fn complaint(&self) -> String {
        let told = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
        let line = self.err.lines().find(told).or_else(|| self.err.lines().next());
        match line.map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ")) {
            Some(line) if !line.is_empty() => line.to_owned(),
            Some(_) | None => format!("it ended with code {}", self.code),
        }
    }
}
