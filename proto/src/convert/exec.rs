//! Sessions: requests to the Exec service and its events.

use super::{Malformed, nonempty, nonzero, parse};
use crate::wire::node as wire;
use capstan_types::id::{Attempt, Epoch};
use capstan_types::launch::{Denial, Enforced, SessionEnd, SessionLimit, Stdio, TermSize};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use capstan_types::path::AbsPath;
use capstan_types::policy::{HostRule, Level, Network, SandboxMode, SandboxPolicy};
use capstan_types::session::{Authority, SessionEvent, StartCall};
use capstan_types::time::Millis;

impl From<&Authority> for wire::Authority {
    fn from(authority: &Authority) -> Self {
        Self { thread_id: authority.thread.to_string(), epoch: authority.epoch.0, owner: authority.owner.clone() }
    }
}

/// Reads who acts.
///
/// # Errors
/// A missing authority, a thread that is not a UUID, or epoch 0.
pub fn authority(wire: Option<wire::Authority>) -> Result<Authority, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("authority"))?;
    let epoch = nonzero(wire.epoch).ok_or_else(|| Malformed::new("authority.epoch", "it must be 1 or more"))?;
    Ok(Authority { thread: parse("authority.thread_id", &wire.thread_id)?, epoch: Epoch(epoch), owner: wire.owner })
}

/// Reads a try's number.
///
/// # Errors
/// Zero, which is no try.
pub fn attempt(number: u32) -> Result<Attempt, Malformed> {
    match number {
        0 => Err(Malformed::new("attempt", "it must be 1 or more")),
        number => Ok(Attempt(number)),
    }
}

impl From<&StartCall> for wire::StartRequest {
    fn from(start: &StartCall) -> Self {
        Self {
            authority: Some((&start.authority).into()),
            call_id: start.call.to_string(),
            attempt: start.attempt.0,
            argv: start.argv.clone(),
            cwd: start.cwd.to_string(),
            env: start.env.clone().into_iter().collect(),
            stdio: Some(start.stdio.into()),
            policy: Some((&start.policy).into()),
            limits: Some(start.limits.into()),
            from_seq: start.from.0,
        }
    }
}

impl TryFrom<wire::StartRequest> for StartCall {
    type Error = Malformed;

    fn try_from(wire: wire::StartRequest) -> Result<Self, Malformed> {
        if wire.argv.is_empty() {
            return Err(Malformed::new("argv", "it must hold at least the program"));
        }
        if wire.argv.iter().any(|argument| argument.contains('\0')) {
            return Err(Malformed::new("argv", "an argument must not contain a NUL byte"));
        }
        Ok(Self {
            authority: authority(wire.authority)?,
            call: parse("call_id", &wire.call_id)?,
            attempt: attempt(wire.attempt)?,
            argv: wire.argv,
            cwd: parse("cwd", &wire.cwd)?,
            env: wire.env.into_iter().collect(),
            stdio: stdio(wire.stdio)?,
            policy: policy(wire.policy)?,
            limits: limits(wire.limits.unwrap_or_default())?,
            from: Seq(wire.from_seq),
        })
    }
}

impl From<Stdio> for wire::Stdio {
    fn from(stdio: Stdio) -> Self {
        use wire::stdio::Kind;
        let kind = match stdio {
            Stdio::Terminal(size) => Kind::Terminal(size.into()),
            Stdio::Pipes => Kind::Pipes(wire::Pipes {}),
            Stdio::PipesNoInput => Kind::PipesNoInput(wire::PipesNoInput {}),
        };
        Self { kind: Some(kind) }
    }
}

pub(super) fn stdio(wire: Option<wire::Stdio>) -> Result<Stdio, Malformed> {
    use wire::stdio::Kind;
    match wire.and_then(|stdio| stdio.kind).ok_or_else(|| Malformed::missing("stdio"))? {
        Kind::Terminal(size) => Ok(Stdio::Terminal(size.try_into()?)),
        Kind::Pipes(_) => Ok(Stdio::Pipes),
        Kind::PipesNoInput(_) => Ok(Stdio::PipesNoInput),
    }
}

impl From<TermSize> for wire::TermSize {
    fn from(size: TermSize) -> Self {
        Self { rows: size.rows.into(), cols: size.cols.into() }
    }
}

impl TryFrom<wire::TermSize> for TermSize {
    type Error = Malformed;

    fn try_from(wire: wire::TermSize) -> Result<Self, Malformed> {
        term_size(wire.rows, wire.cols)
    }
}

