//! What workspaces are made of.

use super::{Malformed, nonempty, parse};
use crate::wire::source as wire;
use capstan_types::source::{GitSource, History, SavedSource, WorkspaceSource};
use std::num::NonZeroU32;

impl From<WorkspaceSource> for wire::WorkspaceSource {
    fn from(source: WorkspaceSource) -> Self {
        use wire::workspace_source::Source;
        let source = match source {
            WorkspaceSource::Empty => Source::Empty(wire::Empty {}),
            WorkspaceSource::Git(git) => Source::Git(git.into()),
            WorkspaceSource::Saved(SavedSource { thread, name }) => {
                Source::Saved(wire::Saved { thread_id: thread.to_string(), name: name.into() })
            }
        };
        Self { source: Some(source) }
    }
}

impl TryFrom<wire::WorkspaceSource> for WorkspaceSource {
    type Error = Malformed;

    fn try_from(wire: wire::WorkspaceSource) -> Result<Self, Malformed> {
        use wire::workspace_source::Source;
        Ok(match wire.source.ok_or_else(|| Malformed::missing("source"))? {
            Source::Empty(wire::Empty {}) => Self::Empty,
            Source::Git(git) => Self::Git(git.try_into()?),
            Source::Saved(wire::Saved { thread_id, name }) => {
                Self::Saved(SavedSource { thread: parse("source.thread_id", &thread_id)?, name: parse("source.name", &name)? })
            }
        })
    }
}

impl From<GitSource> for wire::Git {
    fn from(git: GitSource) -> Self {
        use wire::git::History as Wire;
        let GitSource { url, revision, history, submodules, lfs } = git;
        let history = match history {
            History::Whole => None,
            History::Blobless => Some(Wire::Blobless(true)),
            History::Shallow(commits) => Some(Wire::Shallow(commits.get())),
        };
        Self { url: url.into(), revision: revision.map(Into::into).unwrap_or_default(), history, submodules, lfs }
    }
}

impl TryFrom<wire::Git> for GitSource {
    type Error = Malformed;

    fn try_from(wire: wire::Git) -> Result<Self, Malformed> {
        use wire::git::History as Wire;
        let history = match wire.history {
            None | Some(Wire::Blobless(false)) => History::Whole,
            Some(Wire::Blobless(true)) => History::Blobless,
            Some(Wire::Shallow(commits)) => {
                History::Shallow(NonZeroU32::new(commits).ok_or_else(|| Malformed::missing("source.shallow"))?)
            }
        };
        Ok(Self {
            url: parse("source.url", &wire.url)?,
            revision: nonempty(wire.revision).map(|text| parse("source.revision", &text)).transpose()?,
            history,
            submodules: wire.submodules,
            lfs: wire.lfs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::ThreadId;

    #[test]
    fn every_source_survives_the_wire() {
        let git = GitSource::whole("git@h:r".parse().unwrap());
        let shallow = History::Shallow(NonZeroU32::MIN);
        for source in [
            WorkspaceSource::Empty,
            WorkspaceSource::Saved(SavedSource { thread: ThreadId::from_u128(3), name: "upload".parse().unwrap() }),
            WorkspaceSource::Git(GitSource { revision: Some("v1".parse().unwrap()), submodules: true, ..git.clone() }),
            WorkspaceSource::Git(GitSource { history: shallow, lfs: true, ..git.clone() }),
            WorkspaceSource::Git(GitSource { history: History::Blobless, ..git }),
        ] {
            let wire = wire::WorkspaceSource::from(source.clone());
            assert_eq!(WorkspaceSource::try_from(wire), Ok(source));
        }
    }

    #[test]
    fn what_makes_no_sense_is_malformed() {
        use wire::workspace_source::Source;
        let read = |source| WorkspaceSource::try_from(wire::WorkspaceSource { source });
        let git = |url: &str| Some(Source::Git(wire::Git { url: url.into(), ..wire::Git::default() }));
        assert!(read(None).is_err() && read(git("ext::sh")).is_err() && read(git("https://h/r")).is_ok());
        let none = wire::Git { history: Some(wire::git::History::Shallow(0)), url: "h:r".into(), ..wire::Git::default() };
        assert!(read(Some(Source::Git(none))).is_err());
    }
}
