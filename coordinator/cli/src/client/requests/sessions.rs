//! What is asked of a coordinator about sessions.

use super::super::error::ClientError;
use super::{ASK_DEADLINE, Requests, within};
use bytes::Bytes;
use capstan_proto::wire::client as wire;
use capstan_types::launch::TermSize;
use capstan_types::operator::{Person, SessionName};
use capstan_types::output::Seq;
use std::time::Duration;
use tonic::Streaming;

/// The longest that a list may take: the coordinator waits for its nodes.
const LIST_DEADLINE: Duration = Duration::from_secs(20);

/// The longest that an act may take: the coordinator waits for the node, and that for the session's holder.
const ACT_DEADLINE: Duration = Duration::from_secs(20);

/// Which sessions are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Those of this node.
    pub node: Option<String>,
    /// Those that have not ended.
    pub live: bool,
}

impl Requests {
    pub(in super::super) async fn sessions(&mut self, filter: SessionFilter) -> Result<wire::ListSessionsResponse, ClientError> {
        let live = [wire::SessionState::Starting, wire::SessionState::Running].map(i32::from);
        let states = if filter.live { live.to_vec() } else { Vec::new() };
        let node_id = filter.node.unwrap_or_default();
        let request = wire::ListSessionsRequest { thread_id: String::new(), node_id, states, limit: 0 };
        within("list its sessions", LIST_DEADLINE, self.sessions.list(request)).await
    }

    pub(in super::super) async fn attach(
        &mut self,
        name: &SessionName,
        by: &Person,
        from: Seq,
        whole: bool,
    ) -> Result<Streaming<wire::SessionEvent>, ClientError> {
        let request = wire::AttachSessionRequest { name: Some(name.into()), by: by.to_string(), from_seq: from.0, whole };
        within("send the session's output", ASK_DEADLINE, self.sessions.attach(request)).await
    }

    pub(in super::super) async fn write_session(
        &mut self,
        name: &SessionName,
        by: &Person,
        data: Bytes,
        close: bool,
    ) -> Result<(), ClientError> {
        let request = wire::WriteSessionRequest { name: Some(name.into()), by: by.to_string(), data, close };
        within("write to the session", ACT_DEADLINE, self.sessions.write(request)).await.map(drop)
    }

    pub(in super::super) async fn signal_session(
        &mut self,
        name: &SessionName,
        by: &Person,
        signal: i32,
    ) -> Result<(), ClientError> {
        let request = wire::SignalSessionRequest { name: Some(name.into()), by: by.to_string(), signal };
        within("send the signal", ACT_DEADLINE, self.sessions.signal(request)).await.map(drop)
    }

    pub(in super::super) async fn resize_session(
        &mut self,
        name: &SessionName,
        by: &Person,
        size: TermSize,
    ) -> Result<(), ClientError> {
        let (rows, cols) = (size.rows.into(), size.cols.into());
        let request = wire::ResizeSessionRequest { name: Some(name.into()), by: by.to_string(), rows, cols };
        within("resize the session's terminal", ACT_DEADLINE, self.sessions.resize(request)).await.map(drop)
    }

    pub(in super::super) async fn kill_session(&mut self, name: &SessionName, by: &Person) -> Result<(), ClientError> {
        let request = wire::KillSessionRequest { name: Some(name.into()), by: by.to_string() };
        within("end the session", ACT_DEADLINE, self.sessions.kill(request)).await.map(drop)
    }
}