/// A size from its numbers.
pub(super) fn term_size(rows: u32, cols: u32) -> Result<TermSize, Malformed> {
    let cells = |count: u32| u16::try_from(count).map_err(|_| Malformed::new("size", "at most 65535 rows and columns"));
    Ok(TermSize { rows: cells(rows)?, cols: cells(cols)? })
}

impl From<&SandboxPolicy> for wire::Policy {
    fn from(policy: &SandboxPolicy) -> Self {
        let texts = |paths: &[AbsPath]| paths.iter().map(ToString::to_string).collect();
        let mode = match policy.mode {
            SandboxMode::ReadOnly => wire::SandboxMode::ReadOnly,
            SandboxMode::WorkspaceWrite => wire::SandboxMode::WorkspaceWrite,
            SandboxMode::DangerFullAccess => wire::SandboxMode::DangerFullAccess,
        };
        let network = match policy.network {
            Network::None => wire::Network::None,
            Network::Loopback => wire::Network::Loopback,
            Network::Hosts(_) => wire::Network::Hosts,
            Network::Full => wire::Network::Full,
        };
        let hosts = if let Network::Hosts(rules) = &policy.network { rules.as_slice() } else { &[] };
        Self {
            mode: mode.into(),
            writable: texts(&policy.writable),
            hidden: texts(&policy.hidden),
            readable: texts(&policy.readable),
            protected: policy.protected.clone(),
            network: network.into(),
            hosts: hosts.iter().map(ToString::to_string).collect(),
            level: level_to_wire(policy.level).into(),
        }
    }
}

pub(super) const fn level_to_wire(level: Level) -> wire::SandboxLevel {
    match level {
        Level::None => wire::SandboxLevel::None,
        Level::Landlock => wire::SandboxLevel::Landlock,
        Level::Namespaces => wire::SandboxLevel::Namespaces,
        Level::Full => wire::SandboxLevel::Full,
    }
}

pub(super) const fn level_from_wire(level: wire::SandboxLevel) -> Level {
    match level {
        wire::SandboxLevel::None => Level::None,
        wire::SandboxLevel::Landlock | wire::SandboxLevel::Unspecified => Level::Landlock,
        wire::SandboxLevel::Namespaces => Level::Namespaces,
        wire::SandboxLevel::Full => Level::Full,
    }
}

fn network(wire: &wire::Policy) -> Result<Network, Malformed> {
    let hosts = wire.hosts.iter().map(|rule| parse("policy.hosts", rule)).collect::<Result<Vec<HostRule>, _>>()?;
    // A list that would be ignored is a mistake that somebody takes for a restriction.
    if !hosts.is_empty() && wire.network() != wire::Network::Hosts {
        return Err(Malformed::new("policy.hosts", "they are listed, but the network is not NETWORK_HOSTS"));
    }
    match wire::Network::try_from(wire.network) {
        Ok(wire::Network::None) => Ok(Network::None),
        Ok(wire::Network::Loopback | wire::Network::Unspecified) => Ok(Network::Loopback),
        Ok(wire::Network::Hosts) => Ok(Network::Hosts(hosts)),
        Ok(wire::Network::Full) => Ok(Network::Full),
        Err(_) => Err(Malformed::new("policy.network", "it is none that this release knows")),
    }
}

/// Reads a policy.
///
/// # Errors
/// A policy without a mode: nothing is assumed.
pub fn policy(wire: Option<wire::Policy>) -> Result<SandboxPolicy, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("policy"))?;
    let mode = match wire.mode() {
        wire::SandboxMode::ReadOnly => SandboxMode::ReadOnly,
        wire::SandboxMode::WorkspaceWrite => SandboxMode::WorkspaceWrite,
        wire::SandboxMode::DangerFullAccess => SandboxMode::DangerFullAccess,
        wire::SandboxMode::Unspecified => return Err(Malformed::missing("policy.mode")),
    };
    let paths = |field, texts: &[String]| texts.iter().map(|text| parse(field, text)).collect::<Result<Vec<AbsPath>, _>>();
    Ok(SandboxPolicy {
        mode,
        writable: paths("policy.writable", &wire.writable)?,
        readable: paths("policy.readable", &wire.readable)?,
        hidden: paths("policy.hidden", &wire.hidden)?,
        network: network(&wire)?,
        level: level_from_wire(
            wire::SandboxLevel::try_from(wire.level)
                .map_err(|_| Malformed::new("policy.level", "it is none that this release knows"))?,
        ),
        protected: wire.protected,
        // Nobody can ask for it.
        unprotected: false,
    })
}

