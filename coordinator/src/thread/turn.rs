//! The turn: user input → model step → calls → model step → … → final message.
//!
//! A plain async function in a task that the thread's actor owns. Invariants: an answer is stored before anything is done for it; a
//! call has one end; when a turn ends, for whatever reason, no item of it is left open.

mod keeping;
mod opening;

use super::answerers::Answerers;
use super::begin::Begin;
use super::budget;
use super::calls::{self, Calls, Releases};
use super::compaction::fit::Fit;
use super::compaction::shorten::{NotShortened, Reason, Shortener, too_long};
use super::context::TurnContext;
use super::final_message::{self, Demand};
use super::handle::TurnHandle;
use super::items::TurnItems;
use super::log::Draft;
use super::loose_ends;
use super::prompt;
use super::step::{self, TurnStop};
use super::tally::Tally;
use super::workspace::Before;
use crate::crash_point;
use capstan_model::{ModelError, Prompt};
use capstan_tools::invocation::{CallContext, NobodyToAsk};
use capstan_tools::plan::PlanState;
use capstan_tools::sessions::EndedSession;
use capstan_types::budget::Budgets;
use capstan_types::call::{Call, ReplayClass};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::item::{Item, ItemBody};
use capstan_types::session::known::SessionChange;
use capstan_types::thread::OnInterrupt;
use capstan_types::time::Millis;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// How long an interrupted turn gets to end its calls.
pub const INTERRUPT_GRACE: Duration = Duration::from_secs(8);

/// The most model steps of one turn: a model that never stops calling tools must not run for ever.
const MOST_STEPS: u32 = 1000;

/// Runs one turn to its end; `before` is what the thread had used.
pub async fn run(context: &Arc<TurnContext>, id: TurnId, begin: Begin, before: Tally, handle: TurnHandle) {
    let (changed, refused) = begin.resolve(context).await;
    let is_changed = changed.is_some();
    let context = changed.as_ref().unwrap_or(context);
    let span = tracing::info_span!(
        "invoke_agent",
        otel.name = "invoke_agent capstan",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = "capstan",
        gen_ai.conversation.id = %context.thread,
        gen_ai.request.model = %context.settings.model,
        turn = %id,
    );
    let items = Arc::new(begin.items(TurnItems::new(id, context.log.clone(), Arc::clone(&context.numbers))));
    let plan = Arc::new(begin.plan());
    let budgets = begin.budgets().unwrap_or(context.settings.budgets);
    let fit = Fit::default();
    let (began, spent, releases) = (Instant::now(), begin.spent(), Releases::default());
    let mut turn = Turn {
        context,
        is_changed,
        is_begun: false,
        refused,
        id,
        items,
        plan,
        before,
        spent,
        began,
        budgets,
        fit,
        releases,
        handle,
    };
    Box::pin(turn.run_to_end(begin).instrument(span)).await;
    turn.releases.finish().await;
}

struct Turn<'a> {
    context: &'a Arc<TurnContext>,
    /// Whether the turn changed the thread's settings.
    is_changed: bool,
    /// Whether its beginning is stored.
    is_begun: bool,
    /// Why it cannot run with what it wants to change.
    refused: Option<String>,
    id: TurnId,
    items: Arc<TurnItems>,
    plan: Arc<PlanState>,
    /// What the thread had used.
    before: Tally,
    /// What the turn uses.
    spent: Tally,
    began: Instant,
    budgets: Budgets,
    /// How long its prompt is.
    fit: Fit,
    releases: Releases,
    handle: TurnHandle,
}

