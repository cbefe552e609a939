//! `--json`: one JSON object in a line for each event, in the shapes that Codex's `exec --json` has, so that its SDKs read them.
//!
//! Invariants: standard output holds these lines and nothing else; each is flushed when it is written; items are numbered from 0 in
//! the order in which they are first told. What Codex does not know stands under `capstan` inside an item. A tool call that has no
//! item of its own is not told, as Codex does not.

mod escape;
mod line;
mod spending;

use super::Render;
use capstan_types::event::{Event, EventBody};
use capstan_types::item::{Item, ItemBody, ItemId, PlanStep};
use line::{Body, Fault, Line, Shown};
use spending::Spending;
use std::collections::HashMap;
use std::io::{self, Write};

/// Writes events as JSON lines.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    numbers: HashMap<ItemId, u64>,
    next: u64,
    plan: Option<Plan>,
    spending: Option<Box<Spending>>,
}

/// A turn's plan: one item, whichever of the calls changed it.
#[derive(Debug)]
struct Plan {
    number: u64,
    steps: Vec<PlanStep>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, numbers: HashMap::new(), next: 0, plan: None, spending: None }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        escape::write(&mut self.out, line)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    fn fresh(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    fn number(&mut self, id: ItemId) -> u64 {
        if let Some(number) = self.numbers.get(&id) {
            return *number;
        }
        let number = self.fresh();
        self.numbers.insert(id, number);
        number
    }

    fn began(&mut self, item: &Item) -> io::Result<()> {
        match &item.body {
            ItemBody::TodoList { steps } => self.plan(steps),
            // These are told when they are complete.
            ItemBody::AgentMessage { .. } | ItemBody::Reasoning { .. } | ItemBody::Compaction(_) | ItemBody::Error { .. } => {
                Ok(())
            }
            ItemBody::UserMessage { .. } | ItemBody::ToolCall { .. } => Ok(()),
            ItemBody::CommandExecution(_) | ItemBody::FileChange { .. } => self.item(item, Line::ItemStarted),
        }
    }

    fn done(&mut self, item: &Item) -> io::Result<()> {
        match &item.body {
            ItemBody::TodoList { steps } => self.plan(steps),
            ItemBody::UserMessage { .. } | ItemBody::ToolCall { .. } => Ok(()),
            ItemBody::Reasoning { text } if text.trim().is_empty() => Ok(()),
            ItemBody::AgentMessage { .. }
            | ItemBody::Reasoning { .. }
            | ItemBody::Compaction(_)
            | ItemBody::Error { .. }
            | ItemBody::CommandExecution(_)
            | ItemBody::FileChange { .. } => self.item(item, Line::ItemCompleted),
        }
    }

    fn item(&mut self, item: &Item, line: fn(Shown) -> Line) -> io::Result<()> {
        let Some(body) = Body::of(&item.body) else { return Ok(()) };
        let number = self.number(item.id);
        self.write(&line(Shown::new(number, body)))
    }

    fn plan(&mut self, steps: &[PlanStep]) -> io::Result<()> {
        let shown = |number| Shown::new(number, Body::todo_list(steps));
        match &mut self.plan {
            Some(plan) if plan.steps == steps => Ok(()),
            Some(plan) => {
                plan.steps = steps.to_vec();
                let line = Line::ItemUpdated(shown(plan.number));
                self.write(&line)
            }
            None => {
                let number = self.fresh();
                self.plan = Some(Plan { number, steps: steps.to_vec() });
                self.write(&Line::ItemStarted(shown(number)))
            }
        }
    }

    /// A plan is done with its turn, whatever its steps say.
    fn end_plan(&mut self) -> io::Result<()> {
        match self.plan.take() {
            Some(plan) => self.write(&Line::ItemCompleted(Shown::new(plan.number, Body::todo_list(&plan.steps)))),
            None => Ok(()),
        }
    }

    fn failed(&mut self, message: &str) -> io::Result<()> {
        self.end_plan()?;
        self.write(&Line::Error { message: message.to_owned() })?;
        let capstan = self.spending.take();
        self.write(&Line::TurnFailed { error: Fault { message: message.to_owned() }, capstan })
    }
}

impl<W: Write> Render for JsonLines<W> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        match &event.body {
            EventBody::ThreadStarted { thread, .. } => self.write(&Line::ThreadStarted { thread_id: thread.to_string() }),
            EventBody::TurnStarted => self.write(&Line::TurnStarted {}),
            EventBody::ItemStarted { item } => self.began(item),
            EventBody::ItemUpdated { item } => {
                // Codex tells no other item's changes.
                if let ItemBody::TodoList { steps } = &item.body { self.plan(steps) } else { Ok(()) }
            }
            EventBody::ItemCompleted { item } => self.done(item),
            EventBody::MessageDelta { .. }
            | EventBody::OutputDelta { .. }
            | EventBody::TurnDiff { .. }
            | EventBody::CheckpointSaved { .. }
            | EventBody::ModelAnswered { .. }
            | EventBody::SettingsChanged { .. }
            | EventBody::TurnDemands { .. }
            | EventBody::TurnContinued { .. }
            | EventBody::SessionChanged { .. } => Ok(()),
            EventBody::TurnBilled { turn, thread } => {
                self.spending = Spending::of(turn, thread);
                Ok(())
            }
            // For a program that knows Codex's lines: this turn has no answer yet.
            EventBody::TurnPaused { message } => {
                self.spending = Some(Spending::paused(self.spending.take()));
                self.failed(message)
            }
            EventBody::Notice { message } => self.write(&Line::Error { message: message.clone() }),
            EventBody::TurnCompleted { usage } => {
                self.end_plan()?;
                let capstan = self.spending.take();
                self.write(&Line::TurnCompleted { usage: *usage, capstan })
            }
            EventBody::TurnFailed { message } => self.failed(message),
            EventBody::TurnInterrupted => self.failed("the turn was interrupted"),
        }
    }
}

#[cfg(test)]
mod tests;
