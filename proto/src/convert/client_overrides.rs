//! Project instructions, and what a turn changes in its thread's settings.

use super::{Malformed, client_profile, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::docs::{DEFAULT_MAX_BYTES, GlobalDoc, ProjectDocs};
use capstan_types::overrides::TurnOverrides;
use capstan_types::policy::ApprovalPolicy;

impl From<ProjectDocs> for wire::ProjectDocs {
    fn from(docs: ProjectDocs) -> Self {
        let (global_source, global_text) = docs.global.map(|global| (global.source, global.text)).unwrap_or_default();
        Self { global_text, global_source, fallback_names: docs.fallback_names, max_bytes: Some(docs.max_bytes) }
    }
}

impl TryFrom<wire::ProjectDocs> for ProjectDocs {
    type Error = Malformed;

    fn try_from(wire: wire::ProjectDocs) -> Result<Self, Malformed> {
        let source = wire.global_source;
        let docs = Self {
            global: nonempty(wire.global_text).map(|text| GlobalDoc { source, text }),
            fallback_names: wire.fallback_names,
            max_bytes: wire.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
        };
        docs.checked().map_err(|error| Malformed::new("settings.docs", error))
    }
}

impl From<TurnOverrides> for wire::TurnOverrides {
    fn from(overrides: TurnOverrides) -> Self {
        let paths = |roots: Vec<_>| wire::WritableRoots { paths: roots.into_iter().map(Into::into).collect() };
        Self {
            model: overrides.model,
            provider: overrides.provider,
            effort: overrides.effort,
            cwd: overrides.cwd.map(Into::into),
            sandbox: overrides.sandbox.map(|mode| wire::SandboxMode::from(mode).into()),
            profile: overrides.profile.map(|profile| (*profile).into()),
            writable_roots: overrides.writable_roots.map(paths),
            network_access: overrides.network_access,
            approval: overrides.approval.map(|approval| approval_to_wire(approval).into()),
        }
    }
}

impl TryFrom<wire::TurnOverrides> for TurnOverrides {
    type Error = Malformed;

    fn try_from(wire: wire::TurnOverrides) -> Result<Self, Malformed> {
        let sandbox = wire.sandbox.is_some().then(|| client_profile::mode("overrides.sandbox", wire.sandbox())).transpose()?;
        let approval = wire.approval.is_some().then(|| approval("overrides.approval", wire.approval())).transpose()?;
        let roots = |roots: wire::WritableRoots| {
            roots.paths.iter().map(|root| parse("overrides.writable_roots", root)).collect::<Result<_, _>>()
        };
        let overrides = Self {
            model: wire.model,
            provider: wire.provider,
            effort: wire.effort,
            cwd: wire.cwd.map(|cwd| parse("overrides.cwd", &cwd)).transpose()?,
            sandbox,
            profile: wire.profile.map(|profile| profile.try_into().map(Box::new)).transpose()?,
            writable_roots: wire.writable_roots.map(roots).transpose()?,
            network_access: wire.network_access,
            approval,
        };
        overrides.checked().map_err(|error| Malformed::new("overrides", error))
    }
}

pub(super) const fn approval_to_wire(approval: ApprovalPolicy) -> wire::ApprovalPolicy {
    match approval {
        ApprovalPolicy::Untrusted => wire::ApprovalPolicy::Untrusted,
        ApprovalPolicy::OnRequest => wire::ApprovalPolicy::OnRequest,
        ApprovalPolicy::Never => wire::ApprovalPolicy::Never,
    }
}

pub(super) fn approval(field: &'static str, wire: wire::ApprovalPolicy) -> Result<ApprovalPolicy, Malformed> {
    match wire {
        wire::ApprovalPolicy::Untrusted => Ok(ApprovalPolicy::Untrusted),
        wire::ApprovalPolicy::OnRequest => Ok(ApprovalPolicy::OnRequest),
        wire::ApprovalPolicy::Never => Ok(ApprovalPolicy::Never),
        wire::ApprovalPolicy::Unspecified => Err(Malformed::missing(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::policy::{PermissionProfile, SandboxMode};

    #[test]
    fn overrides_come_back_as_they_were() {
        let path = |text: &str| capstan_types::path::AbsPath::new(text).unwrap();
        let all = TurnOverrides {
            model: Some("m".into()),
            provider: Some("p".into()),
            effort: Some("high".into()),
            cwd: Some(path("/w")),
            sandbox: Some(SandboxMode::ReadOnly),
            profile: None,
            writable_roots: Some(vec![path("/a")]),
            network_access: Some(false),
            approval: Some(ApprovalPolicy::OnRequest),
        };
        let profiled = TurnOverrides {
            profile: PermissionProfile::built_in(":workspace").map(Box::new),
            writable_roots: Some(vec![]),
            ..TurnOverrides::default()
        };
        for overrides in [all, profiled, TurnOverrides::default()] {
            let wire = wire::TurnOverrides::from(overrides.clone());
            assert_eq!(TurnOverrides::try_from(wire).unwrap(), overrides);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_at_the_door() {
        let refused = |wire: wire::TurnOverrides| TurnOverrides::try_from(wire).unwrap_err().to_string();
        assert!(refused(wire::TurnOverrides { model: Some(String::new()), ..Default::default() }).contains("the model is empty"));
        assert!(refused(wire::TurnOverrides { cwd: Some("w".into()), ..Default::default() }).contains("overrides.cwd"));
        assert!(refused(wire::TurnOverrides { sandbox: Some(0), ..Default::default() }).contains("overrides.sandbox"));
    }
}