impl From<SessionLimits> for wire::Limits {
    fn from(limits: SessionLimits) -> Self {
        Self {
            total_ms: limits.total.map_or(0, |span| span.0),
            idle_ms: limits.idle.map_or(0, |span| span.0),
            ownerless_ms: limits.ownerless.0,
            head_bytes: limits.head.bytes(),
            tail_bytes: limits.tail.bytes(),
            processes: limits.processes.unwrap_or(0),
            open_files: limits.open_files.unwrap_or(0),
            file_bytes: limits.file_bytes.unwrap_or(0),
            memory_bytes: limits.memory.unwrap_or(0),
            cpu_millis: limits.cpu_millis.unwrap_or(0),
            cpu_time_ms: limits.cpu_time.map_or(0, |span| span.0),
            written_bytes: limits.written.unwrap_or(0),
            output_bytes: limits.output.unwrap_or(0),
            keep_all_bytes: limits.keep_all.unwrap_or(0),
        }
    }
}

fn limits(wire: wire::Limits) -> Result<SessionLimits, Malformed> {
    let default = SessionLimits::default();
    let cap = |bytes, otherwise| match bytes {
        0 => Ok(otherwise),
        bytes => ByteCap::new(bytes).map_err(|error| Malformed::new("limits", error)),
    };
    let count = |number: u32| if number == 0 { None } else { Some(number) };
    SessionLimits {
        total: nonzero(wire.total_ms).map(Millis),
        idle: nonzero(wire.idle_ms).map(Millis),
        ownerless: nonzero(wire.ownerless_ms).map_or(default.ownerless, Millis),
        head: cap(wire.head_bytes, default.head)?,
        tail: cap(wire.tail_bytes, default.tail)?,
        processes: count(wire.processes),
        open_files: count(wire.open_files),
        file_bytes: nonzero(wire.file_bytes),
        memory: nonzero(wire.memory_bytes),
        cpu_millis: count(wire.cpu_millis),
        cpu_time: nonzero(wire.cpu_time_ms).map(Millis),
        written: nonzero(wire.written_bytes),
        output: nonzero(wire.output_bytes),
        keep_all: nonzero(wire.keep_all_bytes),
    }
    .checked()
    .map_err(|error| Malformed::new("limits", error))
}

impl From<SessionEvent> for wire::SessionEvent {
    fn from(event: SessionEvent) -> Self {
        use wire::session_event::Event;
        let seal = match &event {
            SessionEvent::Ended { seal, .. } => seal.as_deref().map(Into::into),
            SessionEvent::Started { .. } | SessionEvent::Output(_) | SessionEvent::Denied(_) => None,
        };
        let event = match event {
            SessionEvent::Started { session, enforced } => {
                Event::Started(wire::Started { session_id: session.to_string(), enforced: Some(enforced.into()) })
            }
            SessionEvent::Output(Piece::Bytes { seq, bytes }) => Event::Output(wire::Output { seq: seq.0, data: bytes }),
            SessionEvent::Output(Piece::Gap { seq, bytes }) => Event::Gap(wire::Gap { seq: seq.0, bytes }),
            SessionEvent::Ended { end, .. } => Event::Ended(end.into()),
            SessionEvent::Denied(Denial { act, reason }) => Event::Denied(wire::Denial { act, reason }),
        };
        Self { event: Some(event), seal }
    }
}

impl TryFrom<wire::SessionEvent> for SessionEvent {
    type Error = Malformed;

    fn try_from(wire: wire::SessionEvent) -> Result<Self, Malformed> {
        use wire::session_event::Event;
        Ok(match wire.event.ok_or_else(|| Malformed::missing("event"))? {
            Event::Started(started) => Self::Started {
                session: parse("started.session_id", &started.session_id)?,
                enforced: started.enforced.unwrap_or_default().into(),
            },
            Event::Output(output) => Self::Output(Piece::Bytes { seq: Seq(output.seq), bytes: output.data }),
            Event::Gap(gap) => Self::Output(Piece::Gap { seq: Seq(gap.seq), bytes: gap.bytes }),
            Event::Ended(end) => {
                Self::Ended { end: end.try_into()?, seal: wire.seal.map(Seal::try_from).transpose()?.map(Box::new) }
            }
            Event::Denied(wire::Denial { act, reason }) => Self::Denied(Denial { act, reason }),
        })
    }
}

