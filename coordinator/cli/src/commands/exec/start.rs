//! From what was asked for to what a turn begins in: the thread is found, and what changes in it.

use super::asked::{Begin, Which};
use super::owner;
use super::prepare::Prepared;
use crate::client::Client;
use crate::engaged::Place;
use crate::failure::Failure;
use crate::thread_choice::{last, named};
use crate::turn::Start;
use capstan_types::thread::{ThreadRecord, TurnInput};

/// What the turn begins in, and with.
///
/// # Errors
/// The thread that is meant is not there, or somebody else runs it on this host.
pub(super) async fn chosen(client: &mut Client, prepared: Prepared) -> Result<(Start, TurnInput), Failure> {
    let Prepared { settings, input, place, begin, changes, home, cwd, .. } = prepared;
    let which = match &begin {
        Begin::New => return Ok((Start::New(Box::new(settings)), input)),
        Begin::Resume(which) | Begin::Fork(which, _) => which,
    };
    let thread = match which {
        Which::Named(given) => named(client, given).await?,
        Which::Last => last(client, Some(cwd)).await?,
        Which::LastOfAll => last(client, None).await?,
    };
    let input = with_flags(input, &thread, changes);
    match begin {
        Begin::Fork(_, at) => Ok((Start::Fork(thread.id, at), input)),
        Begin::New | Begin::Resume(_) => {
            if matches!(place, Place::Here { .. }) {
                owner::check(&thread, &home)?;
            }
            Ok((Start::Resume(thread.id), input))
        }
    }
}

/// Budgets of the command line stand beside those of the thread, as they stand beside configured ones.
fn with_flags(input: TurnInput, thread: &ThreadRecord, changes: super::prepare::Changed) -> TurnInput {
    let mut budgets = changes.budgets.unwrap_or(thread.settings.budgets);
    let turn = &mut budgets.turn;
    (turn.cost, turn.tokens) = (changes.cost.or(turn.cost), changes.tokens.or(turn.tokens));
    TurnInput { budgets: Some(budgets), overrides: changes.settings.of(&thread.settings), ..input }
}
