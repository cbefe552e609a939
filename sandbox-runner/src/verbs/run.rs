//! The `run` verb: one command in the sandbox, with the caller's own streams and terminal.
//!
//! It stays as the command's keeper: it passes signals on, ends what the command leaves behind, and exits as the command did. Its own
//! death is the command's.

use super::{complain, misuse};
use crate::bounds::Bounds;
use crate::cgroup::{Cgroup, Places};
use crate::confinement::{Ahead, Confinement, Inside, Wanted, network_variables};
use crate::egress_process::EgressProcess;
use crate::holder::tree;
use crate::holder::watch::Watch;
use crate::kernel::descriptor::{Interest, PollSet};
use crate::kernel::process::{self, ExitStatus, Reaped};
use crate::kernel::signals::{Signals, Told};
use crate::launch::{Image, LaunchError, Streams, launch};
use capstan_sandbox_command_line::Asked;
use capstan_types::launch::{Denial, Enforced, SessionEnd, SessionLimit};
use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long a command may take to go after it was asked to terminate.
const GRACE: Duration = Duration::from_secs(3);

/// Runs a command and gives its exit code.
pub(super) fn run(args: Vec<OsString>) -> ExitCode {
    let asked = match Asked::parse(args).and_then(|asked| asked.check_directory().map(|()| asked)) {
        Ok(asked) => asked,
        Err(mistake) => return misuse(&mistake),
    };
    match start(&asked).and_then(|mut keeper| keeper.keep(&asked)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            let refused = serde_json::json!({ "refused": error.to_string() });
            // Where it cannot be written, that is what was just said.
            let _ = asked.proof.iter().try_for_each(|file| write_proof(file, &format!("{refused:#}\n")));
            ExitCode::from(error.shell_code)
        }
    }
}

/// A command that runs.
struct Keeper {
    pid: libc::pid_t,
    signals: Signals,
    inside: Option<Inside>,
    watch: Watch,
    enforced: Enforced,
    denials: Vec<Denial>,
    exit: Option<ExitStatus>,
    /// When the command is ended, and for which limit.
    deadline: Option<(Instant, Option<SessionLimit>)>,
    ended_for: Option<SessionLimit>,
}

fn start(asked: &Asked) -> Result<Keeper, LaunchError> {
    let unnamed = |reason: String| LaunchError::host("find the working directory", &reason);
    let (policy, directory) = (asked.policy().map_err(unnamed)?, asked.directory().map_err(unnamed)?);
    // What cannot be proven later is not begun.
    asked.proof.iter().try_for_each(|file| write_proof(file, ""))?;
    let variables = asked.variables(std::env::vars_os()).into_iter();
    let variables: Vec<_> = variables.chain(network_variables(&policy.network)).collect();
    let home = variables.iter().find(|(name, _)| name == "HOME").map(|(_, value)| PathBuf::from(value));
    let image = Image::new(asked.command.clone(), variables, directory.as_path())?;
    let wanted =
        Wanted { policy: &policy, home: home.as_deref(), protected: None, strongest: asked.strongest, root_allowed: true };
    process::become_subreaper().map_err(|error| LaunchError::host("adopt orphans", &error))?;
    let confinement = Confinement::prepare(&wanted, Ahead::default())?;
    let signals = Signals::open_all().map_err(|error| LaunchError::host("read signals", &error))?;
    let bounds = Bounds::of(Cgroup::make(&Places::find(), &asked.limits), &asked.limits, confinement.own_user());
    confinement.demand(policy.level, &bounds)?;
    let pid = launch(&image, &Streams::Inherited, &confinement, &bounds, None)?;
    let mut enforced = confinement.enforced(&bounds);
    // These are a holder's, and a command has none.
    enforced
        .limits
        .retain(|limit| !["ownerless=", "idle=", "head=", "tail=", "output="].iter().any(|name| limit.starts_with(name)));
    let watch = Watch::new(bounds, Instant::now());
    let deadline = asked.limits.total.map(|span| (Instant::now() + span.as_duration(), Some(SessionLimit::Total)));
    Ok(Keeper {
        pid,
        signals,
        inside: confinement.into_inside(),
        watch,
        enforced,
        denials: Vec::new(),
        exit: None,
        deadline,
        ended_for: None,
    })
}