impl From<SessionEnd> for wire::SessionEnd {
    fn from(end: SessionEnd) -> Self {
        use wire::session_end::End;
        let end = match end {
            SessionEnd::Exited { code } => End::Exited(code),
            SessionEnd::Signalled { signal } => End::Signalled(signal),
            SessionEnd::Limit(limit) => End::Limit(
                match limit {
                    SessionLimit::Total => wire::SessionLimit::Total,
                    SessionLimit::Idle => wire::SessionLimit::Idle,
                    SessionLimit::Ownerless => wire::SessionLimit::Ownerless,
                    SessionLimit::Memory => wire::SessionLimit::Memory,
                    SessionLimit::Processes => wire::SessionLimit::Processes,
                    SessionLimit::CpuTime => wire::SessionLimit::CpuTime,
                    SessionLimit::Written => wire::SessionLimit::Written,
                    SessionLimit::FileSize => wire::SessionLimit::FileSize,
                    SessionLimit::Output => wire::SessionLimit::Output,
                }
                .into(),
            ),
            SessionEnd::Killed { by } => End::KilledBy(by),
            SessionEnd::Unknown { reason } => End::Unknown(reason),
        };
        Self { end: Some(end) }
    }
}

impl TryFrom<wire::SessionEnd> for SessionEnd {
    type Error = Malformed;

    fn try_from(wire: wire::SessionEnd) -> Result<Self, Malformed> {
        use wire::session_end::End;
        Ok(match wire.end.ok_or_else(|| Malformed::missing("ended.end"))? {
            End::Exited(code) => Self::Exited { code },
            End::Signalled(signal) => Self::Signalled { signal },
            End::Limit(limit) => match wire::SessionLimit::try_from(limit) {
                Ok(wire::SessionLimit::Total) => Self::Limit(SessionLimit::Total),
                Ok(wire::SessionLimit::Idle) => Self::Limit(SessionLimit::Idle),
                Ok(wire::SessionLimit::Ownerless) => Self::Limit(SessionLimit::Ownerless),
                Ok(wire::SessionLimit::Memory) => Self::Limit(SessionLimit::Memory),
                Ok(wire::SessionLimit::Processes) => Self::Limit(SessionLimit::Processes),
                Ok(wire::SessionLimit::CpuTime) => Self::Limit(SessionLimit::CpuTime),
                Ok(wire::SessionLimit::Written) => Self::Limit(SessionLimit::Written),
                Ok(wire::SessionLimit::FileSize) => Self::Limit(SessionLimit::FileSize),
                Ok(wire::SessionLimit::Output) => Self::Limit(SessionLimit::Output),
                // A newer node's limit: the session did end, so that much is passed on.
                Ok(wire::SessionLimit::Unspecified) | Err(_) => {
                    Self::Unknown { reason: format!("limit number {limit} was reached") }
                }
            },
            End::KilledBy(by) => Self::Killed { by },
            End::Unknown(reason) => Self::Unknown { reason },
        })
    }
}

impl From<Enforced> for wire::Enforced {
    fn from(enforced: Enforced) -> Self {
        Self {
            landlock_abi: enforced.landlock_abi.unwrap_or(0),
            seccomp_sha256: enforced.seccomp_sha256.unwrap_or_default(),
            no_new_privs: enforced.no_new_privs,
            capabilities_dropped: enforced.capabilities_dropped,
            network_closed: enforced.network_closed,
            uid: enforced.uid,
            limits: enforced.limits,
            level: level_to_wire(enforced.level).into(),
            landlock_rights: enforced.landlock_rights,
            namespaces: enforced.namespaces,
            network: enforced.network,
            missing: enforced.missing,
        }
    }
}

impl From<wire::Enforced> for Enforced {
    fn from(wire: wire::Enforced) -> Self {
        let level = wire::SandboxLevel::try_from(wire.level).map_or(Level::None, level_from_wire);
        Self {
            level,
            landlock_abi: Some(wire.landlock_abi).filter(|abi| *abi > 0),
            seccomp_sha256: nonempty(wire.seccomp_sha256),
            no_new_privs: wire.no_new_privs,
            capabilities_dropped: wire.capabilities_dropped,
            network_closed: wire.network_closed,
            uid: wire.uid,
            limits: wire.limits,
            landlock_rights: wire.landlock_rights,
            namespaces: wire.namespaces,
            network: wire.network,
            missing: wire.missing,
        }
    }
}

#[cfg(test)]
mod tests;
