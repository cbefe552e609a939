//! The system calls that a sandboxed program may make, as one BPF program.
//!
//! `filters/` decides every call of a machine by name, with the reason; `calls` reads it while the runner is built, so that a list with
//! an error does not build; `arguments` decides the few calls that depend on what they ask for; `tree` lays it all out.

mod arguments;
mod calls;
mod tree;

use calls::{Answer, Machine};
use capstan_types::launch::Refusal;
use capstan_types::policy::{Network, SandboxMode, SandboxPolicy};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tree::Decision;

pub(crate) use tree::BpfProgram;

/// Which parts of the host a session has of its own, so that calls which reach no further than them need not be denied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// A network namespace: a loopback that reaches nobody else.
    pub(crate) own_network: bool,
    /// An IPC namespace: System V and POSIX queues, segments and semaphores.
    pub(crate) own_ipc: bool,
    /// A mount namespace, in which what may not be written is mounted read-only.
    pub(crate) own_mounts: bool,
}

/// What of a policy and its surroundings decides a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Situation {
    network: bool,
    ipc: bool,
    metadata: bool,
}

/// The programs for `policy` in `surroundings`, in the order in which they are attached.
pub(crate) fn programs(policy: &SandboxPolicy, surroundings: Surroundings) -> Result<Vec<BpfProgram>, Refusal> {
    let machine = Machine::this().ok_or_else(|| Refusal::CannotEnforce {
        missing: format!("a seccomp filter for {}", std::env::consts::ARCH),
        remedy: "run on x86_64 or aarch64".to_owned(),
    })?;
    Ok(vec![tree::compiled(machine.audit, &Situation::of(policy, surroundings).ranges(machine))])
}

/// The SHA-256 of the programs' exact bytes, in hexadecimal.
pub(crate) fn sha256(programs: &[BpfProgram]) -> String {
    let mut digest = Sha256::new();
    for libc::sock_filter { code, jt, jf, k } in programs.iter().flatten() {
        digest.update(code.to_ne_bytes());
        digest.update([*jt, *jf]);
        digest.update(k.to_ne_bytes());
    }
    digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Has the processor asked, in a process that others are forked from, for what a first digest asks it for: in a virtual machine it is not
/// the processor that answers, and that takes tens of microseconds.
pub(crate) fn warm() {
    sha256(&[]);
}

impl Situation {
    fn of(policy: &SandboxPolicy, surroundings: Surroundings) -> Self {
        let network = match policy.network {
            Network::None => false,
            // Where there is no loopback of the session's own, the host's would be reached.
            Network::Loopback | Network::Hosts(_) => surroundings.own_network,
            Network::Full => true,
        };
        // Landlock does not see changes of metadata. Where something may be written, builds need them.
        let metadata = surroundings.own_mounts || policy.mode != SandboxMode::ReadOnly;
        Self { network, ipc: surroundings.own_ipc, metadata }
    }

    const fn decide(self, answer: Answer) -> Decision {
        const DENY: Decision = Decision::Errno(libc::EPERM);
        match answer {
            Answer::Allow => Decision::Allow,
            Answer::Deny => DENY,
            Answer::Absent => Decision::Errno(libc::ENOSYS),
            Answer::Ipc if self.ipc => Decision::Allow,
            Answer::Metadata if self.metadata => Decision::Allow,
            Answer::Mode(argument) if self.metadata => Decision::Unless(modes(argument)),
            Answer::Ipc | Answer::Metadata | Answer::Mode(_) => DENY,
            Answer::Makes(argument) => Decision::Unless(modes(argument)),
            Answer::Opens(2) => Decision::Unless(arguments::OPENINGS[0]),
            Answer::Opens(_) => Decision::Unless(arguments::OPENINGS[1]),
            Answer::Namespaces => Decision::Unless(arguments::NAMESPACES),
            Answer::Personality => Decision::Unless(arguments::PERSONALITIES),
            Answer::Requests if self.metadata => Decision::Unless(arguments::REQUESTS),
            Answer::Requests => Decision::Unless(arguments::REQUESTS_OF_READERS),
            Answer::Oneself => Decision::Unless(arguments::OTHERS),
            Answer::Sockets if self.network => Decision::Unless(arguments::SOCKETS),
            Answer::Sockets => Decision::Unless(arguments::LOCAL_SOCKETS),
        }
    }

    /// The first number of each run of calls that are decided alike, from 0 on, and what is decided of them.
    fn ranges(self, machine: &Machine) -> Vec<(u32, Decision)> {
        let unknown = self.decide(Answer::Absent);
        let mut ranges = vec![(0, unknown)];
        for call in machine.calls {
            decide_from(&mut ranges, call.number, self.decide(call.answer));
            decide_from(&mut ranges, call.number + 1, unknown);
        }
        ranges
    }
}

/// What is denied of a mode that is the argument of this number.
const fn modes(argument: u8) -> &'static [arguments::Denial] {
    match argument {
        1 => arguments::MODES[0],
        2 => arguments::MODES[1],
        _ => arguments::MODES[2],
    }
}

/// Decides the calls from `number` on, which is at least the number of the last range.
fn decide_from(ranges: &mut Vec<(u32, Decision)>, number: u32, decision: Decision) {
    ranges.pop_if(|(first, _)| *first == number);
    if ranges.last().is_none_or(|(_, last)| *last != decision) {
        ranges.push((number, decision));
    }
}

#[cfg(test)]
mod tests;
