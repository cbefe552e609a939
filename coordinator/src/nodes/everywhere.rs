//! The sessions of all nodes at once.

use super::link::NodeLink;
use capstan_types::id::NodeId;
use capstan_types::operator::Seen;
use capstan_types::session::Listed;
use std::time::Duration;
use tonic::Status;

/// How long the list of one node may take, all pages together.
const DEADLINE: Duration = Duration::from_secs(15);

/// What runs on several nodes.
#[derive(Debug, Default)]
pub struct Everywhere {
    /// The sessions, oldest first.
    pub sessions: Vec<Seen>,
    /// The nodes that did not tell, and why.
    pub silent: Vec<(NodeId, String)>,
    /// Whether there are more.
    pub more: bool,
}

/// Asks these nodes, side by side, for the sessions that are `wanted`; at most `most` of each, and of all.
pub async fn everywhere(links: Vec<NodeLink>, most: usize, wanted: impl Fn(&Listed) -> bool + Sync) -> Everywhere {
    let asked = links.into_iter().map(|link| {
        let wanted = &wanted;
        async move {
            let answer = match tokio::time::timeout(DEADLINE, all_of(&link, most, wanted)).await {
                Ok(answer) => answer.map_err(|status| reason(&status)),
                Err(_) => Err(format!("it did not answer within {} s", DEADLINE.as_secs())),
            };
            (link.record().id.clone(), answer)
        }
    });
    let mut all = Everywhere::default();
    for (node, answer) in futures::future::join_all(asked).await {
        match answer {
            Err(reason) => all.silent.push((node, reason)),
            Ok((listed, more)) => {
                all.more |= more;
                all.sessions.extend(listed.into_iter().map(|listed| Seen { node: node.clone(), listed, number: None }));
            }
        }
    }
    all.sessions.sort_by_key(|seen| (seen.listed.started_at_ms, seen.listed.session));
    all.more |= all.sessions.len() > most;
    all.sessions.truncate(most);
    all
}

async fn all_of(link: &NodeLink, most: usize, wanted: &(impl Fn(&Listed) -> bool + Sync)) -> Result<(Vec<Listed>, bool), Status> {
    let (mut all, mut page) = (Vec::new(), None);
    loop {
        let (sessions, next) = link.sessions(page).await?;
        all.extend(sessions.into_iter().filter(wanted));
        match next {
            Some(_) if all.len() > most => return Ok((all, true)),
            Some(next) => page = Some(next),
            None => return Ok((all, false)),
        }
    }
}

fn reason(status: &Status) -> String {
    match status.code() {
        tonic::Code::Unimplemented => "it is of an older release, which tells no sessions".to_owned(),
        tonic::Code::Unavailable => "it cannot be reached".to_owned(),
        tonic::Code::Unauthenticated => "it does not let this coordinator in; its token is wrong".to_owned(),
        _ => status.message().to_owned(),
    }
}
