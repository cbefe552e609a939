//! What can go wrong between fork and exec, as the child reports it and as people read it.

use crate::launch::Image;
use capstan_types::launch::Refusal;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub(crate) struct LaunchError {
    /// What the caller is told.
    pub(crate) refusal: Refusal,
    /// The exit code by which shells say the same: 127 not found, 126 not executable, 125 anything else.
    pub(crate) shell_code: u8,
}

impl From<Refusal> for LaunchError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, shell_code: 125 }
    }
}

impl LaunchError {
    /// The host failed in something that should have worked.
    pub(crate) fn host(step: &str, error: &impl ToString) -> Self {
        Refusal::Host { step: step.to_owned(), reason: error.to_string() }.into()
    }
}

/// The steps that a child goes through, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    /// Its report could not be read.
    Report,
    /// Joining the session's cgroups.
    Cgroups,
    /// Dying with the parent.
    Parent,
    /// The session's user, in its namespace.
    User,
    /// The name of the host.
    HostName,
    /// The loopback interface.
    Loopback,
    /// The root of the session.
    Root,
    /// Entering the session's namespaces.
    Namespaces,
    /// A keyring of its own.
    Keyring,
    /// A session of its own.
    Session,
    /// The controlling terminal.
    Terminal,
    /// Standard input, output and error.
    Streams,
    /// Closing everything else.
    Descriptors,
    /// Resource limits.
    Limits,
    /// Dropping capabilities.
    Capabilities,
    /// Giving up on gaining privileges.
    NoNewPrivileges,
    /// The working directory.
    WorkingDirectory,
    /// The Landlock ruleset.
    Landlock,
    /// The seccomp programs.
    Seccomp,
    /// The program itself.
    Exec,
    /// The program is there, and the interpreter that it names is not.
    Interpreter,
}

const STEPS: [Step; 21] = [
    Step::Report,
    Step::Cgroups,
    Step::Parent,
    Step::User,
    Step::HostName,
    Step::Loopback,
    Step::Root,
    Step::Namespaces,
    Step::Keyring,
    Step::Session,
    Step::Terminal,
    Step::Streams,
    Step::Descriptors,
    Step::Limits,
    Step::Capabilities,
    Step::NoNewPrivileges,
    Step::WorkingDirectory,
    Step::Landlock,
    Step::Seccomp,
    Step::Exec,
    Step::Interpreter,
];

impl Step {
    /// The step in words that fit behind "could not".
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Report => "read the child's report",
            Self::Cgroups => "join the session's cgroups",
            Self::Parent => "tie the child to its holder",
            Self::User => "become the session's user",
            Self::HostName => "name the session's host",
            Self::Loopback => "raise the session's loopback",
            Self::Root => "build the session's root",
            Self::Namespaces => "enter the session's namespaces",
            Self::Keyring => "make a keyring of its own",
            Self::Session => "make a session of processes",
            Self::Terminal => "take the terminal",
            Self::Streams => "connect the standard streams",
            Self::Descriptors => "close inherited descriptors",
            Self::Limits => "set the resource limits",
            Self::Capabilities => "drop capabilities",
            Self::NoNewPrivileges => "set no_new_privs",
            Self::WorkingDirectory => "enter the working directory",
            Self::Landlock => "apply the Landlock ruleset",
            Self::Seccomp => "attach the seccomp filter",
            Self::Exec | Self::Interpreter => "execute the program",
        }
    }
}

/// A step that failed, and the errno it failed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) step: Step,
    pub(crate) errno: i32,
}

impl Fault {
    /// The fault in five bytes.
    pub(crate) const fn encode(self) -> [u8; 5] {
        let [a, b, c, d] = self.errno.to_ne_bytes();
        [self.step as u8, a, b, c, d]
    }

    /// Reads what [`Fault::encode`] wrote.
    pub(crate) fn decode(report: &[u8]) -> Option<Self> {
        let [step, errno @ ..] = <[u8; 5]>::try_from(report).ok()?;
        let step = STEPS.into_iter().find(|known| *known as u8 == step)?;
        Some(Self { step, errno: i32::from_ne_bytes(errno) })
    }

    /// The fault in words.
    pub(crate) fn explain(self, image: &Image) -> LaunchError {
        let reason = io::Error::from_raw_os_error(self.errno);
        match self.step {
            Step::Exec => exec(self.errno, image),
            Step::Interpreter => program(image, 126, "it is there, but the interpreter or loader it names is not".to_owned()),
            Step::WorkingDirectory => {
                let cwd = image.cwd().to_string_lossy().into_owned();
                Refusal::WorkingDirectory { cwd, reason: directory(self.errno, &reason) }.into()
            }
            Step::Landlock => missing("Landlock", &reason),
            Step::Seccomp => missing("seccomp filtering", &reason),
            step => LaunchError::host(step.name(), &reason),
        }
    }
}

fn missing(what: &str, reason: &io::Error) -> LaunchError {
    let remedy = format!("the kernel refused it when the program was to start ({reason}); see `capstan doctor`");
    Refusal::CannotEnforce { missing: what.to_owned(), remedy }.into()
}

fn directory(errno: i32, reason: &io::Error) -> String {
    match errno {
        libc::ENOENT => "it does not exist, or the sandbox does not show it: name it as a readable directory".to_owned(),
        libc::ENOTDIR => "it is not a directory".to_owned(),
        libc::EACCES => "permission denied".to_owned(),
        _ => reason.to_string(),
    }
}

fn program(image: &Image, shell_code: u8, reason: String) -> LaunchError {
    let cwd = image.cwd().to_string_lossy().into_owned();
    LaunchError { refusal: Refusal::Program { program: image.program(), cwd, reason }, shell_code }
}

/// A name without a slash was looked for in several places, and they are named.
fn not_found(image: &Image) -> String {
    if image.program().contains('/') {
        return "it was not found".to_owned();
    }
    let place =
        |candidate: &CString| Path::new(OsStr::from_bytes(candidate.as_bytes())).parent().map(|dir| dir.display().to_string());
    let places: Vec<_> = image.candidates().iter().filter_map(place).collect();
    format!("it was not found in {}", places.join(":"))
}

fn exec(errno: i32, image: &Image) -> LaunchError {
    let reason = io::Error::from_raw_os_error(errno);
    match errno {
        libc::ENOENT | libc::ENOTDIR => program(image, 127, not_found(image)),
        libc::EACCES => program(image, 126, "it is not executable, or the sandbox hides it".to_owned()),
        libc::ENOEXEC => program(image, 126, "it is neither a program for this machine nor a script with a `#!` line".to_owned()),
        libc::ENOMEM | libc::EAGAIN | libc::ENFILE | libc::EMFILE | libc::EIO => {
            LaunchError::host("execute the program", &reason)
        }
        _ => program(image, 126, reason.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_survives_the_pipe() {
        for step in STEPS {
            let fault = Fault { step, errno: libc::EACCES };
            assert_eq!(Fault::decode(&fault.encode()), Some(fault));
        }
        assert_eq!(Fault::decode(&[200, 0, 0, 0, 0]), None);
        assert_eq!(Fault::decode(&[1, 2]), None);
    }
}
