//! A call: one tool call of the model, its tries, and its one outcome.

use crate::id::{Attempt, CallId, NodeId, SessionId, TurnId};
use crate::launch::SessionEnd;
use crate::output::Seq;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A tool call as the model asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Capstan's name for it.
    pub id: CallId,
    /// The turn that asked for it.
    pub turn: TurnId,
    /// The provider's name for it, which its output must carry back.
    pub model_call_id: String,
    /// The tool's name, as the model wrote it.
    pub tool: String,
    /// The arguments, as the model wrote them: JSON if the model kept to the form.
    pub arguments: String,
    /// Which try this is.
    pub attempt: Attempt,
    /// When it was asked for.
    pub asked_at: UnixMillis,
    /// What may be done with it when its outcome is not known. One that was stored without it counts as [`ReplayClass::External`].
    #[serde(default)]
    pub replay: ReplayClass,
}

/// One try of a call, stored before its node is asked, and once more when its session is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAttempt {
    /// The call.
    pub call: CallId,
    /// Which try, from 1 without holes.
    pub attempt: Attempt,
    /// Where.
    pub node: NodeId,
    /// Its session, once one is known to have been started.
    #[serde(default)]
    pub session: Option<SessionId>,
    /// When the node was asked.
    pub started_at: UnixMillis,
}

/// What may be done with a call whose outcome is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayClass {
    /// It changes nothing; it may be repeated anywhere.
    Pure,
    /// It changes the workspace only; it may be repeated on a restored workspace.
    Workspace,
    /// It may have changed something else; it is never repeated without being asked for.
    #[default]
    External,
}

/// The one outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran to its end.
    Finished {
        /// How its session ended; `None` for a tool that starts none.
        end: Option<SessionEnd>,
    },
    /// Nothing was started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// The policy or a person said no.
    Declined {
        /// Why.
        reason: String,
    },
    /// The turn was interrupted, and the call was ended for it.
    Cancelled,
    /// It was started; whether it finished is not known.
    Unknown {
        /// Why not.
        reason: String,
        /// Where it ran.
        node: Option<NodeId>,
        /// Its session, when one is known to have been started.
        session: Option<SessionId>,
    },
    /// The session runs on; a later call reads it from `seq`.
    Yielded {
        /// The session.
        session: SessionId,
        /// The first byte that the model has not seen.
        seq: Seq,
    },
}

impl Outcome {
    /// Whether the tool did what it was asked: it finished with code 0, or runs on.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        matches!(self, Self::Finished { end: None | Some(SessionEnd::Exited { code: 0 }) } | Self::Yielded { .. })
    }
}

/// The end of a call as it is stored, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEnd {
    /// The call.
    pub call: CallId,
    /// Its outcome.
    pub outcome: Outcome,
    /// What the model is told.
    pub output: String,
    /// When it ended.
    pub ended_at: UnixMillis,
}
