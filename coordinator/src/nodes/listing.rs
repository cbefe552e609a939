//! What runs on a node, for operators.

use super::link::NodeLink;
use capstan_proto::convert::listing;
use capstan_proto::wire::node as wire;
use capstan_types::session::Listed;
use std::time::Duration;
use tonic::{Request, Status};

/// Pages that are read of one node at most: at a hundred sessions each, more than a node can run.
const MOST_PAGES: usize = 500;

/// How long a node may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

impl NodeLink {
    /// A page of the node's sessions that have not been released, oldest first, and the token of the next page if there is one. `page` is
    /// such a token, or nothing for the first page.
    ///
    /// # Errors
    /// The status the node answered with; `UNIMPLEMENTED` from one of an older release, `INTERNAL` for an answer that makes no sense.
    pub async fn sessions(&self, page: Option<String>) -> Result<(Vec<Listed>, Option<String>), Status> {
        let mut request = Request::new(wire::ListRequest { page_size: 0, page_token: page.unwrap_or_default() });
        request.set_timeout(DEADLINE);
        let answer = self.exec().list(request).await?.into_inner();
        listing::sessions(answer).map_err(|error| Status::internal(format!("the node's list makes no sense: {error}")))
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`NodeLink::sessions`]; `OUT_OF_RANGE` when there are more than 500 pages.
    pub async fn all_sessions(&self) -> Result<Vec<Listed>, Status> {
        let (mut all, mut page) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let (sessions, next) = self.sessions(page).await?;
            all.extend(sessions);
            if next.is_none() {
                return Ok(all);
            }
            page = next;
        }
        Err(Status::out_of_range(format!("the node has more than {MOST_PAGES} pages of sessions")))
    }
}
