//! The transcript for people: what runs where, how long it took, how it ended, what changed, and what it cost.
//!
//! Progress goes to one stream and the final message to another, so that `capstan exec … > answer.txt` keeps the answer alone. Nothing
//! is drawn over: what has been shown stays, and a log file of it reads like the terminal did.

mod changes;
mod command;
mod diff;
mod header;
mod page;
mod plan;

pub use page::{Detail, Page};

use super::Render;
use super::amount;
use super::ink::Role;
use super::text;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Usage;
use capstan_types::item::{CommandExecution, Item, ItemBody, ItemId, PlanStep};
use capstan_types::money::Bill;
use capstan_types::path::AbsPath;
use capstan_types::policy::Level;
use capstan_types::time::{Millis, UnixMillis};
use changes::Patch;
use std::io::{self, Write};

/// Lines of reasoning that are shown of one summary.
const REASONING_LINES: usize = 8;

/// Writes events for people.
#[derive(Debug)]
pub struct Transcript<P, M> {
    progress: P,
    message: M,
    page: Page,
    seen: Seen,
}

/// What has been seen of the turn so far.
#[derive(Debug, Default)]
struct Seen {
    workspace: Option<AbsPath>,
    began: Option<UnixMillis>,
    /// A message that is the final one unless something follows it.
    last_message: Option<String>,
    /// The command whose line was the last thing shown: its end needs no line of its own.
    open: Option<ItemId>,
    plan: Vec<PlanStep>,
    /// How strong the sandbox of the latest command was.
    level: Option<Level>,
    diff: String,
    /// What the turn used.
    bill: Bill,
}

impl<P: Write, M: Write> Transcript<P, M> {
    /// Writes progress to `progress` as `page` says, and the final message to `message`.
    pub fn new(page: Page, progress: P, message: M) -> Self {
        Self { progress, message, page, seen: Seen::default() }
    }

    /// Writes a line of the program's own among the progress.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let line = self.page.ink.paint(Role::Strong, line);
        self.block(&[line])
    }

    fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        self.seen.open = None;
        for line in lines {
            writeln!(self.progress, "{line}")?;
        }
        self.progress.flush()
    }

    /// Lines that begin something new: a person finds it by the space above it.
    fn block(&mut self, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.gap()?;
        self.lines(lines)
    }

    fn gap(&mut self) -> io::Result<()> {
        match self.page.detail {
            Detail::Full => writeln!(self.progress),
            Detail::Brief => Ok(()),
        }
    }

    /// A message that something follows was not the final one.
    fn settle_message(&mut self) -> io::Result<()> {
        match self.seen.last_message.take() {
            Some(message) => self.block(&text::lines(&message)),
            None => Ok(()),
        }
    }

    fn began(&mut self, item: &Item) -> io::Result<()> {
        if let ItemBody::TodoList { steps } = &item.body {
            // A plan is whole when it is made; a change of it, if there ever is one, comes long after.
            return self.plan(steps);
        }
        let ItemBody::CommandExecution(command) = &item.body else { return Ok(()) };
        self.settle_message()?;
        if self.page.detail == Detail::Full {
            let lines = command::call(&self.page, command);
            self.block(&lines)?;
            self.seen.open = Some(item.id);
        }
        Ok(())
    }

    fn done(&mut self, item: &Item) -> io::Result<()> {
        match &item.body {
            ItemBody::UserMessage { .. } => Ok(()),
            ItemBody::AgentMessage { text } => {
                self.settle_message()?;
                self.seen.last_message = Some(text.clone());
                Ok(())
            }
            ItemBody::CommandExecution(command) => {
                self.settle_message()?;
                self.command_done(item.id, command)
            }
            ItemBody::FileChange { changes, status, reason, .. } => {
                self.settle_message()?;
                let patch = Patch { changes, status: *status, reason: reason.as_deref() };
                let lines = changes::lines(&self.page, patch, self.seen.workspace.as_ref());
                self.block(&lines)
            }
            ItemBody::TodoList { steps } => self.plan(steps),
            ItemBody::Reasoning { text } => self.reasoning(text),
            ItemBody::ToolCall { tool, output, status, .. } => {
                self.settle_message()?;
                let line = command::tool(&self.page, tool, output, *status);
                self.lines(&[line])
            }
            ItemBody::Compaction(compaction) => {
                self.settle_message()?;
                let line = header::compaction(&self.page, compaction);
                self.lines(&[line])
            }
            ItemBody::Error { message } => self.warn(message),
        }
    }

    fn command_done(&mut self, id: ItemId, command: &CommandExecution) -> io::Result<()> {
        let continues = self.seen.open == Some(id);
        if !continues {
            let lines = command::call(&self.page, command);
            self.block(&lines)?;
        }
        if let Some(enforced) = &command.enforced
            && self.seen.level.replace(enforced.level) != Some(enforced.level)
        {
            let line = header::level(&self.page, enforced);
            self.lines(&[line])?;
        }
        let lines = command::result(&self.page, command, self.seen.workspace.as_ref());
        self.lines(&lines)
    }

    fn reasoning(&mut self, reasoning: &str) -> io::Result<()> {
        if self.page.detail == Detail::Brief || reasoning.trim().is_empty() {
            return Ok(());
        }
        self.settle_message()?;
        let (head, hidden) = text::head(reasoning.trim(), REASONING_LINES);
        let more = (hidden > 0).then(|| format!("… {} more", text::counted(hidden, "line")));
        let faint = |line: String| self.page.ink.paint(Role::Faint, &line);
        let lines: Vec<String> = head.into_iter().chain(more).map(faint).collect();
        self.block(&lines)
    }

    fn plan(&mut self, steps: &[PlanStep]) -> io::Result<()> {
        if self.seen.plan == steps {
            return Ok(());
        }
        self.seen.plan = steps.to_vec();
        if self.page.detail == Detail::Brief {
            return Ok(());
        }
        self.settle_message()?;
        let lines = plan::lines(&self.page, steps);
        self.block(&lines)
    }

    fn warn(&mut self, message: &str) -> io::Result<()> {
        self.settle_message()?;
        let line = self.page.ink.paint(Role::Warning, &format!("! {}", text::line(message)));
        self.lines(&[line])
    }

    fn final_message(&mut self) -> io::Result<()> {
        if let Some(message) = self.seen.last_message.take() {
            self.gap()?;
            for line in text::lines(&message) {
                writeln!(self.message, "{line}")?;
            }
            self.message.flush()?;
        }
        Ok(())
    }

    fn footer(&mut self, at: UnixMillis, outcome: &str, usage: Option<&Usage>) -> io::Result<()> {
        let diff = diff::lines(&self.page, &std::mem::take(&mut self.seen.diff));
        self.block(&diff)?;
        let took = self.seen.began.map(|began| amount::span(Millis(at.0.saturating_sub(began.0))));
        let took = took.map(|took| format!(" in {took}")).unwrap_or_default();
        let tokens = usage.map(|usage| format!(" · {}", amount::tokens(usage))).unwrap_or_default();
        let cost = amount::cost(&std::mem::take(&mut self.seen.bill)).map(|cost| format!(" · {cost}")).unwrap_or_default();
        let line = self.page.ink.paint(Role::Faint, &format!("{outcome}{took}{tokens}{cost}"));
        self.block(&[line])
    }
}

