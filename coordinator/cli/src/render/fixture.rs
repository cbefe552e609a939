//! The turn that the renderers' tests show: one of every item, and text that means harm.

use capstan_types::event::{Event, EventBody};
use capstan_types::history::Usage;
use capstan_types::id::{CallId, EventSeq, SessionId, ThreadId, TurnId};
use capstan_types::item::{
    CommandExecution, FileChange, FileChangeKind, Item, ItemBody, ItemId, ItemStatus, PlanStatus, PlanStep,
};
use capstan_types::launch::{Denial, Enforced, SessionEnd};
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, Level, SandboxMode};
use capstan_types::thread::ThreadSettings;
use capstan_types::time::{Millis, UnixMillis};

pub(crate) const DIFF: &str = "--- a/src/words.c\n+++ b/src/words.c\n@@ -1,3 +1,3 @@\n int words(void) {\n-    return 5;\n+    return 4; /* \u{202e}exact */\n }\n";

pub(crate) fn settings() -> ThreadSettings {
    ThreadSettings {
        model: "gpt-5.5".into(),
        provider: "openai".into(),
        effort: Some("high".into()),
        cwd: AbsPath::new("/desk/words").unwrap(),
        node: Some("local".parse().unwrap()),
        sandbox: SandboxMode::WorkspaceWrite,
        profile: None,
        writable_roots: Vec::new(),
        network_access: false,
        exclude_slash_tmp: false,
        approval: ApprovalPolicy::Never,
        environment: [].into(),
        instructions: None,
        plan_tool: true,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        budgets: capstan_types::budget::Budgets::default(),
        docs: capstan_types::docs::ProjectDocs::default(),
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    }
}

pub(crate) fn command(line: &str, cwd: &str) -> CommandExecution {
    CommandExecution {
        call: CallId::from_u128(1),
        command: line.into(),
        cwd: AbsPath::new(cwd).unwrap(),
        node: "local".parse().unwrap(),
        session: None,
        output: String::new(),
        end: None,
        duration: None,
        status: ItemStatus::InProgress,
        reason: None,
        enforced: None,
        denials: Vec::new(),
    }
}

pub(crate) fn ended(line: &str, cwd: &str, code: i32, output: &str) -> CommandExecution {
    CommandExecution {
        session: Some(SessionId::from_u128(7)),
        output: output.into(),
        end: Some(SessionEnd::Exited { code }),
        duration: Some(Millis(421)),
        status: if code == 0 { ItemStatus::Completed } else { ItemStatus::Failed },
        enforced: Some(enforced()),
        ..command(line, cwd)
    }
}

fn enforced() -> Enforced {
    Enforced {
        landlock_abi: Some(6),
        no_new_privs: true,
        uid: 1000,
        level: Level::Namespaces,
        namespaces: vec!["user".into(), "net".into()],
        network: "loopback".into(),
        missing: vec!["a user of its own: the node does not run as root".into()],
        ..Enforced::default()
    }
}

pub(crate) fn item(id: u64, body: ItemBody) -> Item {
    Item { id: ItemId(id), body }
}

pub(crate) fn plan(first: PlanStatus, second: PlanStatus) -> ItemBody {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    ItemBody::TodoList { steps: vec![step("run the test", first), step("mend the counter", second)] }
}

/// Puts bodies into events, one second apart.
pub(crate) fn events(bodies: Vec<EventBody>) -> Vec<Event> {
    let event = |(place, body): (u64, EventBody)| Event {
        seq: EventSeq(place + 1),
        at: UnixMillis(1_000_000 + place * 1000),
        turn: Some(TurnId::from_u128(3)),
        body,
    };
    (0..).zip(bodies).map(event).collect()
}

pub(crate) fn opening() -> Vec<EventBody> {
    let user = item(0, ItemBody::UserMessage { text: "mend it".into(), images: 0 });
    vec![
        EventBody::ThreadStarted { thread: ThreadId::from_u128(2), settings: Box::new(settings()) },
        EventBody::TurnStarted,
        EventBody::ItemStarted { item: user.clone() },
        EventBody::ItemCompleted { item: user },
    ]
}

fn both(id: u64, before: ItemBody, after: ItemBody) -> [EventBody; 2] {
    [EventBody::ItemStarted { item: item(id, before) }, EventBody::ItemCompleted { item: item(id, after) }]
}

