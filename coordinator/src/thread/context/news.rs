//! What a turn tells its model before the user speaks: where it works, what it may do, and the project's instructions, as far as the model
//! does not know them.

use super::docs::Part;
use super::environment::{self, Environment};
use super::{TurnContext, telling};
use crate::clock;
use crate::thread::workspace;
use capstan_types::history::Entry;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the project's instructions may take to be read, before the turn begins without them.
const READ_WITHIN: Duration = Duration::from_secs(15);

/// What is new.
#[derive(Debug, Default)]
pub struct News {
    /// For the model.
    pub entries: Vec<Entry>,
    /// For people: instructions that the model does not get.
    pub warnings: Vec<String>,
}

/// Finds out what is new to a model with this history. Once `interrupt` is cancelled the project's instructions are not waited for.
pub async fn gather(context: &TurnContext, history: &[Entry], interrupt: &CancellationToken) -> News {
    let (settings, facts) = (&context.settings, &context.facts);
    let policy = workspace::policy(settings, facts);
    let environment = Environment::of(settings, facts, &policy, &clock::today());
    let mut news = News { entries: environment.news(&environment::known(history)).into_iter().collect(), warnings: Vec::new() };
    let reading = context.docs.read(&context.host, &settings.docs, facts, &policy);
    let read = tokio::select! {
        biased;
        () = interrupt.cancelled() => return news,
        read = tokio::time::timeout(READ_WITHIN, reading) => read,
    };
    match read {
        Ok(Ok(parts)) => {
            if let Some(told) = telling::news(&parts, history, &facts.root) {
                news.entries.push(told);
                news.warnings = parts.iter().filter_map(warning).collect();
            }
        }
        Ok(Err(status)) => news.warnings.push(unread(status.message())),
        Err(_) => news.warnings.push(unread(&format!("the node did not answer within {} s", READ_WITHIN.as_secs()))),
    }
    news
}

/// Whether an entry is such news.
#[must_use]
pub fn is_news(entry: &Entry) -> bool {
    environment::is_told_by(entry) || telling::is_told_by(entry)
}

fn warning(part: &Part) -> Option<String> {
    part.fault.as_ref().map(|fault| format!("project instructions in {}: {fault}", part.source))
}

fn unread(reason: &str) -> String {
    format!("the project's instructions (AGENTS.md) could not be read, and the model works without them: {reason}")
}
