//! One look at a session, as the model is told of it.

use crate::denials::explanation;
use crate::fault::ToolFault;
use crate::format::{CommandReport, MAX_OUTPUT_TOKENS, chunk_id, ended, running};
use crate::invocation::{CallContext, CallResult};
use crate::sessions::{Ending, LiveSession};
use capstan_types::call::{Call, Outcome};
use capstan_types::session::known::SessionChange;
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
    let change = match ending {
        Some(_) => context.sessions.close(live),
        None => SessionChange::Told { number: live.number(), next: seq },
    };
    let output = output.clamp(telling.max_tokens);
    let facts = facts(live, ending.as_ref(), &output.text);
    let session = live.session();
    let (outcome, standing, release) = match ending {
        None => (Outcome::Yielded { session, seq }, running(live.number()), Vec::new()),
        Some(Ending::Ended(end)) => {
            let standing = ended(&end, live.enforced().as_ref());
            (Outcome::Finished { end: Some(end) }, standing, vec![live.release()])
        }
        Some(Ending::Lost { reason, after }) => {
            let seconds = after.as_duration().as_secs_f64();
            let truth = format!(
                "Process state unknown: {reason}, {seconds:.1} seconds after the command started. It is not known whether it finished or \
                 still runs; the output below is the last that was seen. Check what it did before you run it again."
            );
            (Outcome::Unknown { reason, node: Some(live.node()), session: Some(session) }, truth, Vec::new())
        }
    };
    let note = telling.note.map(str::to_owned);
    let standing = [standing].into_iter().chain(note).chain(facts).collect::<Vec<_>>().join("\n");
    let report = CommandReport { chunk: chunk_id(call), wall: telling.since.elapsed(), standing, output };
    Ok(CallResult { outcome, output: report.text(), release, changes: vec![change], picture: None })
}

/// What the sandbox refused, and, when the command failed of it, what the sandbox allows.
fn facts(live: &LiveSession, ending: Option<&Ending>, output: &str) -> Vec<String> {
    let explained = match ending {
        Some(Ending::Ended(end)) => explanation(end, output, live.policy()),
        Some(Ending::Lost { .. }) | None => None,
    };
    let away = live.away().filter(|_| ending.is_none());
    let away =
        away.map(|why| format!("Its node cannot be asked now, so that what it does is not known ({why}); look again later."));
    live.tell_denials().into_iter().chain(explained).chain(away).collect()
}

/// Leaves the session of an interrupted call to run on, and tells what it wrote until now; `None` when the call has no session.
pub(crate) async fn leave(call: &Call, context: &CallContext) -> Result<Option<CallResult>, ToolFault> {
    let Some(live) = context.sessions.of_call(call.id) else { return Ok(None) };
    let _alone = live.alone().await;
    if context.sessions.get(live.number()).is_none() {
        return Ok(None);
    }
    let note = Some("The user interrupted the turn. The session was not ended.");
    tell(&live, call, context, Telling { since: Instant::now(), max_tokens: MAX_OUTPUT_TOKENS, note }).await.map(Some)
}
