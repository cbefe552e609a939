//! Whether somebody on this host runs a thread now, from whom a run of our own would take it.

use crate::failure::Failure;
use crate::home::Home;
use crate::lone;
use capstan_types::thread::ThreadRecord;
use std::fs;
use std::path::Path;

/// The beginnings of the names of coordinators, as `embedded` and `coordinator` make them.
const DAEMON: &str = "coordinator/";
const COMMAND: &str = "exec-";

/// Refuses a thread that the coordinator of this home or another command runs.
///
/// # Errors
/// One does, and how to go on all the same.
pub(super) fn check(thread: &ThreadRecord, home: &Home) -> Result<(), Failure> {
    if thread.owner.starts_with(DAEMON) && lone::is_claimed(home) {
        let socket = home.coordinator_socket();
        let sentence = format!("thread {} belongs to the coordinator that runs on the home directory {}", thread.id, home.path());
        return Err(Failure::bad_input(sentence).hint(format!("use it: --coordinator unix://{}", socket.display())));
    }
    at_work(thread)
}

/// Refuses a thread that another command on this host runs now.
///
/// # Errors
/// One does.
pub fn at_work(thread: &ThreadRecord) -> Result<(), Failure> {
    match process(&thread.owner).filter(is_capstan) {
        Some(process) => {
            let sentence = format!("thread {} is at work in process {process}", thread.id);
            Err(Failure::bad_input(sentence).hint("wait until that has ended, or interrupt it"))
        }
        None => Ok(()),
    }
}

/// The process of a command's coordinator.
fn process(owner: &str) -> Option<&str> {
    let (process, _) = owner.strip_prefix(COMMAND)?.split_once('-')?;
    (!process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())).then_some(process)
}

/// Whether that process is this program: its number may be another's by now, or that of a process on another host.
fn is_capstan(process: &&str) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().trim_end_matches(" (deleted)").to_owned());
    let program = |process: &str| fs::read_link(format!("/proc/{process}/exe")).ok().and_then(|path| name(&path));
    let (own, found) = (program("self"), program(process));
    own.is_some() && own == found && **process != std::process::id().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_a_command_is_in_its_name() {
        assert_eq!(process("exec-12-1700"), Some("12"));
        for owner in ["coordinator/12-1700", "exec-", "exec-x-1", "exec--1"] {
            assert_eq!(process(owner), None, "{owner}");
        }
        assert!(!is_capstan(&std::process::id().to_string().as_str()), "our own");
    }
}
