//! Starts sessions, each attempt of a call once, whatever becomes of the node meanwhile.

use super::{ANOTHER_LIFE_WITHIN, ANSWER_DEADLINE, NodeHost, within};
use crate::crash_point;
use crate::nodes::failure::may_be_repeated;
use crate::nodes::link::NodeLink;
use crate::nodes::patience::Patience;
use capstan_proto::wire::node as wire;
use capstan_tools::host::{HostError, StartSession};
use capstan_types::grant::{Act, Asked, policy_digest};
use capstan_types::node::JournalState;
use capstan_types::output::Seq;
use capstan_types::session::StartCall;
use std::time::Duration;
use tonic::{Code, Status, Streaming};

/// The waits before a start or a patch is sent again to a node that cannot be reached: it may be being started anew. Both may be repeated: the node
/// does a call's attempt once.
pub(super) const WAITS: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
];

impl NodeHost {
    /// Starts a session, and gives its first event and the others. Until the first is here it is as if nobody had been asked: a connection that breaks before
    /// is no reason to know less.
    pub(super) async fn begin(
        &self,
        session: StartSession,
    ) -> Result<(wire::SessionEvent, Streaming<wire::SessionEvent>), HostError> {
        let (act, policy) = (Act::Start(session.call, session.attempt), policy_digest(&session.policy, Some(&session.limits)));
        let request = self.request(session);
        let asked = Asked { authority: &self.authority, act, policy: Some(policy) };
        crash_point::reached("node.starting");
        let (mut waits, mut patience) = (WAITS.iter(), Patience::WITH_A_FULL_NODE);
        // The life that may have started it, and did not say so.
        let mut silent: Option<NodeLink> = None;
        let mut link = self.link.newest();
        let begun = loop {
            if silent.as_ref().is_some_and(|silent| !remembers(&link, silent)) {
                let reason = "it began another life while it was being asked, and has lost its journal".to_owned();
                return Err(HostError::Lost { node: link.record().id.clone(), reason });
            }
            let (mut node, request) = (link.exec_for(&asked), request.clone());
            let status = match within(ANSWER_DEADLINE, async move { node.start(request).await }).await {
                Ok(mut stream) => match stream.message().await {
                    Ok(Some(first)) => break (first, stream),
                    Ok(None) => Status::unavailable("the node closed the stream before the session began"),
                    Err(status) => status,
                },
                Err(status) => status,
            };
            if let Some(wait) = patience.wait(&self.failed(&status)) {
                tokio::time::sleep(wait).await;
                link = self.link.newest();
                continue;
            }
            if status.code() == Code::PermissionDenied {
                link = link.another(ANOTHER_LIFE_WITHIN).await.ok_or_else(|| self.failed(&status))?;
                continue;
            }
            match waits.next() {
                Some(wait) if may_be_repeated(&status) => tokio::time::sleep(*wait).await,
                _ => return Err(self.failed(&status)),
            }
            silent.get_or_insert(link);
            link = self.link.newest();
        };
        crash_point::reached("node.started");
        Ok(begun)
    }

    fn request(&self, session: StartSession) -> wire::StartRequest {
        (&StartCall {
            authority: self.authority.clone(),
            call: session.call,
            attempt: session.attempt,
            argv: session.argv,
            cwd: session.cwd,
            env: session.env,
            stdio: session.stdio,
            policy: session.policy,
            limits: session.limits,
            from: Seq(0),
        })
            .into()
    }
}

/// Whether the node in this life knows what it was asked in that one.
fn remembers(now: &NodeLink, then: &NodeLink) -> bool {
    now.record().generation == then.record().generation || now.record().journal == JournalState::Kept
}
