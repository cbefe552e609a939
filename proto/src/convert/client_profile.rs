//! Permission profiles as clients send them. One that contradicts itself goes no further.

use super::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::policy::{Network, PermissionProfile, Place, SandboxMode};
use capstan_types::time::Millis;

impl From<SandboxMode> for wire::SandboxMode {
    fn from(mode: SandboxMode) -> Self {
        match mode {
            SandboxMode::ReadOnly => Self::ReadOnly,
            SandboxMode::WorkspaceWrite => Self::WorkspaceWrite,
            SandboxMode::DangerFullAccess => Self::DangerFullAccess,
        }
    }
}

pub(super) fn mode(field: &'static str, wire: wire::SandboxMode) -> Result<SandboxMode, Malformed> {
    match wire {
        wire::SandboxMode::ReadOnly => Ok(SandboxMode::ReadOnly),
        wire::SandboxMode::WorkspaceWrite => Ok(SandboxMode::WorkspaceWrite),
        wire::SandboxMode::DangerFullAccess => Ok(SandboxMode::DangerFullAccess),
        wire::SandboxMode::Unspecified => Err(Malformed::missing(field)),
    }
}

impl From<PermissionProfile> for wire::PermissionProfile {
    fn from(profile: PermissionProfile) -> Self {
        let places = |places: Vec<Place>| places.into_iter().map(Into::into).collect();
        let network = profile.network.as_str().to_owned();
        let hosts = match profile.network {
            Network::Hosts(rules) => rules.into_iter().map(Into::into).collect(),
            Network::None | Network::Loopback | Network::Full => Vec::new(),
        };
        Self {
            name: profile.name,
            base: wire::SandboxMode::from(profile.base).into(),
            temp: profile.temp,
            writable: places(profile.writable),
            readable: places(profile.readable),
            hidden: places(profile.hidden),
            protected: profile.protected,
            network,
            hosts,
            level: profile.level.to_string(),
            limits: Some(limits_to_wire(&profile.limits)),
        }
    }
}

impl TryFrom<wire::PermissionProfile> for PermissionProfile {
    type Error = Malformed;

    fn try_from(wire: wire::PermissionProfile) -> Result<Self, Malformed> {
        let base = mode("settings.profile.base", wire.base())?;
        let network = network(&wire.network, &wire.hosts)?;
        Self {
            name: nonempty(wire.name).ok_or_else(|| Malformed::missing("settings.profile.name"))?,
            base,
            temp: wire.temp,
            writable: places("settings.profile.writable", &wire.writable)?,
            readable: places("settings.profile.readable", &wire.readable)?,
            hidden: places("settings.profile.hidden", &wire.hidden)?,
            protected: wire.protected,
            network,
            level: parse("settings.profile.level", &wire.level)?,
            limits: wire.limits.map_or_else(|| Ok(SessionLimits::default()), limits_from_wire)?,
        }
        .checked()
        .map_err(|error| Malformed::new("settings.profile", error))
    }
}

fn places(field: &'static str, texts: &[String]) -> Result<Vec<Place>, Malformed> {
    texts.iter().map(|text| parse(field, text)).collect()
}

fn network(kind: &str, hosts: &[String]) -> Result<Network, Malformed> {
    const FIELD: &str = "settings.profile.network";
    let network = match kind {
        "none" => Network::None,
        "loopback" => Network::Loopback,
        "full" => Network::Full,
        "hosts" => {
            return hosts.iter().map(|rule| parse("settings.profile.hosts", rule)).collect::<Result<_, _>>().map(Network::Hosts);
        }
        other => return Err(Malformed::new(FIELD, format!("`{other}` is no network; it is none, loopback, hosts or full"))),
    };
    if hosts.is_empty() { Ok(network) } else { Err(Malformed::new(FIELD, format!("hosts are listed beside `{kind}`"))) }
}

fn limits_to_wire(limits: &SessionLimits) -> wire::SessionLimits {
    let span = |span: Option<Millis>| span.map(|span| span.0);
    wire::SessionLimits {
        total_ms: span(limits.total),
        idle_ms: span(limits.idle),
        ownerless_ms: Some(limits.ownerless.0),
        head_bytes: Some(limits.head.bytes()),
        tail_bytes: Some(limits.tail.bytes()),
        processes: limits.processes,
        memory_bytes: limits.memory,
        cpu_millis: limits.cpu_millis,
        cpu_time_ms: span(limits.cpu_time),
        written_bytes: limits.written,
        output_bytes: limits.output,
        open_files: limits.open_files,
        file_bytes: limits.file_bytes,
        keep_all_bytes: limits.keep_all,
    }
}

fn limits_from_wire(wire: wire::SessionLimits) -> Result<SessionLimits, Malformed> {
    let default = SessionLimits::default();
    let cap = |bytes: Option<u64>, otherwise| {
        bytes.map_or(Ok(otherwise), |bytes| ByteCap::new(bytes).map_err(|error| Malformed::new("settings.profile.limits", error)))
    };
    Ok(SessionLimits {
        total: wire.total_ms.map(Millis),
        idle: wire.idle_ms.map(Millis),
        ownerless: wire.ownerless_ms.map_or(default.ownerless, Millis),
        head: cap(wire.head_bytes, default.head)?,
        tail: cap(wire.tail_bytes, default.tail)?,
        processes: wire.processes,
        memory: wire.memory_bytes,
        cpu_millis: wire.cpu_millis,
        cpu_time: wire.cpu_time_ms.map(Millis),
        written: wire.written_bytes,
        output: wire.output_bytes,
        open_files: wire.open_files,
        file_bytes: wire.file_bytes,
        keep_all: wire.keep_all_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_contradicts_itself_is_refused_at_the_door() {
        let sent = || wire::PermissionProfile::from(PermissionProfile::extending("mine", SandboxMode::WorkspaceWrite));
        let said = |wire: wire::PermissionProfile| PermissionProfile::try_from(wire).unwrap_err().to_string();
        assert!(PermissionProfile::try_from(sent()).is_ok());
        for (wire, expected) in [
            (wire::PermissionProfile { hosts: vec!["a.io".into()], ..sent() }, "hosts are listed beside `loopback`"),
            (wire::PermissionProfile { network: "wifi".into(), ..sent() }, "`wifi` is no network"),
            (wire::PermissionProfile { writable: vec!["/".into()], ..sent() }, "`/` is everything"),
            (wire::PermissionProfile { protected: vec!["/x".into()], ..sent() }, "must be a relative path"),
            (wire::PermissionProfile { hidden: vec!["../x".into()], ..sent() }, "is not a place"),
            (wire::PermissionProfile { level: "strong".into(), ..sent() }, "is not a sandbox level"),
            (wire::PermissionProfile { base: 0, ..sent() }, "settings.profile.base"),
        ] {
            let said = said(wire);
            assert!(said.contains(expected), "{said}");
        }
    }
}
