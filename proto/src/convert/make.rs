//! Making a workspace of its source.

use super::exec::{authority, policy};
use super::{Malformed, nonempty, nonzero};
use crate::wire::node as wire;
use capstan_types::source::{GitCredential, MakeEvent, MakeProgress, MakeWorkspace, WorkspaceMade};
use std::fmt;

/// The most credentials of one request.
const MOST_CREDENTIALS: usize = 16;

impl From<&MakeWorkspace> for wire::MakeRequest {
    fn from(make: &MakeWorkspace) -> Self {
        Self {
            authority: Some((&make.authority).into()),
            source: Some(make.source.clone().into()),
            policy: make.policy.as_ref().map(Into::into),
            quota_bytes: make.quota_bytes.unwrap_or_default(),
            credentials: make.credentials.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<wire::MakeRequest> for MakeWorkspace {
    type Error = Malformed;

    fn try_from(wire: wire::MakeRequest) -> Result<Self, Malformed> {
        if wire.credentials.len() > MOST_CREDENTIALS {
            return Err(Malformed::new("credentials", format!("at most {MOST_CREDENTIALS} are taken")));
        }
        Ok(Self {
            authority: authority(wire.authority)?,
            source: wire.source.ok_or_else(|| Malformed::missing("source"))?.try_into()?,
            policy: wire.policy.map(|given| policy(Some(given))).transpose()?,
            quota_bytes: nonzero(wire.quota_bytes),
            credentials: wire.credentials.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&GitCredential> for wire::GitCredential {
    fn from(credential: &GitCredential) -> Self {
        let GitCredential { host, username, .. } = credential;
        Self { host: host.clone(), username: username.clone(), password: credential.expose().to_owned() }
    }
}

impl TryFrom<wire::GitCredential> for GitCredential {
    type Error = Malformed;

    fn try_from(wire: wire::GitCredential) -> Result<Self, Malformed> {
        Self::new(&wire.host, wire.username, wire.password).map_err(|error| Malformed::new("credentials", error))
    }
}

/// Its password is in no log.
impl fmt::Debug for wire::GitCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitCredential({} [redacted])", self.host)
    }
}

impl From<MakeEvent> for wire::MakeEvent {
    fn from(event: MakeEvent) -> Self {
        use wire::make_event::Event;
        let event = match event {
            MakeEvent::Progress(MakeProgress { said, percent }) => {
                Event::Progress(wire::MakeProgress { said, percent: percent.map(Into::into) })
            }
            MakeEvent::Made(made) => Event::Made((*made).into()),
        };
        Self { event: Some(event) }
    }
}

impl TryFrom<wire::MakeEvent> for MakeEvent {
    type Error = Malformed;

    fn try_from(wire: wire::MakeEvent) -> Result<Self, Malformed> {
        use wire::make_event::Event;
        Ok(match wire.event.ok_or_else(|| Malformed::missing("event"))? {
            Event::Progress(wire::MakeProgress { said, percent }) => {
                let percent = percent.map(|percent| u8::try_from(percent.min(100)).unwrap_or(100));
                Self::Progress(MakeProgress { said, percent })
            }
            Event::Made(made) => Self::Made(Box::new(made.try_into()?)),
        })
    }
}

impl From<WorkspaceMade> for wire::Made {
    fn from(made: WorkspaceMade) -> Self {
        let WorkspaceMade { facts, how, revision, fetched_bytes, reused_mirror } = made;
        Self { facts: Some(facts.into()), how, revision: revision.unwrap_or_default(), fetched_bytes, reused_mirror }
    }
}

impl TryFrom<wire::Made> for WorkspaceMade {
    type Error = Malformed;

    fn try_from(wire: wire::Made) -> Result<Self, Malformed> {
        let wire::Made { facts, how, revision, fetched_bytes, reused_mirror } = wire;
        let facts = facts.ok_or_else(|| Malformed::missing("facts"))?.try_into()?;
        Ok(Self { facts, how, revision: nonempty(revision), fetched_bytes, reused_mirror })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Epoch, ThreadId};
    use capstan_types::path::AbsPath;
    use capstan_types::policy::SandboxPolicy;
    use capstan_types::session::{Authority, WorkspaceFacts};
    use capstan_types::source::WorkspaceSource;

    #[test]
    fn a_request_and_its_answers_survive_the_wire() {
        let make = MakeWorkspace {
            authority: Authority { thread: ThreadId::from_u128(1), epoch: Epoch(2), owner: "c".into() },
            source: WorkspaceSource::Empty,
            policy: Some(SandboxPolicy::read_only()),
            quota_bytes: Some(7),
            credentials: vec![GitCredential::new("h", "u".into(), "CANARY".into()).unwrap()],
        };
        let wire = wire::MakeRequest::from(&make);
        assert!(!format!("{wire:?}{make:?}").contains("CANARY"), "a secret is shown");
        assert_eq!(MakeWorkspace::try_from(wire), Ok(make));
        let facts = WorkspaceFacts {
            root: AbsPath::root(),
            git: true,
            node: "n1".parse().unwrap(),
            temp_dirs: Vec::new(),
            top: None,
            system: "Linux".into(),
        };
        let made = WorkspaceMade { facts, how: "copy".into(), revision: None, fetched_bytes: 3, reused_mirror: true };
        let progress = MakeProgress { said: "fetching".into(), percent: Some(40) };
        for event in [MakeEvent::Made(Box::new(made)), MakeEvent::Progress(progress)] {
            assert_eq!(MakeEvent::try_from(wire::MakeEvent::from(event.clone())), Ok(event));
        }
    }
}
