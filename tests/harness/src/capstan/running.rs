//! A run that goes on: what it printed so far, and how it is ended.

use super::run::Run;
use crate::process::{Signal, descendants, send};
use crate::wait::until;
use serde_json::Value;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long output may take to arrive after the process has ended. What holds the pipe open longer is a process that was left behind.
const LAST_OUTPUT: Duration = Duration::from_secs(10);

/// A process that was started. Dropping it kills the process.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Instant,
    deadline: Duration,
    stdout: Captured,
    stderr: Captured,
    stdin: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(mut command: Command, input: Vec<u8>, deadline: Duration) -> Self {
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let stdout = Captured::read(child.stdout.take().expect("standard output is a pipe"));
        let stderr = Captured::read(child.stderr.take().expect("standard error is a pipe"));
        // An error here is a program that does not read to the end, which is its right.
        let stdin = child.stdin.take().map(|mut pipe| thread::spawn(move || drop(pipe.write_all(&input))));
        Self { child, started: Instant::now(), deadline, stdout, stderr, stdin }
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits for a line on standard output that is JSON and satisfies `wanted`, and returns it.
    ///
    /// # Panics
    /// When the deadline passes first.
    pub fn until_line(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = || self.stdout().lines().filter_map(|line| serde_json::from_str(line).ok()).find(|line| wanted(line));
        until(self.deadline, what, look)
    }

    /// Kills the process alone with SIGKILL, as a crash would, and waits for its end.
    ///
    /// # Panics
    /// When it cannot be killed.
    #[must_use]
    pub fn crash(mut self) -> Run {
        self.child.kill().expect("a child can be killed");
        self.wait()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn send(&self, signal: Signal) {
        assert!(send(signal, self.pid()), "the process has ended already");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When the deadline passes: then the process and its descendants are killed, and the message holds all that it printed.
    #[must_use]
    pub fn wait(mut self) -> Run {
        let left = self.deadline.saturating_sub(self.started.elapsed());
        let status = self.ended_within(left);
        let took = self.started.elapsed();
        let printed = |status| {
            let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
            Run { status, stdout, stderr, took }
        };
        let Some(status) = status else {
            let family = descendants(self.pid());
            let last = printed(ExitStatus::default());
            self.end();
            panic!("still running after {:?}, with these descendants: {family:#?}\n{last}", self.deadline);
        };
        for stream in [&self.stdout, &self.stderr] {
            until(LAST_OUTPUT, "the end of the output of a process that has ended", || stream.is_complete().then_some(()));
        }
        printed(status)
    }

    fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let (started, child) = (Instant::now(), &mut self.child);
        until(limit + LAST_OUTPUT, "an answer about a child", || match child.try_wait().expect("a child can be waited for") {
            Some(status) => Some(Some(status)),
            None if started.elapsed() >= limit => Some(None),
            None => None,
        })
    }

    /// Kills the process and whatever it started, if it still runs.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let family = descendants(self.pid());
            let _ = self.child.kill();
            let _ = self.child.wait();
            for process in family {
                let _ended_with_its_parent = !send(Signal::Kill, process.pid);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        self.stdin.take().map(JoinHandle::join);
    }
}

/// A stream that is read while it is written, so that a process that prints much does not block.
#[derive(Debug)]
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Captured {
    fn read(mut stream: impl Read + Send + 'static) -> Self {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                let Ok(mut kept) = kept.lock() else { return };
                kept.extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no thread panics with the bytes")).into_owned()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{command, mentioning};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn shell(script: &str, input: &str, deadline: Duration) -> Running {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        Running::start(shell, input.into(), deadline)
    }

    #[test]
    fn output_input_and_exit_code_are_kept() {
        let run = shell("cat; echo '{\"type\":\"x\"}'; echo no >&2; exit 3", "in\n", LAST_OUTPUT).wait();
        assert_eq!((run.status.code(), run.stdout.as_str(), run.stderr.as_str()), (Some(3), "in\n{\"type\":\"x\"}\n", "no\n"));
    }

    #[test]
    fn more_than_a_pipe_holds_does_not_block() {
        let run = shell("head -c 1000000 /dev/zero", "", LAST_OUTPUT).wait();
        assert_eq!(run.stdout.len(), 1_000_000);
    }

    #[test]
    fn a_run_past_its_deadline_is_killed_with_its_children_and_told() {
        let running = shell("echo so far; sleep 71.0000417", "", Duration::from_millis(300));
        let failure = catch_unwind(AssertUnwindSafe(|| running.wait())).unwrap_err();
        let message = failure.downcast_ref::<String>().unwrap();
        assert!(message.contains("still running") && message.contains("so far"), "{message}");
        until(LAST_OUTPUT, "no process left", || mentioning("71.0000417").is_empty().then_some(()));
    }

    #[test]
    fn lines_are_seen_while_the_run_goes_on_and_a_crash_ends_it() {
        let running = shell("echo no json; echo '{\"n\":1}'; sleep 71.0000623 & wait", "", LAST_OUTPUT);
        assert_eq!(running.until_line("a number", |line| line["n"] == 1)["n"], 1);
        let sleeper =
            until(LAST_OUTPUT, "a child", || descendants(running.pid()).into_iter().find(|p| p.command.starts_with("sleep")));
        assert!(send(Signal::Kill, sleeper.pid));
        assert_eq!(running.wait().status.code(), Some(0));
        let endless = shell("while :; do read line </dev/zero; done", "", LAST_OUTPUT);
        assert_eq!(endless.crash().status.code(), None);
    }
}
