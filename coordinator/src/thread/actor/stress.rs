//! Models that cannot answer, and budgets.

use super::*;
use crate::models::{Models, NoModel, PriceTable, Priced};
use crate::thread::context::TurnContext;
use crate::thread::fixture::thread_of;
use async_trait::async_trait;
use capstan_model::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use capstan_runtime::actors::ask::ask;
use capstan_types::budget::{Budget, Budgets};
use capstan_types::event::Event;
use capstan_types::history::{Entry, Usage};
use capstan_types::item::ItemBody;
use capstan_types::money::{MicroDollars, Price};
use capstan_types::thread::ModelChoice;
use futures::stream::{self, BoxStream, StreamExt as _};
use std::sync::Mutex;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// Fails for models that the table does not have, plans for ever otherwise, and remembers who was asked.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<String>>);

#[async_trait]
impl ModelClient for Asked {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        self.0.lock().unwrap().push(prompt.model.clone());
        match prompt.model.as_str() {
            "refused" => return Err(ModelError::Refused("no".into())),
            "full" => return Err(ModelError::ContextWindow("long".into())),
            _ => {}
        }
        let planned = Entry::Call {
            model_call_id: format!("c{}", prompt.entries.len()),
            tool: "update_plan".into(),
            arguments: r#"{"plan":[{"step":"a","status":"pending"}]}"#.into(),
        };
        let said = Entry::Assistant { text: "done".into() };
        let rounds = prompt.entries.iter().filter(|entry| matches!(entry, Entry::CallOutput { .. })).count();
        let entries = if rounds < 3 { vec![planned] } else { vec![said] };
        let usage = Usage { input_tokens: 1000, output_tokens: 100, ..Usage::default() };
        Ok(stream::iter([Ok(ModelEvent::Answered(Answer { entries, usage }))]).boxed())
    }
}

#[derive(Debug)]
struct ByName(Arc<Asked>);

impl Models for ByName {
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        if provider == "keyless" { Err(NoModel("no key".into())) } else { Ok(Arc::clone(&self.0) as Arc<dyn ModelClient>) }
    }
}

struct Played {
    asked: Vec<String>,
    events: Vec<Event>,
}

impl Played {
    fn warnings(&self) -> Vec<&str> {
        let mut warnings = Vec::new();
        for event in &self.events {
            if let EventBody::ItemCompleted { item } = &event.body
                && let ItemBody::Error { message } = &item.body
            {
                warnings.push(message.as_str());
            }
        }
        warnings
    }

    fn end(&self) -> &EventBody {
        &self.events.last().unwrap().body
    }
}

/// Plays turns of a thread, one after the other.
async fn play(model: &str, fallbacks: &[(&str, &str)], budgets: Budgets, turns: usize) -> Played {
    let client = Arc::new(Asked::default());
    let (context, log) = thread_of(Arc::clone(&client) as Arc<dyn ModelClient>).await;
    let context = Arc::into_inner(context).unwrap();
    let choice = |(model, provider): &(&str, &str)| ModelChoice { model: (*model).into(), provider: (*provider).into() };
    let mut settings = context.settings.clone();
    settings.model = model.into();
    settings.plan_tool = true;
    // There is no node to read them.
    settings.docs.max_bytes = 0;
    settings.fallbacks = fallbacks.iter().map(choice).collect();
    settings.budgets = budgets;
    let price = Price { input: MicroDollars(1_000_000), output: MicroDollars(10_000_000), ..Price::default() };
    let prices = PriceTable::of_ones_own([("priced".to_owned(), price)].into());
    let models = Arc::new(Priced { models: Arc::new(ByName(Arc::clone(&client))), prices });
    let toolbox = capstan_tools::toolbox::Toolbox::standard(true);
    let context = Arc::new(TurnContext { settings, models, toolbox, ..context });
    let arguments = ThreadArguments {
        context,
        log,
        tally: Tally::default(),
        turns: HashSet::new(),
        at_end: OnInterrupt::KillSessions,
        unfinished: None,
        queue: TurnQueue::default(),
    };
    let (actor, _) = Actor::spawn(None, ThreadActor, arguments).await.unwrap();
    let mut live = ask(&actor, PATIENCE, ThreadMsg::Subscribe).await.unwrap().unwrap().events;
    let mut events = Vec::new();
    for _ in 0..turns {
        let input = Box::new(TurnInput { text: "go".into(), ..TurnInput::default() });
        ask(&actor, PATIENCE, |reply| ThreadMsg::StartTurn(TurnId::generate(), input, reply)).await.unwrap().unwrap();
        loop {
            let event = tokio::time::timeout(PATIENCE, live.recv()).await.expect("the turn ends").unwrap();
            events.push(Event::clone(&event));
            if event.body.ends_turn() {
                break;
            }
        }
    }
    let asked = client.0.lock().unwrap().clone();
    Played { asked, events }
}

