use super::*;
use capstan_types::budget::{Budget, Budgets};
use capstan_types::id::{CallId, NodeId, SessionId, ThreadId, TurnId};
use capstan_types::item::{CommandExecution, FileChange, FileChangeKind, Item, ItemBody, ItemStatus, PlanStatus, PlanStep};
use capstan_types::launch::{Denial, Enforced, SessionEnd, SessionLimit};
use capstan_types::limits::SessionLimits;
use capstan_types::money::{Bill, MicroDollars, Spent};
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, Level, Network, PermissionProfile, SandboxMode};
use capstan_types::saved::note::{CheckpointNote, CheckpointReason};
use capstan_types::thread::{ModelChoice, ThreadSettings};
use capstan_types::time::Millis;

fn profile() -> PermissionProfile {
    PermissionProfile {
        temp: false,
        writable: vec!["/cache".parse().unwrap(), ":workspace/out".parse().unwrap()],
        readable: vec!["/data".parse().unwrap()],
        hidden: vec![":workspace/.env".parse().unwrap()],
        protected: vec!["Cargo.lock".into()],
        network: Network::Hosts(vec!["*.crates.io".parse().unwrap(), "private:db:5432".parse().unwrap()]),
        level: Level::Namespaces,
        limits: SessionLimits { idle: Some(Millis(7)), memory: None, output: Some(9), ..SessionLimits::default() },
        ..PermissionProfile::extending("mine", SandboxMode::ReadOnly)
    }
}

fn thread_settings() -> ThreadSettings {
    ThreadSettings {
        model: "m".into(),
        provider: "openai".into(),
        effort: Some("high".into()),
        cwd: AbsPath::new("/w").unwrap(),
        node: Some("n1".parse::<NodeId>().unwrap()),
        sandbox: SandboxMode::WorkspaceWrite,
        profile: Some(Box::new(profile())),
        writable_roots: vec![AbsPath::new("/more").unwrap()],
        network_access: true,
        exclude_slash_tmp: true,
        approval: ApprovalPolicy::OnRequest,
        environment: [("A".to_owned(), "b".to_owned())].into(),
        instructions: Some("be brief".into()),
        plan_tool: true,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        window: capstan_types::window::WindowSettings { context: Some(9), compact_at: Some(8) },
        fallbacks: vec![ModelChoice { model: "other".into(), provider: "anthropic".into() }],
        budgets: Budgets {
            turn: Budget { cost: Some(MicroDollars(1)), steps: Some(3), ..Budget::default() },
            thread: Budget { tokens: Some(2), time: Some(Millis(4)), ..Budget::default() },
        },
        docs: capstan_types::docs::ProjectDocs::default(),
        placement: Box::default(),
        placed: None,
        hosts: vec![capstan_types::hosts::ThreadHost { node: "b".parse().unwrap(), dir: Some("/srv/x".parse().unwrap()) }],
        source: Some(Box::new(capstan_types::source::WorkspaceSource::Git(capstan_types::source::GitSource::whole(
            "h:r".parse().unwrap(),
        )))),
    }
}