impl Turn<'_> {
    async fn run_to_end(&mut self, begin: Begin) {
        let (context, policy) = (self.context, self.context.policy());
        let mut before = Before::of(Arc::clone(&context.host), context.facts.root.clone(), policy, self.id);
        let again = matches!(begin, Begin::Again(_));
        let stopped = self.steps(begin, &mut before).await;
        if matches!(stopped, Err(TurnStop::Interrupted)) && self.handle.on_interrupt() == OnInterrupt::KillSessions {
            self.end_sessions().await;
            if let Some(by) = self.handle.cancelled_by() {
                // It fails only with the log, which the turn's end meets too.
                let _ = self.warn(format!("the turn was ended by {by}")).await;
            }
        }
        crash_point::reached("turn.diffing");
        let kept = self.keep(before, again).await;
        // From here on nobody says anything to this turn.
        let unsaid = self.handle.steering.close();
        let end = match stopped {
            Ok(()) => EventBody::TurnCompleted { usage: self.before.usage.plus(self.spent.usage) },
            Err(TurnStop::Paused(message)) => EventBody::TurnPaused { message },
            Err(TurnStop::Interrupted) => EventBody::TurnInterrupted,
            Err(stop) => EventBody::TurnFailed { message: stop.to_string() },
        };
        let mut loose = match &end {
            EventBody::TurnFailed { .. } if self.is_begun => loose_ends::of_failed(self.context, self.id).await,
            _ => Vec::new(),
        };
        loose.extend(kept);
        self.end(end, loose, unsaid).await;
    }

    /// Ends what earlier calls of the turn left to run.
    async fn end_sessions(&mut self) {
        let by = self.handle.cancelled_by().unwrap_or(calls::BY_INTERRUPT);
        let ended = self.context.sessions.end_turn(self.id, by).await;
        let changed = |session: &EndedSession| session.change.clone().map(|change| self.changed(change));
        // It fails only with the log, which the turn's end meets too; the nodes then keep the sessions until their retention is over.
        if self.context.log.record(ended.iter().filter_map(changed).collect()).await.is_ok() {
            ended.into_iter().for_each(|session| self.releases.release(self.context, session.release));
        }
    }

    fn changed(&self, change: SessionChange) -> Draft {
        Draft::Event(Some(self.id), EventBody::SessionChanged { change })
    }

    async fn end(&self, end: EventBody, loose: Vec<Draft>, unsaid: Vec<String>) {
        let log = &self.context.log;
        // Neither can fail but by the log's end, which the record below meets too.
        let _ = self.plan.complete(self.items.as_ref()).await;
        let _ = self.items.close_open("the turn ended before it did").await;
        let mut total = self.before.plus(&self.spent);
        total.took(Millis::of(self.began.elapsed()));
        let billed = EventBody::TurnBilled { turn: self.spent.bill.clone(), thread: total.bill.clone() };
        // A turn that asked nobody in a thread that never did has no bill.
        let bodies = (!total.bill.0.is_empty()).then_some(billed).into_iter().chain([end.clone()]);
        crash_point::reached("turn.ending");
        let drafts = loose.into_iter().chain(said(&unsaid).map(|entry| Draft::Entry(self.id, entry)));
        // One that could not begin is not to begin again.
        let drafts = drafts.chain((!self.is_begun).then_some(Draft::Unqueued(self.id)));
        let drafts = drafts.chain(bodies.map(|body| Draft::Event(Some(self.id), body)));
        let submitted = log.submit(drafts.collect()).await;
        // Set before the end can be told: whoever hears of it may start the next turn at once.
        let _ = self.handle.ended.set(total);
        let stored = match submitted {
            Ok(submitted) => submitted.stored().await,
            Err(error) => Err(error),
        };
        crash_point::reached("turn.ended");
        if let Err(error) = stored {
            if log.ownership().is_elsewhere() {
                // The turn is the new owner's to end; those who listen here are told where the thread went.
                return;
            }
            tracing::error!(turn = %self.id, %error, "the end of a turn could not be stored");
            let told = match end {
                EventBody::TurnFailed { .. } => end,
                _ => EventBody::TurnFailed { message: error.to_string() },
            };
            log.tell_surely(Some(self.id), told).await;
            // The thread is let go; the log has come to this before it answers.
            let _ = log.subscribe().await;
        }
    }

    async fn steps(&mut self, begin: Begin, before: &mut Before) -> Result<(), TurnStop> {
        let context = self.context;
        let mut answerers = Answerers::of(context).map_err(|error| TurnStop::Failed(error.to_string()))?;
        let output_schema = begin.output_schema();
        let demand = output_schema.as_ref().map(Demand::new).transpose().map_err(|error| TurnStop::Failed(error.to_string()))?;
        let calls = Calls::new(Arc::clone(context), self.invocation(), self.handle.clone());
        let compact = begin.compact();
        let (mut entries, mut answered) = match begin {
            Begin::New(input) => (self.begin(*input).await?, false),
            Begin::Again(unfinished) => self.go_on(*unfinished, &calls, before).await?,
        };
        if let Some(reason) = self.refused.take() {
            return Err(TurnStop::Failed(reason));
        }
        if compact {
            return self.compact(&mut entries, &answerers).await;
        }
        for _ in 0..MOST_STEPS {
            let mut asked = Vec::new();
            if !answered {
                self.check_budgets(&answerers).await?;
                self.tell(self.handle.steering.take(), &mut entries).await?;
                asked = self.step(&mut answerers, &mut entries, output_schema.clone()).await?;
                answered = asked.is_empty();
            }
            if answered {
                let unsaid = self.handle.steering.take_or_close();
                if !unsaid.is_empty() {
                    self.tell(unsaid, &mut entries).await?;
                    answered = false;
                    continue;
                }
                let checked = demand.map_or(Ok(()), |demand| demand.check(final_message::of(&entries)));
                return checked.map_err(|error| TurnStop::Failed(error.to_string()));
            }
            let pure = |call: &Call| context.toolbox.replay_class(&call.tool, &call.arguments) == ReplayClass::Pure;
            if !asked.iter().all(pure) {
                crash_point::reached("checkpoint.taking");
                before.note(&self.handle.interrupt).await;
                crash_point::reached("checkpoint.taken");
                self.keep_before(&asked).await?;
            }
            entries.extend(calls.run(&asked, &mut self.releases).await?);
            if self.handle.interrupt.is_cancelled() {
                return Err(TurnStop::Interrupted);
            }
        }
        Err(TurnStop::Failed(format!(
            "the model asked for tools in {MOST_STEPS} steps without an answer; give it a smaller task"
        )))
    }

    /// What people said meanwhile, for the model's next request.
    async fn tell(&self, texts: Vec<String>, entries: &mut Vec<Entry>) -> Result<(), TurnStop> {
        if texts.is_empty() {
            return Ok(());
        }
        self.context.log.record(said(&texts).map(|entry| Draft::Entry(self.id, entry)).collect()).await?;
        entries.extend(said(&texts));
        Ok(())
    }

    fn warning(&self, message: String) -> Draft {
        let item = Item { id: self.items.number(), body: ItemBody::Error { message } };
        Draft::Event(Some(self.id), EventBody::ItemCompleted { item })
    }

    async fn step(
        &mut self,
        answerers: &mut Answerers,
        entries: &mut Vec<Entry>,
        output_schema: Option<serde_json::Value>,
    ) -> Result<Vec<Call>, TurnStop> {
        let context = self.context;
        let bare = self.prompt(output_schema);
        self.shorten_if_full(&bare, entries, answerers).await?;
        let mut overflowed = false;
        let (answer, message) = loop {
            let (client, prompt) = answerers.ask(&Prompt { entries: entries.clone(), ..bare.clone() });
            let asked = step::ask(client.as_ref(), prompt, self.id, &context.log, &self.items, &self.handle.interrupt).await;
            let Err(TurnStop::Model(error)) = &asked else { break asked? };
            if let ModelError::ContextWindow(said) = error {
                if std::mem::replace(&mut overflowed, true) {
                    return Err(TurnStop::Failed(too_long(said)));
                }
                self.shorten(&bare, entries, answerers, Reason::Overflow).await?;
                continue;
            }
            match answerers.fall_back(error) {
                Some(said) => self.warn(said).await?,
                None => break asked?,
            }
            // The next one may have no price, and a budget in money, and a smaller window.
            self.check_budgets(answerers).await?;
            self.shorten_if_full(&bare, entries, answerers).await?;
        };
        let spent = answerers.spent(answer.usage);
        self.spent.add(&spent);
        self.fit.hear(answer.usage, &bare, entries, answer.entries.len());
        let node_of = |tool: &str, arguments: &str| context.node_of(tool, arguments);
        let calls = step::keep(&answer, spent, message, self.id, (&context.toolbox, &node_of), &context.log, &self.items).await?;
        entries.extend(answer.entries);
        Ok(calls)
    }

    /// What a prompt holds besides the conversation.
    fn prompt(&self, output_schema: Option<serde_json::Value>) -> Prompt {
        let context = self.context;
        Prompt {
            model: String::new(),
            instructions: prompt::instructions(&context.settings),
            entries: Vec::new(),
            tools: context.toolbox.specs().into_iter().map(prompt::definition).collect(),
            effort: None,
            output_schema,
            cache_key: context.thread.to_string(),
        }
    }

    async fn shorten_if_full(&mut self, bare: &Prompt, entries: &mut Vec<Entry>, answerers: &Answerers) -> Result<(), TurnStop> {
        let shortener = Shortener { context: self.context, turn: self.id, items: &self.items, interrupt: &self.handle.interrupt };
        let Some(spent) = self.fit.if_full(&shortener, bare, entries, answerers).await? else { return Ok(()) };
        self.spent.add(&spent);
        self.check_budgets(answerers).await
    }

    async fn shorten(
        &mut self,
        bare: &Prompt,
        entries: &mut Vec<Entry>,
        answerers: &Answerers,
        reason: Reason,
    ) -> Result<(), NotShortened> {
        let shortener = Shortener { context: self.context, turn: self.id, items: &self.items, interrupt: &self.handle.interrupt };
        let spent = self.fit.now(&shortener, bare, entries, answerers, reason).await?;
        spent.iter().for_each(|spent| self.spent.add(spent));
        Ok(())
    }

    /// A turn that does nothing else. A conversation of which nothing can be left out is short enough.
    async fn compact(&mut self, entries: &mut Vec<Entry>, answerers: &Answerers) -> Result<(), TurnStop> {
        self.check_budgets(answerers).await?;
        let bare = self.prompt(None);
        match self.shorten(&bare, entries, answerers, Reason::Asked).await {
            Err(NotShortened::Nothing) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Asked before each step: what runs is never cut off for a budget.
    async fn check_budgets(&self, answerers: &Answerers) -> Result<(), TurnStop> {
        if let Some(reason) = budget::cannot_be_kept(&self.budgets, answerers.price(), answerers.model()) {
            return Err(TurnStop::Failed(reason));
        }
        let took = Millis::of(self.began.elapsed());
        let (turn, thread) = (self.spent.used(took), self.before.plus(&self.spent).used(took));
        match budget::used_up(&self.budgets, &turn, &thread, self.context.thread) {
            None => Ok(()),
            Some(message) => {
                self.warn(message.clone()).await?;
                Err(TurnStop::Paused(message))
            }
        }
    }

    /// An item that a person should see, though the turn has not failed by it.
    async fn warn(&self, message: String) -> Result<(), TurnStop> {
        let item = Item { id: self.items.number(), body: ItemBody::Error { message } };
        Ok(self.context.log.record(vec![Draft::Event(Some(self.id), EventBody::ItemCompleted { item })]).await?)
    }

    fn invocation(&self) -> CallContext {
        let context = self.context;
        CallContext {
            thread: context.thread,
            host: Arc::clone(&context.host) as Arc<dyn capstan_tools::host::ExecHost>,
            hosts: context.hosts.are_many().then(|| Arc::clone(&context.hosts) as Arc<dyn capstan_tools::hosts::Hosts>),
            sights: Vec::new(),
            sessions: Arc::clone(&context.sessions),
            plan: Arc::clone(&self.plan),
            cwd: context.facts.root.clone(),
            policy: context.policy(),
            limits: context.settings.limits(),
            cleaning: context.settings.cleaning,
            approval: context.settings.approval,
            approver: Arc::new(NobodyToAsk),
            environment: context.settings.environment.clone(),
            items: Arc::clone(&self.items) as Arc<dyn capstan_tools::items::ItemSink>,
        }
    }
}

fn said(texts: &[String]) -> impl Iterator<Item = Entry> {
    texts.iter().map(|text| Entry::User { text: text.clone(), images: Vec::new() })
}