#[tokio::test]
async fn a_model_that_refuses_is_replaced_for_the_rest_of_the_turn() {
    let played = play("refused", &[("x", "keyless"), ("priced", "q")], Budgets::default(), 1).await;
    assert_eq!(played.asked, ["refused", "priced", "priced", "priced", "priced"]);
    let [said] = played.warnings()[..] else { panic!("{:?}", played.warnings()) };
    assert_eq!(
        said,
        "refused of p cannot answer (the provider refused the request: no), nor can x of keyless (no key); priced of q answers for the \
         rest of the turn"
    );
    assert!(matches!(played.end(), EventBody::TurnCompleted { usage } if usage.input_tokens == 4000));
}

#[tokio::test]
async fn the_next_turn_begins_with_the_threads_own_model_again() {
    let played = play("refused", &[("priced", "q")], Budgets::default(), 2).await;
    assert_eq!(played.asked.iter().filter(|model| *model == "refused").count(), 2);
}

#[tokio::test]
async fn nobody_else_is_asked_where_that_would_not_help() {
    let played = play("full", &[("priced", "q")], Budgets::default(), 1).await;
    assert_eq!(played.asked, ["full"]);
    assert!(matches!(played.end(), EventBody::TurnFailed { message } if message.contains("context window")));
    let played = play("refused", &[("refused", "q")], Budgets::default(), 1).await;
    assert_eq!(played.asked, ["refused", "refused"]);
    assert!(matches!(played.end(), EventBody::TurnFailed { .. }));
}

#[tokio::test]
async fn a_turn_pauses_when_its_money_is_used_up_and_its_calls_have_ended() {
    // Each answer costs 0.002 dollars.
    let turn = Budget { cost: Some(MicroDollars(3_000)), ..Budget::default() };
    let played = play("priced", &[], Budgets { turn, ..Budgets::default() }, 2).await;
    // Two steps, and then two in the next turn, which has a budget of its own and finds the work of the first.
    assert_eq!(played.asked.len(), 4);
    let [first, ..] = played.warnings()[..] else { panic!("nothing is said") };
    assert!(first.contains("($0.004 of $0.003)") && first.contains("capstan exec resume"), "{first}");
    let calls = |what: fn(&EventBody) -> bool| played.events.iter().filter(|event| what(&event.body)).count();
    assert_eq!(calls(|body| matches!(body, EventBody::TurnPaused { .. })), 1);
    assert!(matches!(played.end(), EventBody::TurnCompleted { .. }));
    let Some(EventBody::TurnBilled { turn, thread }) = played.events.iter().rev().map(|event| &event.body).nth(1) else {
        panic!("the end has no bill")
    };
    assert_eq!((turn.cost(), thread.cost()), (MicroDollars(4_000), MicroDollars(8_000)));
}

#[tokio::test]
async fn a_threads_budget_holds_over_its_turns() {
    let thread = Budget { steps: Some(3), ..Budget::default() };
    let played = play("priced", &[], Budgets { thread, ..Budgets::default() }, 2).await;
    assert_eq!(played.asked.len(), 3, "the second turn asks nobody");
    assert!(matches!(played.end(), EventBody::TurnPaused { message } if message.contains("[budget.thread]")));
}

#[tokio::test]
async fn a_budget_in_money_is_refused_where_the_price_is_not_known() {
    let turn = Budget { cost: Some(MicroDollars(3_000)), ..Budget::default() };
    let played = play("nobody-knows", &[], Budgets { turn, ..Budgets::default() }, 1).await;
    assert!(played.asked.is_empty());
    assert!(matches!(played.end(), EventBody::TurnFailed { message } if message.contains("[prices.\"nobody-knows\"]")));
}
