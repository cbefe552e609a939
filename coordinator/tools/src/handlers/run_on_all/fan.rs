//! The command on each host: started, read to its end, and ended where its time is over.

use super::group::{Answer, grouped, told};
use crate::fault::ToolFault;
use crate::format::{MAX_OUTPUT_TOKENS, ended};
use crate::handlers::exec_command::variables;
use crate::host::{HostError, SessionEvent, SessionReader, StartSession};
use crate::hosts::{Hosts, Station};
use crate::invocation::{CallContext, CallResult};
use crate::release::Release;
use capstan_types::call::{Call, Outcome};
use capstan_types::clamp::HeadTail;
use capstan_types::id::{NodeId, SessionId};
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::output::Piece;
use capstan_types::output::clean::Cleaner;
use capstan_types::policy::SandboxPolicy;
use capstan_types::time::Millis;
use futures::stream::{self, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// On how many hosts the command is at a time; the rest wait their turn, before their deadline begins.
const AT_ONCE: usize = 32;

/// How much of each end of a host's output is kept.
const KEPT: usize = 32 * 1024;

/// How long after its deadline a host may take to say how the command ended. The host itself ends it at the deadline.
const GRACE: Duration = Duration::from_secs(15);

/// A command for several hosts.
pub(super) struct Fan<'a> {
    pub(super) call: &'a Call,
    pub(super) context: &'a CallContext,
    pub(super) all: Arc<dyn Hosts>,
    pub(super) argv: Vec<String>,
    pub(super) workdir: Option<String>,
    pub(super) deadline: Duration,
    pub(super) widened: Option<SandboxPolicy>,
}

/// What came of it on one host.
#[derive(Debug)]
struct Reply {
    host: NodeId,
    session: Option<SessionId>,
    came: Came,
    output: String,
}

#[derive(Debug)]
enum Came {
    Ended(SessionEnd),
    /// Nothing was started.
    Not(String),
    /// Whether it ran to its end is not known.
    Unknown(String),
}

impl Fan<'_> {
    /// Runs it on these hosts, and tells what came of it.
    pub(super) async fn run(self, hosts: Vec<NodeId>, max_tokens: u64) -> Result<CallResult, ToolFault> {
        let began = Instant::now();
        let one = &self;
        let replies: Vec<_> = stream::iter(hosts).map(|host| one.on(host)).buffered(AT_ONCE).collect().await;
        self.context.sessions.fan_in(self.call.id);
        let replies = replies.into_iter().collect::<Result<Vec<Reply>, ToolFault>>()?;
        let release = |reply: &Reply| Some(Release { node: reply.host.clone(), session: reply.session? });
        let release = replies.iter().filter(|reply| matches!(reply.came, Came::Ended(_))).filter_map(release).collect();
        let outcome = outcome(&replies);
        let head = format!("{} in {:.1} seconds:\n", summary(&replies), began.elapsed().as_secs_f64());
        let answers =
            replies.into_iter().map(|reply| (reply.host, Answer { standing: standing(&reply.came), output: reply.output }));
        let output = head + &told(&grouped(answers), max_tokens.min(MAX_OUTPUT_TOKENS));
        Ok(CallResult { outcome, output, release, changes: Vec::new(), picture: None })
    }

    async fn on(&self, host: NodeId) -> Result<Reply, ToolFault> {
        let not = |reason: String| Reply { host: host.clone(), session: None, came: Came::Not(reason), output: String::new() };
        let station = match self.all.station(&host).await {
            Ok(station) => station,
            Err(no) => return Ok(not(no.to_string())),
        };
        let request = match self.request(&station) {
            Ok(request) => request,
            Err(reason) => return Ok(not(reason)),
        };
        let mut seen = Seen { session: None, output: HeadTail::new(KEPT), cleaner: Cleaner::new(self.context.cleaning) };
        let ended = timeout(self.deadline + GRACE, self.see(&station, request, &mut seen)).await;
        let came = match ended {
            Ok(Ok(end)) => Came::Ended(end),
            Ok(Err(HostError::Fenced)) => return Err(ToolFault::Fenced),
            Ok(Err(error @ (HostError::NotStarted(_) | HostError::Busy { .. }))) => Came::Not(error.to_string()),
            Ok(Err(error)) => Came::Unknown(error.to_string()),
            Err(_) => Came::Unknown(format!("it did not report within {} s", (self.deadline + GRACE).as_secs())),
        };
        Ok(Reply { host, session: seen.session, came, output: seen.text() })
    }

    fn request(&self, station: &Station) -> Result<StartSession, String> {
        let cwd = match &self.workdir {
            None => station.cwd.clone(),
            Some(dir) => station.cwd.join(dir).map_err(|error| format!("`workdir`: {error}"))?,
        };
        let limits = self.context.limits;
        let deadline = Millis::of(self.deadline);
        let total = limits.total.map_or(deadline, |total| total.min(deadline));
        Ok(StartSession {
            call: self.call.id,
            attempt: self.call.attempt,
            argv: self.argv.clone(),
            cwd,
            env: variables(self.call, self.context),
            stdio: Stdio::PipesNoInput,
            policy: self.widened.clone().unwrap_or_else(|| station.policy.clone()),
            limits: SessionLimits { total: Some(total), ..limits },
        })
    }

    async fn see(&self, station: &Station, request: StartSession, seen: &mut Seen) -> Result<SessionEnd, HostError> {
        let mut reader: Box<dyn SessionReader> = station.host.start(request).await?;
        loop {
            match reader.next().await? {
                SessionEvent::Started { session, .. } => {
                    seen.session = Some(session);
                    // From here on an interrupt of the turn can end it.
                    self.context.sessions.fan_out(self.call.id, Arc::clone(&station.host), session);
                }
                SessionEvent::Output(piece) => seen.take_in(&piece),
                SessionEvent::Denied(_) => {}
                SessionEvent::Ended { end, .. } => return Ok(end),
            }
        }
    }
}