fn changes(status: ItemStatus) -> ItemBody {
    let change = |path: &str, kind| FileChange { path: path.into(), kind };
    ItemBody::FileChange {
        call: CallId::from_u128(1),
        changes: vec![
            change("/desk/words/src/words.c", FileChangeKind::Update { moved_to: None }),
            change("/desk/words/old.c", FileChangeKind::Update { moved_to: Some("/desk/words/new.c".into()) }),
            change("/desk/words/notes\u{1b}]0;owned\u{7}.txt", FileChangeKind::Add),
        ],
        status,
        reason: None,
    }
}

/// A whole turn that ends well.
pub(crate) fn turn() -> Vec<Event> {
    let log: String = (1..=20).map(|line| format!("line {line}\n")).collect();
    let failing = format!("{log}FAIL words(\"a  b\"): expected 2, got 3 \u{1b}[2J\u{1b}]52;c;aGk=\u{7}\n\n");
    let test = |end: CommandExecution| {
        both(5, ItemBody::CommandExecution(command("./test.sh", "/desk/words")), ItemBody::CommandExecution(end))
    };
    let declined = CommandExecution {
        status: ItemStatus::Declined,
        reason: Some("the approval policy is `never`".into()),
        ..command("rm -rf /etc\n  --no-preserve-root", "/desk/words")
    };
    let text = |text: &str| ItemBody::AgentMessage { text: text.into() };
    let mut bodies = opening();
    bodies.push(EventBody::ItemCompleted { item: item(1, ItemBody::Reasoning { text: "The test comes first.".into() }) });
    bodies.push(EventBody::ItemStarted { item: item(2, text("")) });
    bodies.push(EventBody::MessageDelta { item: ItemId(2), text: "I run".into() });
    bodies.push(EventBody::ItemCompleted { item: item(2, text("I run the test.")) });
    bodies.extend(both(3, plan(PlanStatus::InProgress, PlanStatus::Pending), plan(PlanStatus::InProgress, PlanStatus::Pending)));
    let denied = Denial { act: "connect to example.com:443".into(), reason: "not in the list\u{1b}[2J of allowed hosts".into() };
    bodies.extend(test(CommandExecution { denials: vec![denied], ..ended("./test.sh", "/desk/words", 1, &failing) }));
    bodies.push(EventBody::Notice { message: "Reconnecting... 1/5 (the stream broke off)".into() });
    bodies.extend(both(6, changes(ItemStatus::InProgress), changes(ItemStatus::Completed)));
    bodies.push(EventBody::ItemCompleted { item: item(7, ItemBody::CommandExecution(declined)) });
    bodies.push(EventBody::ItemCompleted {
        item: item(
            8,
            ItemBody::ToolCall {
                call: CallId::from_u128(1),
                tool: "no_such".into(),
                arguments: "{}".into(),
                output: "there is no tool `no_such`".into(),
                status: ItemStatus::Failed,
            },
        ),
    });
    bodies.extend(both(
        9,
        plan(PlanStatus::Completed, PlanStatus::InProgress),
        plan(PlanStatus::Completed, PlanStatus::Completed),
    ));
    bodies.push(EventBody::ItemStarted { item: item(10, ItemBody::CommandExecution(command("sleep 1000", "/desk/words/src"))) });
    bodies.push(EventBody::ItemStarted { item: item(11, ItemBody::CommandExecution(command("make", "/desk/words/src"))) });
    bodies.push(EventBody::OutputDelta { item: ItemId(11), text: "cc".into() });
    bodies.push(EventBody::ItemCompleted {
        item: item(11, ItemBody::CommandExecution(ended("make", "/desk/words/src", 0, "cc -o words words.c\n"))),
    });
    let left = CommandExecution {
        session: Some(SessionId::from_u128(8)),
        output: "asleep\n".into(),
        status: ItemStatus::Failed,
        reason: Some("the turn ended before it did".into()),
        ..command("sleep 1000", "/desk/words/src")
    };
    bodies.push(EventBody::ItemCompleted { item: item(10, ItemBody::CommandExecution(left)) });
    let shortened = capstan_types::item::Compaction { before_tokens: 244_800, after_tokens: 9_100, summed_up: true };
    bodies.push(EventBody::ItemCompleted { item: item(13, ItemBody::Compaction(shortened)) });
    bodies.push(EventBody::ItemCompleted { item: item(12, ItemBody::Error { message: "the model is not known".into() }) });
    bodies.push(EventBody::ItemCompleted { item: item(13, text("The counter is mended.\nAll tests pass.")) });
    bodies.push(EventBody::TurnDiff { diff: DIFF.into() });
    bodies.push(EventBody::TurnCompleted {
        usage: Usage {
            input_tokens: 12_345,
            cached_input_tokens: 10_000,
            cache_write_input_tokens: 0,
            output_tokens: 678,
            reasoning_output_tokens: 64,
        },
    });
    events(bodies)
}