impl Keeper {
    /// Stays until the command and all it left behind are gone; gives its exit code.
    fn keep(&mut self, asked: &Asked) -> Result<u8, LaunchError> {
        if let Err(error) = self.prove(asked, None) {
            self.end_all();
            return Err(error);
        }
        while self.exit.is_none() {
            self.wait();
            self.obey();
            self.tell_refusals();
            if self.deadline.is_some_and(|(at, _)| Instant::now() >= at) {
                self.ended_for = self.deadline.take().and_then(|(_, limit)| limit);
                self.end_all();
            } else if let Some(limit) = self.watch.reached(Instant::now(), 0) {
                self.ended_for = Some(limit);
                self.end_all();
            }
        }
        self.end_all();
        if let Some(inside) = self.inside.take() {
            let protection = inside.view.into_protection();
            let refused = protection.sweep();
            refused.iter().for_each(complain);
            self.denials.extend(refused);
            drop(protection);
        }
        let end = self.end();
        if let SessionEnd::Limit(limit) = &end {
            complain(&format_args!("the command was ended: {} limit reached", limit.as_str()));
        }
        self.prove(asked, Some(&end))?;
        Ok(end.shell_code().and_then(|code| u8::try_from(code).ok()).unwrap_or(125))
    }

    fn end(&self) -> SessionEnd {
        let end = match (self.ended_for, self.exit) {
            (Some(limit), _) => SessionEnd::Limit(limit),
            (None, Some(ExitStatus::Code(code))) => SessionEnd::Exited { code },
            (None, Some(ExitStatus::Signal(signal))) => SessionEnd::Signalled { signal },
            (None, None) => SessionEnd::Unknown { reason: "lost track of the command".to_owned() },
        };
        self.watch.last(&end, 0).map_or(end, SessionEnd::Limit)
    }

    fn proxy(&mut self) -> Option<&mut EgressProcess> {
        self.inside.as_mut()?.proxy.as_mut()
    }

    /// What the proxy refused is said as it happens.
    fn tell_refusals(&mut self) {
        let Some((refused, alive)) = self.proxy().map(EgressProcess::refused) else { return };
        refused.iter().for_each(complain);
        self.denials.extend(refused);
        if !alive && let Some(inside) = &mut self.inside {
            inside.proxy = None;
        }
    }

    fn wait(&mut self) {
        let mut poll = PollSet::default();
        poll.add(self.signals.as_raw_fd(), Interest::Read);
        if let Some(proxy) = self.proxy() {
            poll.add(proxy.wakes_by(), Interest::Read);
        }
        let next = self.deadline.map(|(at, _)| at).into_iter().chain(self.watch.next()).min();
        let timeout = next.map(|at| at.saturating_duration_since(Instant::now()));
        let _ = poll.wait(timeout);
    }

    fn obey(&mut self) {
        while let Some(told) = self.signals.next() {
            match told {
                Told::Child => {
                    self.reap();
                }
                Told::Terminate => {
                    let _ = process::kill(self.pid, libc::SIGTERM);
                    let end = Instant::now() + GRACE;
                    let sooner = self.deadline.filter(|(at, _)| *at < end);
                    self.deadline = sooner.or(Some((end, None)));
                }
                Told::Other(number) => {
                    let _ = process::kill(self.pid, number);
                }
            }
        }
    }

    fn reap(&mut self) -> bool {
        loop {
            match process::reap_any() {
                Ok(Reaped::Child(pid, status)) => {
                    self.watch.saw(status);
                    self.exit = self.exit.or_else(|| (pid == self.pid).then_some(status));
                }
                Ok(Reaped::Childless) => return false,
                Ok(Reaped::NoneReady) | Err(_) => return true,
            }
        }
    }

    /// Ends everything that is left, and waits until it is gone.
    fn end_all(&mut self) {
        let give_up = Instant::now() + GRACE;
        self.tell_refusals();
        if let Some(inside) = &mut self.inside {
            inside.proxy = None;
        }
        while self.reap() && Instant::now() < give_up {
            match &self.inside {
                Some(inside) => inside.namespaces.end(),
                None => tree::kill(),
            }
            let mut poll = PollSet::default();
            poll.add(self.signals.as_raw_fd(), Interest::Read);
            let _ = poll.wait(Some(Duration::from_millis(20)));
            while self.signals.next().is_some() {}
        }
    }

    fn prove(&self, asked: &Asked, end: Option<&SessionEnd>) -> Result<(), LaunchError> {
        let Some(file) = &asked.proof else { return Ok(()) };
        let proof = serde_json::json!({ "enforced": self.enforced, "denials": self.denials, "end": end });
        write_proof(file, &format!("{proof:#}\n"))
    }
}

fn write_proof(file: &Path, text: &str) -> Result<(), LaunchError> {
    std::fs::write(file, text).map_err(|error| LaunchError::host(&format!("write the proof to `{}`", file.display()), &error))
}
