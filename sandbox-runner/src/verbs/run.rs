//! The `run` verb: one command in the sandbox, with the caller's own streams, environment and terminal.

use super::{complain, misuse};
use crate::bounds::Bounds;
use crate::cgroup::Places;
use crate::confinement::Confinement;
use crate::kernel::process::{self, ExitStatus};
use crate::kernel::signals;
use crate::launch::{Image, LaunchError, Streams, launch};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Network, SandboxMode, SandboxPolicy};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `run` was asked.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    mode: SandboxMode,
    writable: Vec<PathBuf>,
    hidden: Vec<PathBuf>,
    network: bool,
    directory: PathBuf,
    command: Vec<OsString>,
}

/// Runs a command and gives its exit code.
pub(super) fn run(args: Vec<OsString>) -> ExitCode {
    let asked = match parse(args) {
        Ok(asked) => asked,
        Err(mistake) => return misuse(&mistake),
    };
    match start(&asked) {
        Ok((pid, _bounds)) => finish(pid),
        Err(error) => {
            complain(&error);
            ExitCode::from(error.shell_code)
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Asked, String> {
    let mut asked = Asked {
        mode: SandboxMode::ReadOnly,
        writable: Vec::new(),
        hidden: Vec::new(),
        network: false,
        directory: PathBuf::from("."),
        command: Vec::new(),
    };
    let mut args = args.into_iter();
    while let Some(flag) = args.next() {
        let mut value = |what: &str| args.next().ok_or_else(|| format!("`{}` needs {what} behind it", flag.display()));
        match flag.to_str() {
            Some("-s" | "--sandbox") => {
                asked.mode = value("a mode")?.to_string_lossy().parse().map_err(|error| format!("{error}"))?;
            }
            Some("--writable") => asked.writable.push(value("a directory")?.into()),
            Some("--hide") => asked.hidden.push(value("a directory")?.into()),
            Some("--network") => asked.network = true,
            Some("-C" | "--cd") => asked.directory = value("a directory")?.into(),
            Some("--") => {
                asked.command = args.by_ref().collect();
                break;
            }
            _ => return Err(format!("`run` does not know `{}`; the command goes behind `--`", flag.display())),
        }
    }
    if asked.command.is_empty() {
        return Err("name the command to run, behind `--`".to_owned());
    }
    if !asked.writable.is_empty() && asked.mode != SandboxMode::WorkspaceWrite {
        return Err(format!("`--writable` means nothing with `-s {}`; use `-s workspace-write`", asked.mode));
    }
    Ok(asked)
}

/// The program, and what bounds it for as long as it is kept.
fn start(asked: &Asked) -> Result<(libc::pid_t, Bounds), LaunchError> {
    let image = Image::new(asked.command.clone(), std::env::vars_os(), &asked.directory)?;
    let confinement = Confinement::prepare(&policy(asked)?, None)?;
    let bounds = Bounds::make(&Places::find(), &SessionLimits::default(), false);
    signals::leave_keys_to_the_child();
    let pid = launch(&image, &Streams::Inherited, &confinement, &bounds)?;
    Ok((pid, bounds))
}

fn policy(asked: &Asked) -> Result<SandboxPolicy, LaunchError> {
    let mut writable = Vec::new();
    if asked.mode == SandboxMode::WorkspaceWrite {
        let temporary = ["/tmp".into(), std::env::temp_dir()].into_iter().filter(|place| place.is_dir());
        for place in [asked.directory.clone()].into_iter().chain(asked.writable.iter().cloned()).chain(temporary) {
            writable.push(absolute(&place)?);
        }
    }
    let hidden = asked.hidden.iter().map(|place| absolute(place)).collect::<Result<_, _>>()?;
    let network = if asked.network { Network::Full } else { Network::Loopback };
    Ok(SandboxPolicy { mode: asked.mode, hidden, network, ..SandboxPolicy::workspace_write(writable) })
}

fn absolute(place: &Path) -> Result<AbsPath, LaunchError> {
    let reason = |error: &dyn std::fmt::Display| LaunchError::host("find the working directory", &error.to_string());
    // Resolved before `..` is folded away: behind a symbolic link the two differ.
    let full = place.canonicalize().or_else(|_| std::path::absolute(place)).map_err(|error| reason(&error))?;
    AbsPath::new(full).map_err(|error| reason(&error))
}

fn finish(pid: libc::pid_t) -> ExitCode {
    let code = match process::wait_for(pid) {
        Ok(ExitStatus::Code(code)) => u8::try_from(code).ok(),
        Ok(ExitStatus::Signal(signal)) => u8::try_from(128 + signal).ok(),
        Err(error) => {
            complain(&format_args!("lost track of the command: {error}"));
            None
        }
    };
    ExitCode::from(code.unwrap_or(125))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn flags_come_before_the_command_and_its_own_flags_are_left_alone() {
        let asked =
            parsed("-s workspace-write --writable a --writable b --hide h --hide i --network -C d -- ls -s -- x").unwrap();
        assert_eq!(asked.mode, SandboxMode::WorkspaceWrite);
        assert_eq!(asked.writable, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(asked.hidden, [PathBuf::from("h"), PathBuf::from("i")]);
        assert!(asked.network);
        assert_eq!(asked.directory, Path::new("d"));
        assert_eq!(asked.command, ["ls", "-s", "--", "x"]);
        assert_eq!(parsed("-- ls").unwrap().mode, SandboxMode::ReadOnly);
    }

    #[test]
    fn a_mistake_is_told_in_one_sentence() {
        for (line, said) in [
            ("", "name the command"),
            ("--", "name the command"),
            ("ls", "does not know `ls`"),
            ("-s", "needs a mode"),
            ("-s off -- ls", "not a sandbox mode"),
            ("--writable x -- ls", "means nothing"),
            ("-C", "needs a directory"),
            ("--hide", "needs a directory"),
        ] {
            let mistake = parsed(line).unwrap_err();
            assert!(mistake.contains(said) && !mistake.contains('\n'), "{line}: {mistake}");
        }
    }
}
