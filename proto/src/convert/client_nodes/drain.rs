//! How far a drain is.

use crate::convert::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::node_status::{DrainProgress, DrainStage, RunningSession};

/// The longest command that is told, in characters.
const LONGEST_COMMAND: usize = 200;

impl From<DrainProgress> for wire::DrainProgress {
    fn from(progress: DrainProgress) -> Self {
        let running = |session: RunningSession| wire::RunningSession {
            session_id: session.session.to_string(),
            thread_id: session.thread.to_string(),
            command: session.command.chars().take(LONGEST_COMMAND).collect(),
            started_at_ms: session.started_at_ms,
        };
        Self {
            stage: wire::DrainStage::from(progress.stage).into(),
            running: progress.running.into_iter().map(running).collect(),
            running_in_all: progress.running_in_all,
            turns: progress.turns,
            ended: progress.ended,
            cancelled: progress.cancelled,
            unknown: progress.unknown.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::DrainProgress> for DrainProgress {
    type Error = Malformed;

    fn try_from(wire: wire::DrainProgress) -> Result<Self, Malformed> {
        let stage = match wire.stage() {
            wire::DrainStage::Unspecified => return Err(Malformed::missing("stage")),
            wire::DrainStage::Waiting => DrainStage::Waiting,
            wire::DrainStage::Cancelling => DrainStage::Cancelling,
            wire::DrainStage::Drained => DrainStage::Drained,
            wire::DrainStage::Overdue => DrainStage::Overdue,
            wire::DrainStage::CalledOff => DrainStage::CalledOff,
        };
        let running = |session: wire::RunningSession| {
            Ok::<_, Malformed>(RunningSession {
                session: parse("running.session_id", &session.session_id)?,
                thread: parse("running.thread_id", &session.thread_id)?,
                command: session.command,
                started_at_ms: session.started_at_ms,
            })
        };
        Ok(Self {
            stage,
            running: wire.running.into_iter().map(running).collect::<Result<_, _>>()?,
            running_in_all: wire.running_in_all,
            turns: wire.turns,
            ended: wire.ended,
            cancelled: wire.cancelled,
            unknown: nonempty(wire.unknown),
        })
    }
}

impl From<DrainStage> for wire::DrainStage {
    fn from(stage: DrainStage) -> Self {
        match stage {
            DrainStage::Waiting => Self::Waiting,
            DrainStage::Cancelling => Self::Cancelling,
            DrainStage::Drained => Self::Drained,
            DrainStage::Overdue => Self::Overdue,
            DrainStage::CalledOff => Self::CalledOff,
        }
    }
}
