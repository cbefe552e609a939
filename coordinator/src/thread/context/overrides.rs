//! A turn that changes its thread's settings, for itself and for all turns after it.

use super::TurnContext;
use capstan_types::overrides::TurnOverrides;
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;
use std::sync::Arc;

/// What a turn runs with.
#[derive(Debug)]
pub enum Resolved {
    /// The thread's settings, unchanged.
    Same,
    /// Others, for later turns too.
    Changed(Arc<TurnContext>),
    /// They cannot be had, and nothing changes. The text is for the user.
    Refused(String),
}

/// Finds out whether what a turn overrides can be had: its provider, and its directory on the thread's node.
pub async fn resolve(context: &TurnContext, overrides: &TurnOverrides) -> Resolved {
    let wanted = context.settings.overridden(overrides);
    let wanted = ThreadSettings { provider: context.models.provider(&wanted.provider).to_owned(), ..wanted };
    if wanted == context.settings {
        return Resolved::Same;
    }
    if let Err(error) = context.models.client(&wanted.provider) {
        return Resolved::Refused(error.to_string());
    }
    let facts = if wanted.cwd == context.settings.cwd {
        context.facts.clone()
    } else {
        match context.host.open_workspace(&wanted.cwd).await {
            Ok(facts) => facts,
            Err(status) => return Resolved::Refused(status.message().to_owned()),
        }
    };
    Resolved::Changed(Arc::new(changed(context, wanted, facts)))
}

/// The settings name the directory as the node resolved it, as they do from a thread's beginning.
fn changed(context: &TurnContext, wanted: ThreadSettings, facts: WorkspaceFacts) -> TurnContext {
    let settings = ThreadSettings { cwd: facts.root.clone(), ..wanted };
    context.with(settings, facts)
}
