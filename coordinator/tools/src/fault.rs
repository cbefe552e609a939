//! What ends a whole turn, as against what is told to the model.

use crate::items::SinkClosed;

/// Why a call has no result: the turn cannot go on, and nothing may be stored for it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ToolFault {
    /// The turn's records can no longer be stored.
    #[error(transparent)]
    SinkClosed(#[from] SinkClosed),
    /// The thread has another owner now.
    #[error("this coordinator no longer owns the thread")]
    Fenced,
}
