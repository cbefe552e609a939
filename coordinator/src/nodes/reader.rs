//! Reads one session's events from a node, and goes on where it was when the connection breaks.
//!
//! Invariant: no byte is given twice and none is passed over, because every piece carries its sequence number and a broken stream is
//! taken up again at the first byte that has not been given.

use super::failure::{may_be_repeated, of_status};
use super::link::NodeLink;
use async_trait::async_trait;
use capstan_proto::wire::node as wire;
use capstan_tools::host::{HostError, SessionReader};
use capstan_types::grant::{Act, Asked, Said};
use capstan_types::id::SessionId;
use capstan_types::output::Seq;
use capstan_types::output::seal::Seal;
use capstan_types::output::verify::{Verdict, Verifier};
use capstan_types::session::{Authority, SessionEvent};
use std::time::Duration;
use tonic::{Response, Status, Streaming};

/// The waits before a broken stream is asked for again. After the last, whoever reads is told that the node is away, and may attach again.
const RETRY_WAITS: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_500)];

/// How many bytes are held against a hash: more than head and tail keep unless they are asked to. Of longer output it is only known whether
/// something is missing.
const MOST_HASHED: u64 = 4 << 20;

/// The longest that one attempt to take up a stream may take.
const ATTACH_DEADLINE: Duration = Duration::from_secs(5);

/// Reads the events of one session.
#[derive(Debug)]
pub struct LinkReader {
    link: NodeLink,
    authority: Authority,
    session: Option<SessionId>,
    next: Seq,
    /// An event that has been read already, and not been given.
    first: Option<wire::SessionEvent>,
    stream: Option<Streaming<wire::SessionEvent>>,
    /// What has been read, to be held against what the node says was kept.
    verifier: Option<Verifier>,
    // Attempts since the last event, so that a node which accepts and breaks off at once is given up too.
    attempts: usize,
}

impl LinkReader {
    /// A reader of a stream that begins at `next`. `session` is known when the stream attaches, and told by it when it starts one.
    pub(super) fn new(
        link: NodeLink,
        authority: Authority,
        session: Option<SessionId>,
        next: Seq,
        stream: Streaming<wire::SessionEvent>,
    ) -> Self {
        let verifier = Some(Verifier::new(next, MOST_HASHED));
        Self { link, authority, session, next, first: None, stream: Some(stream), verifier, attempts: 0 }
    }

    /// The same, with an event before all others of the stream.
    pub(super) fn after(self, first: wire::SessionEvent) -> Self {
        Self { first: Some(first), ..self }
    }

    fn note(&mut self, event: &SessionEvent) {
        self.attempts = 0;
        match event {
            SessionEvent::Started { session, .. } => self.session = Some(*session),
            SessionEvent::Output(piece) => {
                self.next = piece.end();
                self.verifier.iter_mut().for_each(|verifier| verifier.add(piece));
            }
            SessionEvent::Denied(_) => {}
            SessionEvent::Ended { seal, .. } => {
                self.stream = None;
                self.verify(seal.as_deref());
            }
        }
    }

    /// Says it when what was read is not what was kept. The session's end is its end all the same.
    fn verify(&mut self, seal: Option<&Seal>) {
        let verdict = self.verifier.take().map(|verifier| verifier.end(seal, false));
        if let Some(verdict) = verdict.filter(Verdict::is_bad) {
            let (node, session) = (&self.link.record().id, self.session.map(tracing::field::display));
            tracing::warn!(%node, session, "{verdict}; look at the disk that holds the node's state");
        }
    }

    async fn reattach(&mut self, broken: Status) -> Result<(), HostError> {
        let node = self.link.record().id.clone();
        let Some(session) = self.session else { return Err(of_status(&node, &broken)) };
        let mut last = broken;
        while let Some(wait) = RETRY_WAITS.get(self.attempts) {
            if !may_be_repeated(&last) {
                return Err(of_status(&node, &last));
            }
            self.attempts += 1;
            tokio::time::sleep(*wait).await;
            match attach(&self.link.newest(), &self.authority, session, self.next).await {
                Ok(stream) => {
                    self.stream = Some(stream.into_inner());
                    return Ok(());
                }
                Err(status) => last = status,
            }
        }
        Err(of_status(&node, &last))
    }
}

#[async_trait]
impl SessionReader for LinkReader {
    async fn next(&mut self) -> Result<SessionEvent, HostError> {
        loop {
            let Some(stream) = self.stream.as_mut() else { return Err(HostError::NoSession) };
            // A session may be silent for hours. What bounds this wait is the channel's keepalive, which finds a dead peer.
            let event = match self.first.take() {
                Some(first) => Ok(Some(first)),
                None => stream.message().await,
            };
            let broken = match event {
                Ok(Some(event)) => {
                    let event = SessionEvent::try_from(event)
                        .map_err(|error| HostError::Lost { node: self.link.record().id.clone(), reason: error.to_string() })?;
                    self.note(&event);
                    return Ok(event);
                }
                Ok(None) => Status::unavailable("the node closed the stream before the session's end"),
                Err(status) => status,
            };
            self.reattach(broken).await?;
        }
    }
}

/// Opens a stream of `session` at `from`.
pub(super) fn attach(
    link: &NodeLink,
    authority: &Authority,
    session: SessionId,
    from: Seq,
) -> impl Future<Output = Result<Response<Streaming<wire::SessionEvent>>, Status>> + use<> {
    let request = wire::AttachRequest {
        authority: Some(authority.into()),
        session_id: session.to_string(),
        from_seq: from.0,
        whole: false,
    };
    let mut node = link.exec_for(&Asked { authority, act: Act::Session(session, Said::Attach), policy: None });
    async move {
        match tokio::time::timeout(ATTACH_DEADLINE, node.attach(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::unavailable("the node did not answer in time")),
        }
    }
}