/// What was seen of one session.
struct Seen {
    session: Option<SessionId>,
    output: HeadTail,
    cleaner: Cleaner,
}

impl Seen {
    fn take_in(&mut self, piece: &Piece) {
        let mut clean = String::new();
        match piece {
            Piece::Bytes { bytes, .. } => self.cleaner.push(bytes, &mut clean),
            Piece::Gap { .. } => self.cleaner.finish(&mut clean),
        }
        self.output.push(clean.as_bytes());
        if let Piece::Gap { bytes, .. } = piece {
            self.output.push_gap(*bytes);
        }
    }

    fn text(mut self) -> String {
        let mut clean = String::new();
        self.cleaner.finish(&mut clean);
        self.output.push(clean.as_bytes());
        self.output.clamp(MAX_OUTPUT_TOKENS).text
    }
}

fn standing(came: &Came) -> String {
    match came {
        Came::Ended(end) => ended(end, None),
        Came::Not(reason) => format!("Not started: {reason}"),
        Came::Unknown(reason) => {
            format!("Outcome unknown: {reason}. The output is the last that was seen; check what it did before you run it again.")
        }
    }
}

fn summary(replies: &[Reply]) -> String {
    let count = |which: fn(&Came) -> bool| replies.iter().filter(|reply| which(&reply.came)).count();
    let parts = [
        (count(|came| matches!(came, Came::Ended(SessionEnd::Exited { code: 0 }))), "exited with code 0"),
        (count(|came| matches!(came, Came::Ended(end) if *end != SessionEnd::Exited { code: 0 })), "ended otherwise"),
        (count(|came| matches!(came, Came::Not(_))), "not started"),
        (count(|came| matches!(came, Came::Unknown(_))), "with an unknown outcome"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}")).collect();
    format!("Of {} hosts, {}", replies.len(), parts.join(", "))
}

/// The truth about all of them together: the worst.
fn outcome(replies: &[Reply]) -> Outcome {
    let unknown = replies.iter().find_map(|reply| match &reply.came {
        Came::Unknown(reason) => Some((reply, reason)),
        Came::Ended(_) | Came::Not(_) => None,
    });
    if let Some((reply, reason)) = unknown {
        let reason = format!("host {}: {reason}", reply.host);
        return Outcome::Unknown { reason, node: Some(reply.host.clone()), session: reply.session };
    }
    let mut ends = replies.iter().filter_map(|reply| match &reply.came {
        Came::Ended(end) => Some(end),
        Came::Not(_) | Came::Unknown(_) => None,
    });
    let bad = ends.clone().find(|end| **end != SessionEnd::Exited { code: 0 }).cloned();
    let refused = replies.iter().find_map(|reply| match &reply.came {
        Came::Not(reason) => Some(format!("host {}: {reason}", reply.host)),
        Came::Ended(_) | Came::Unknown(_) => None,
    });
    match (ends.next(), refused) {
        (None, refused) => Outcome::NotStarted { reason: refused.unwrap_or_else(|| "no host was named".to_owned()) },
        // It ran on some, and the others are told of: that is no success.
        (Some(_), Some(refused)) => Outcome::Finished { end: bad.or(Some(SessionEnd::Unknown { reason: refused })) },
        (Some(_), None) => Outcome::Finished { end: bad },
    }
}
