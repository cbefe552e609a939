//! `capstan events`: what happened to nodes, and what happens.

use super::nodes::{filter, reach, refused};
use crate::args::{EventOutput, EventsArgs};
use crate::client::{Client, ClientError, EventStream};
use crate::failure::{self, Exit, Failure};
use crate::render::{moment, text};
use crate::runtime;
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use capstan_types::node_status::{ClusterEvent, Told};
use serde_json::json;
use std::io::{self, Write};

/// Runs the command.
///
/// # Errors
/// What was given cannot be used (exit code 2); the coordinator does not answer, or was lost (1).
pub fn run(args: &EventsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let (reach, filter) = (reach(&args.daemon, surroundings)?, filter(&args.which)?);
    let since = args.since.map_or(0, |time| moment::now().0.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
    runtime::block_on(async {
        let mut signals = Signals::listen().map_err(Failure::bad_input)?;
        let mut client = Client::connect(reach).await?;
        let stream = client.node_events(filter, since, args.watch).await.map_err(|error| refused(&error))?;
        tokio::select! {
            shown = show(stream, args) => shown,
            // Whoever watches has seen enough.
            _ = signals.next() => Ok(Exit::Success),
        }
    })
}

async fn show(mut stream: EventStream, args: &EventsArgs) -> Result<Exit, Failure> {
    if args.output.is_none() && !args.no_headers && !line(HEADS) {
        return Ok(Exit::Success);
    }
    loop {
        let told = match stream.next().await {
            Ok(Some(told)) => told,
            Ok(None) if args.watch => return Err(lost(None)),
            Ok(None) => return Ok(Exit::Success),
            Err(error) if args.watch => return Err(lost(Some(&error))),
            Err(error) => return Err(refused(&error)),
        };
        let is_read = match (told, args.output) {
            (Told::Dropped(count), Some(EventOutput::Json)) => line(&json!({ "dropped": count }).to_string()),
            (Told::Dropped(count), None) => {
                failure::warn(&mut io::stderr(), &format!("{count} older events are forgotten"));
                true
            }
            (Told::Event(event), Some(EventOutput::Json)) => line(&object(&event)),
            (Told::Event(event), None) => line(&row(&event)),
        };
        if !is_read {
            return Ok(Exit::Success);
        }
    }
}

fn lost(error: Option<&ClientError>) -> Failure {
    let why = error.map(|error| format!(" ({})", error.reason())).unwrap_or_default();
    Failure::failed(format!("the coordinator tells no more{why}"))
        .hint("run the command again when it is back; --since leaves out what you have seen")
}

/// Widths are fixed, since nobody knows what comes.
const HEADS: &str = "TIME                  NODE              EVENT        BY                    WHAT";

fn row(event: &ClusterEvent) -> String {
    let node = event.node.as_ref().map_or("-", |node| node.as_str());
    let by = event.by.as_deref().unwrap_or("-");
    let line = format!("{:<20}  {node:<16}  {:<11}  {by:<20}  {}", moment::utc(event.at), event.kind, event.text);
    text::line(&line).trim_end().to_owned()
}

fn object(event: &ClusterEvent) -> String {
    json!({
        "seq": event.seq, "at": moment::utc(event.at), "at_ms": event.at.0, "event": event.kind.as_str(),
        "node": event.node.as_ref().map(ToString::to_string), "by": event.by, "text": event.text,
    })
    .to_string()
}

/// Whether somebody reads on.
fn line(line: &str) -> bool {
    let mut out = io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::node_status::EventKind;
    use capstan_types::time::UnixMillis;

    #[test]
    fn an_event_is_a_line_for_people_and_an_object_for_programs() {
        let event = ClusterEvent {
            seq: 7,
            at: UnixMillis(1_795_399_712_345),
            kind: EventKind::named("cordoned".into()),
            node: Some("a".parse().unwrap()),
            by: Some("ann (uid 1000)".into()),
            text: "kernel\nupdate".into(),
        };
        let told = format!("{}\n{}", row(&event), object(&event));
        let other =
            ClusterEvent { node: None, by: None, kind: EventKind::NOT_PLACED, text: "no node is registered".into(), ..event };
        insta::assert_snapshot!([HEADS.to_owned(), told, row(&other)].join("\n"));
    }
}
