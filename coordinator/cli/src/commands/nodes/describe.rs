//! `capstan nodes describe`.

use super::table::state;
use super::{reach, refused, which};
use crate::args::ChosenNodesArgs;
use crate::client::{Client, NodeFilter, SessionFilter};
use crate::failure::{Exit, Failure};
use crate::render::columns::columns;
use crate::render::{amount, moment, text};
use crate::runtime;
use crate::surroundings::Surroundings;
use capstan_types::load::{Resource, Room};
use capstan_types::node_status::{ClusterEvent, Condition, Life, NodeStatus, Told};
use capstan_types::operator::Seen;
use capstan_types::orders::{Closed, Ordered};
use capstan_types::time::UnixMillis;

/// The sessions of a node that are shown.
const SESSIONS: usize = 20;

/// The events of a node that are shown.
const EVENTS: usize = 10;

pub(super) fn run(args: &ChosenNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let reach = reach(&args.daemon, surroundings)?;
    let pages = runtime::block_on(async {
        let mut client = Client::connect(reach).await?;
        let mut pages = Vec::new();
        for status in which::meant(&mut client, &args.which).await? {
            let around = Around::of(&mut client, &status).await?;
            pages.push(page(&status, &around, moment::now()).join("\n"));
        }
        Ok::<_, Failure>(pages)
    })?;
    super::list::print(&[pages.join("\n\n")]);
    Ok(Exit::Success)
}

/// What is told of a node beside its status.
#[derive(Debug)]
struct Around {
    /// Why they are not known, if that is so.
    sessions: Result<Vec<Seen>, String>,
    events: Vec<ClusterEvent>,
}

impl Around {
    async fn of(client: &mut Client, status: &NodeStatus) -> Result<Self, Failure> {
        let sessions = match &status.life {
            None => Ok(Vec::new()),
            Some(_) => {
                let filter = SessionFilter { node: Some(status.id.to_string()), live: true };
                let told = client.sessions(filter).await.map_err(|error| error.to_string());
                told.and_then(|all| all.silent.into_iter().next().map_or(Ok(all.sessions), |(_, why)| Err(why)))
            }
        };
        let filter = NodeFilter { names: vec![status.id.to_string()], selector: String::new() };
        let mut stream = client.node_events(filter, 0, false).await.map_err(|error| refused(&error))?;
        let mut events = Vec::new();
        while let Some(told) = stream.next().await.map_err(|error| refused(&error))? {
            if let Told::Event(event) = told {
                events.push(event);
            }
        }
        let older = events.len().saturating_sub(EVENTS);
        events.drain(..older);
        Ok(Self { sessions, events })
    }
}

fn page(status: &NodeStatus, around: &Around, now: UnixMillis) -> Vec<String> {
    let mut lines = vec![format!("Name:        {}", status.id), format!("Status:      {}", state(status))];
    match &status.life {
        Some(life) => lines.extend(of_life(life)),
        None => lines.push("It is not registered now; what is ordered for it stays.".to_owned()),
    }
    lines.extend(closed(status, now));
    lines.extend(labels(status));
    lines.extend(section("Taints", status.taints.iter().map(|taint| format!("{}  ({})", taint.what, who(taint, now))).collect()));
    lines.extend(conditions(&status.conditions, now));
    lines.extend(room(status));
    lines.extend(sessions(&around.sessions, now));
    let event = |event: &ClusterEvent| {
        [moment::age(now, event.at), event.kind.to_string(), event.by.clone().unwrap_or_default(), event.text.clone()]
            .map(|part| text::line(&part))
    };
    lines.extend(section("Events", columns(None, around.events.iter().map(event).collect())));
    lines
}

fn section(name: &str, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return vec![format!("{name}: none")];
    }
    [format!("{name}:")].into_iter().chain(lines.into_iter().map(|line| format!("  {line}"))).collect()
}

fn of_life(life: &Life) -> Vec<String> {
    let version = if life.version.is_empty() { "not told yet".to_owned() } else { text::line(&life.version) };
    let protocol = if life.protocol == 0 { "not said".to_owned() } else { life.protocol.to_string() };
    let mut lines = vec![
        format!("Generation:  {}", life.generation),
        format!("Address:     {}", text::line(&life.address)),
        format!("Version:     {version}, protocol {protocol}"),
        format!("System:      Linux {} on {}", text::line(&life.kernel), text::line(&life.arch)),
        format!("Sandbox:     {}", life.level),
    ];
    lines.extend(life.missing.iter().map(|missing| format!("             missing: {}", text::line(missing))));
    lines
}

fn who<T>(order: &Ordered<T>, now: UnixMillis) -> String {
    let reason = order.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    text::line(&format!("{}, {} ago{reason}", order.by, moment::age(now, order.at)))
}

fn closed(status: &NodeStatus, now: UnixMillis) -> Option<String> {
    let order = status.closed.as_ref()?;
    let how = match &order.what {
        Closed::Cordoned => "nothing new is placed here".to_owned(),
        Closed::Drained => "nothing new is placed here, and no turn begins; what ran has ended".to_owned(),
        Closed::Draining(drain) => match drain.deadline {
            Some(deadline) => format!("what runs is let end until {}", moment::utc(deadline)),
            None => "what runs is let end, however long it takes".to_owned(),
        },
    };
    Some(format!("Closed:      {how}  ({})", who(order, now)))
}