impl<P: Write, M: Write> Render for Transcript<P, M> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match &event.body {
            EventBody::ThreadStarted { thread, settings } => {
                self.seen.workspace = Some(settings.cwd.clone());
                let lines = header::lines(&self.page, *thread, settings);
                self.lines(&lines)
            }
            EventBody::TurnStarted => {
                self.seen.began = Some(event.at);
                Ok(())
            }
            EventBody::ItemStarted { item } => self.began(item),
            EventBody::ItemUpdated { item } => {
                if let ItemBody::TodoList { steps } = &item.body {
                    self.plan(steps)
                } else {
                    Ok(())
                }
            }
            EventBody::ItemCompleted { item } => self.done(item),
            EventBody::MessageDelta { .. }
            | EventBody::OutputDelta { .. }
            | EventBody::CheckpointSaved { .. }
            | EventBody::ModelAnswered { .. }
            | EventBody::SettingsChanged { .. }
            | EventBody::TurnDemands { .. }
            | EventBody::SessionChanged { .. } => Ok(()),
            EventBody::TurnBilled { turn, .. } => {
                self.seen.bill.clone_from(turn);
                Ok(())
            }
            EventBody::TurnPaused { .. } => {
                self.settle_message()?;
                self.footer(event.at, "paused", None)
            }
            EventBody::TurnContinued { times } => {
                let again = if *times > 1 { format!(", for the {times}. time") } else { String::new() };
                self.warn(&format!("the coordinator ended while this turn ran; the next one goes on with it{again}"))
            }
            EventBody::Notice { message } => self.warn(message),
            EventBody::TurnDiff { diff } => {
                self.seen.diff.clone_from(diff);
                Ok(())
            }
            EventBody::TurnCompleted { usage } => {
                self.final_message()?;
                self.footer(event.at, "done", Some(usage))
            }
            EventBody::TurnFailed { .. } => {
                self.settle_message()?;
                self.footer(event.at, "failed", None)
            }
            EventBody::TurnInterrupted => {
                self.settle_message()?;
                self.footer(event.at, "interrupted", None)
            }
        }
    }
}

#[cfg(test)]
mod tests;