fn bodies() -> Vec<ItemBody> {
    let call = CallId::from_u128(5);
    let command = CommandExecution {
        call,
        command: "bash -lc true".into(),
        cwd: AbsPath::new("/w").unwrap(),
        node: "n1".parse().unwrap(),
        session: Some(SessionId::from_u128(6)),
        output: "out".into(),
        end: Some(SessionEnd::Limit(SessionLimit::Idle)),
        duration: Some(Millis(0)),
        status: ItemStatus::Failed,
        reason: Some("why".into()),
        enforced: Some(Enforced { landlock_abi: Some(7), seccomp_sha256: Some("ab".into()), ..Enforced::default() }),
        denials: vec![Denial { act: "connect to a.io:443".into(), reason: "not allowed".into() }],
    };
    let changes = vec![
        FileChange { path: "a".into(), kind: FileChangeKind::Add },
        FileChange { path: "b".into(), kind: FileChangeKind::Delete },
        FileChange { path: "c".into(), kind: FileChangeKind::Update { moved_to: Some("d".into()) } },
    ];
    vec![
        ItemBody::UserMessage { text: "hello".into(), images: 2 },
        ItemBody::AgentMessage { text: "hi".into() },
        ItemBody::Reasoning { text: "hm".into() },
        ItemBody::CommandExecution(command),
        ItemBody::FileChange { call, changes, status: ItemStatus::Declined, reason: None },
        ItemBody::ToolCall { call, tool: "t".into(), arguments: "{}".into(), output: "o".into(), status: ItemStatus::InProgress },
        ItemBody::TodoList { steps: vec![PlanStep { step: "s".into(), status: PlanStatus::InProgress }] },
        ItemBody::Compaction(capstan_types::item::Compaction { before_tokens: 9, after_tokens: 3, summed_up: true }),
        ItemBody::Error { message: "careful".into() },
    ]
}

fn spent(usage: Usage, cost: Option<MicroDollars>) -> Spent {
    Spent { provider: "openai".into(), model: "m".into(), answers: 2, usage, cost }
}

#[test]
fn every_event_survives_the_wire() {
    let item = |body| Item { id: ItemId(4), body };
    let usage = Usage {
        input_tokens: 1,
        cached_input_tokens: 2,
        cache_write_input_tokens: 3,
        output_tokens: 4,
        reasoning_output_tokens: 5,
    };
    let mut events = vec![
        EventBody::ThreadStarted { thread: ThreadId::from_u128(1), settings: Box::new(thread_settings()) },
        EventBody::TurnStarted,
        EventBody::TurnDemands {
            output_schema: Some(serde_json::json!({"type": "object"})),
            budgets: Some(Budgets::default()),
            refused: Some("no".into()),
            compact: false,
        },
        EventBody::TurnDemands { output_schema: None, budgets: None, refused: None, compact: true },
        EventBody::TurnContinued { times: 2 },
        EventBody::SettingsChanged { settings: Box::new(thread_settings()) },
        EventBody::MessageDelta { item: ItemId(4), text: "t".into() },
        EventBody::OutputDelta { item: ItemId(4), text: "t".into() },
        EventBody::Notice { message: "n".into() },
        EventBody::TurnDiff { diff: "d".into() },
        EventBody::CheckpointSaved {
            checkpoint: CheckpointNote {
                thread: ThreadId::from_u128(3),
                name: "turn".parse().unwrap(),
                reason: CheckpointReason::Risk,
                files: 1,
                bytes: 2,
                new_bytes: 3,
                skipped: 4,
            },
        },
        EventBody::TurnCompleted { usage },
        EventBody::ModelAnswered { spent: spent(usage, Some(MicroDollars(0))) },
        EventBody::TurnBilled { turn: Bill(vec![spent(usage, None)]), thread: Bill(vec![spent(usage, Some(MicroDollars(7)))]) },
        EventBody::TurnPaused { message: "p".into() },
        EventBody::TurnFailed { message: "f".into() },
        EventBody::TurnInterrupted,
    ];
    for body in bodies() {
        events.push(EventBody::ItemStarted { item: item(body.clone()) });
        events.push(EventBody::ItemUpdated { item: item(body.clone()) });
        events.push(EventBody::ItemCompleted { item: item(body) });
    }
    for body in events {
        let event = Event { seq: EventSeq(3), at: UnixMillis(9), turn: Some(TurnId::from_u128(2)), body };
        assert_eq!(Event::try_from(wire::Event::from(event.clone())), Ok(event));
    }
}

#[test]
fn an_event_without_a_body_is_refused() {
    assert_eq!(Event::try_from(wire::Event::default()).unwrap_err().to_string(), "malformed message: body: it is missing");
}