fn labels(status: &NodeStatus) -> Vec<String> {
    let shown = |(key, label): (&String, &capstan_types::node_status::LabelStatus)| {
        let own = status.hidden.get(key).map(|own| format!(", the node says {own}")).unwrap_or_default();
        let by = if label.by_operator { format!("  (an operator's{own})") } else { String::new() };
        text::line(&format!("{key}={}{by}", label.value))
    };
    let removed = status.hidden.iter().filter(|(key, _)| !status.labels.contains_key(*key));
    let removed = removed.map(|(key, own)| text::line(&format!("{key}-  (taken away by an operator, the node says {own})")));
    section("Labels", status.labels.iter().map(shown).chain(removed).collect())
}

fn conditions(conditions: &[Condition], now: UnixMillis) -> Vec<String> {
    let row = |condition: &Condition| {
        let since = if condition.since.0 == 0 { "-".to_owned() } else { moment::age(now, condition.since) };
        let (kind, holds) = (condition.kind.to_string(), if condition.holds { "True" } else { "False" }.to_owned());
        [kind, holds, since, condition.reason.clone(), text::line(&condition.message)]
    };
    section("Conditions", columns(Some(["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"]), conditions.iter().map(row).collect()))
}

fn room(status: &NodeStatus) -> Vec<String> {
    let Some(life) = &status.life else { return Vec::new() };
    let (capacity, reserved) = (life.capacity, status.reserved);
    let cpus = |milli: u64| format!("{}.{}", milli / 1000, milli % 1000 / 100);
    let all = u64::from(capacity.cpus) * 1000;
    let load = status.load.as_ref().map(|(load, _)| load);
    let running = load.map_or_else(|| "-".to_owned(), |load| (load.running + load.starting).to_string());
    let free =
        load.map_or_else(|| "-".to_owned(), |load| capacity.sessions.saturating_sub(load.running + load.starting).to_string());
    let rows = vec![
        ["sessions".to_owned(), capacity.sessions.to_string(), running, free],
        ["processors".to_owned(), cpus(all), cpus(reserved.cpu_milli), cpus(all.saturating_sub(reserved.cpu_milli))],
        [
            "memory".to_owned(),
            amount::bytes(capacity.memory_bytes),
            amount::bytes(reserved.memory_bytes),
            amount::bytes(capacity.memory_bytes.saturating_sub(reserved.memory_bytes)),
        ],
        ["workspaces".to_owned(), "-".to_owned(), reserved.workspaces.to_string(), "-".to_owned()],
    ];
    let mut lines = section("Room", columns(Some(["", "CAPACITY", "RESERVED", "ALLOCATABLE"]), rows));
    if let Some((load, age)) = &status.load {
        let show =
            |resource: Resource, amount: u64| if resource.in_bytes() { amount::bytes(amount) } else { amount::count(amount) };
        let row = |(resource, room): (&Resource, &Room)| {
            let refused = load.refused.get(resource).copied().unwrap_or(0);
            let short = if load.short.contains(resource) { "short" } else { "" };
            [
                resource.to_string(),
                show(*resource, room.free),
                show(*resource, room.total),
                amount::count(refused),
                short.to_owned(),
            ]
        };
        let rows = load.rooms.iter().map(row).collect();
        lines.extend(section(
            &format!("Host (told {} ago)", amount::span(*age)),
            columns(Some(["", "FREE", "TOTAL", "STARTS REFUSED", ""]), rows),
        ));
    }
    lines
}

fn sessions(sessions: &Result<Vec<Seen>, String>, now: UnixMillis) -> Vec<String> {
    let sessions = match sessions {
        Ok(sessions) => sessions,
        Err(why) => return vec![text::line(&format!("Sessions: not known: {why}"))],
    };
    let row = |seen: &Seen| {
        let started = moment::age(now, UnixMillis(seen.listed.started_at_ms));
        [seen.listed.session.to_string(), started, text::line(&seen.listed.argv.join(" ")).chars().take(80).collect()]
    };
    let mut lines = section("Sessions", columns(None, sessions.iter().take(SESSIONS).map(row).collect()));
    if sessions.len() > SESSIONS {
        lines.push(format!("  and {} more; `capstan sessions list` shows them", sessions.len() - SESSIONS));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::table::fixture;
    use super::*;
    use capstan_types::node_status::EventKind;

    #[test]
    fn all_that_is_known_of_a_node() {
        let all = fixture::some();
        let event = |kind, by: Option<&str>, text: &str| ClusterEvent {
            seq: 1,
            at: UnixMillis(fixture::NOW.0 - 5_000),
            kind,
            node: None,
            by: by.map(str::to_owned),
            text: text.into(),
        };
        let events = vec![
            event(EventKind::JOINED, None, "generation 3 at https://b.example:7401"),
            event(EventKind::named("draining".into()), Some("ann (uid 1000)"), "kernel update"),
        ];
        let around = Around { sessions: Err("it cannot be reached".into()), events };
        insta::assert_snapshot!(page(&all[1], &around, fixture::NOW).join("\n"));
        insta::assert_snapshot!(
            "an_absent_node",
            page(&all[3], &Around { sessions: Ok(Vec::new()), events: Vec::new() }, fixture::NOW).join("\n")
        );
    }
}
