//! One look at a session, as the model is told of it.

use crate::fault::ToolFault;
use crate::format::{CommandReport, chunk_id, ended, running};
use crate::invocation::{CallContext, CallResult};
use crate::sessions::{Ending, LiveSession};
use capstan_types::call::{Call, Outcome};
use tokio::time::Instant;

/// How a look is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    /// When the call began.
    pub(super) since: Instant,
    /// How much output is shown.
    pub(super) max_tokens: u64,
    /// What else is to be said before the output.
    pub(super) note: Option<&'static str>,
}

/// Looks at a session, and tells what is new. A session that is over leaves the table.
pub(super) async fn tell(
    live: &LiveSession,
    call: &Call,
    context: &CallContext,
    telling: Telling,
) -> Result<CallResult, ToolFault> {
    let ending = live.ending()?;
    if let Some(ending) = &ending {
        live.complete(ending, context.items.as_ref()).await?;
    }
    // From here to the return nothing waits, so that an interrupted turn cannot lose output that was taken and not told.
    let (output, seq) = live.look(ending.as_ref());
    if ending.is_some() {
        context.sessions.remove(live.number());
    }
    let session = live.session();
    let (outcome, standing, release) = match ending {
        None => (Outcome::Yielded { session, seq }, running(live.number()), None),
        Some(Ending::Ended(end)) => {
            let standing = ended(&end);
            (Outcome::Finished { end: Some(end) }, standing, Some(session))
        }
        Some(Ending::Lost { reason, after }) => {
            let seconds = after.as_duration().as_secs_f64();
            let truth = format!(
                "Process state unknown: {reason}, {seconds:.1} seconds after the command started. It is not known whether it finished or \
                 still runs; the output below is the last that was seen. Check what it did before you run it again."
            );
            (Outcome::Unknown { reason, node: Some(context.host.node()), session: Some(session) }, truth, None)
        }
    };
    let standing = telling.note.map_or_else(|| standing.clone(), |note| format!("{standing}\n{note}"));
    let output = output.clamp(telling.max_tokens);
    let report = CommandReport { chunk: chunk_id(call), wall: telling.since.elapsed(), standing, output };
    Ok(CallResult { outcome, output: report.text(), release })
}
