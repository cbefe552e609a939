//! Looks at the processes of this machine, to show that none is left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// One process, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// `R`, `S`, `D`, `Z` and so on, as in `/proc/PID/stat`.
    pub state: char,
    /// Its arguments, separated by spaces; for a zombie, its name.
    pub command: String,
}

impl Process {
    /// The process of this id, while it exists.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may itself hold any character, parentheses too.
        let (head, tail) = stat.rsplit_once(')')?;
        let mut fields = tail.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).trim_end_matches('\0').replace('\0', " ");
        let name = head.split_once('(')?.1.to_owned();
        Some(Self { pid, parent, state, command: if arguments.is_empty() { name } else { arguments } })
    }

    /// Whether it still runs: a zombie does not.
    #[must_use]
    pub fn runs(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// Every process of this machine.
#[must_use]
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc can be listed");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::find).collect()
}

/// The children of a process, their children, and so on; zombies too.
#[must_use]
pub fn descendants(of: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = Vec::new();
    let mut open = vec![of];
    while let Some(parent) = open.pop() {
        let children = all.iter().filter(|process| process.parent == parent);
        found.extend(children.inspect(|child| open.push(child.pid)).cloned());
    }
    found
}

/// The processes whose arguments hold `marker`, such as the path of a directory of the test's own. A zombie has no
/// arguments.
#[must_use]
pub fn mentioning(marker: &str) -> Vec<Process> {
    all().into_iter().filter(|process| process.command.contains(marker)).collect()
}

/// The running processes that work in this directory or below it, or whose arguments name it.
#[must_use]
pub fn at(dir: &Path) -> Vec<Process> {
    let speaks = |process: &Process| process.command.contains(&dir.display().to_string());
    let works = |process: &Process| fs::read_link(format!("/proc/{}/cwd", process.pid)).is_ok_and(|cwd| cwd.starts_with(dir));
    all().into_iter().filter(|process| process.runs() && (speaks(process) || works(process))).collect()
}

/// A command with nothing of this process's environment but PATH, and no standard input.
#[must_use]
pub fn command(program: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the harness starts the programs under test, and git")]
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// A signal that a test sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// As Ctrl-C in a terminal.
    Interrupt,
    /// As a service manager that stops a service.
    Terminate,
    /// As a terminal that is closed.
    HangUp,
    /// As a crash: nothing of the process's own runs any more.
    Kill,
    /// As a machine that hangs: nothing of the process runs until [`Signal::Continue`], and the kernel still holds its connections.
    Stop,
    /// As a machine that comes back.
    Continue,
}

/// Sends a signal to a process. Returns whether there was such a process.
///
/// # Panics
/// When there is no shell to send it.
#[must_use]
pub fn send(signal: Signal, pid: u32) -> bool {
    let name = match signal {
        Signal::Interrupt => "INT",
        Signal::Terminate => "TERM",
        Signal::HangUp => "HUP",
        Signal::Kill => "KILL",
        Signal::Stop => "STOP",
        Signal::Continue => "CONT",
    };
    // The shell's own `kill`, because a small machine has no other.
    let mut kill = command("sh");
    kill.args(["-c", &format!("kill -{name} {pid}")]).stderr(Stdio::null());
    kill.status().expect("sh can be started").success()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::until_true;
    use std::time::Duration;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn descendants_and_marked_processes_are_found_until_they_end() {
        let marker = "71.0000731";
        let mut shell = command("sh").args(["-c", &format!("sleep {marker} & wait")]).spawn().unwrap();
        until_true(SOON, "a sleeping grandchild", || {
            descendants(std::process::id()).iter().any(|p| p.command.starts_with("sleep "))
        });
        let sleeper = mentioning(&format!("sleep {marker}")).into_iter().find(|p| p.command.starts_with("sleep ")).unwrap();
        assert_eq!(sleeper.parent, shell.id());
        assert!(send(Signal::Kill, sleeper.pid));
        shell.wait().unwrap();
        until_true(SOON, "no process left", || mentioning(&format!("sleep {marker}")).is_empty());
        assert_eq!(Process::find(shell.id()), None);
        assert!(!send(Signal::Kill, shell.id()));
    }

    #[test]
    fn a_process_is_found_by_where_it_works() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("below")).unwrap();
        let mut sleeper = command("sleep").arg("71.0000813").current_dir(dir.path().join("below")).spawn().unwrap();
        until_true(SOON, "a process at work", || at(dir.path()).iter().any(|process| process.pid == sleeper.id()));
        assert!(send(Signal::Kill, sleeper.id()));
        until_true(SOON, "a zombie, which works nowhere", || at(dir.path()).is_empty());
        sleeper.wait().unwrap();
    }

    #[test]
    fn a_zombie_does_not_run() {
        let mut child = command("true").spawn().unwrap();
        until_true(SOON, "a zombie", || Process::find(child.id()).is_some_and(|process| process.state == 'Z'));
        assert!(!Process::find(child.id()).unwrap().runs());
        child.wait().unwrap();
    }
}
