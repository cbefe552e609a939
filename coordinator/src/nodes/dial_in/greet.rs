//! The first words with a node that calls.

use super::DialIn;
use crate::nodes::dialed::ShownAs;
use capstan_identity::audit::{Entry, Kind};
use capstan_proto::transport::dial::{Hello, dialed_channel, greet as hear, let_in, turn_away};
use capstan_proto::transport::tls::{Caller, DialedIn};
use capstan_types::node::{NodeAddress, NodeRecord};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tonic::transport::Channel;

/// A node that was let in.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) record: NodeRecord,
    pub(super) channel: Channel,
    pub(super) shown: ShownAs,
    /// Full as long as the connection is open.
    pub(super) open: Arc<Semaphore>,
}

/// Hears who it is, and lets it in or says why not.
pub(super) async fn greet(house: Arc<DialIn>, DialedIn { mut stream, known }: DialedIn) -> Option<Arrived> {
    let Hello { record, token } = match hear(&mut stream).await {
        Ok(hello) => hello,
        Err(error) => {
            house.refused(known.as_ref().map(|(caller, _)| caller), &format!("it did not say who it is: {error}"));
            return None;
        }
    };
    let shown = match house.judge(&record, token, known.as_ref().map(|(caller, _)| caller)) {
        Ok(None) => ShownAs::Member(known?.1),
        Ok(Some(token)) => ShownAs::Token(token),
        Err(reason) => {
            house.refused(known.as_ref().map(|(caller, _)| caller), &reason);
            turn_away(stream, &reason).await;
            return None;
        }
    };
    let_in(&mut stream, &house.name).await.ok()?;
    let open = Arc::new(Semaphore::new(1));
    let place = Arc::clone(&open).try_acquire_owned().ok()?;
    let channel = dialed_channel(stream, place).await.ok()?;
    let record = NodeRecord { address: NodeAddress::Dialed(house.name.to_string()), ..record };
    tracing::info!(node = %record.id, generation = %record.generation, "a node has dialed in");
    Some(Arrived { record, channel, shown, open })
}

impl DialIn {
    /// Passes a node that is who it says. With the token that it is asked by, where it has no certificate.
    fn judge(
        &self,
        record: &NodeRecord,
        token: Option<String>,
        caller: Option<&Caller>,
    ) -> Result<Option<capstan_proto::token::Token>, String> {
        if let Some(caller) = caller {
            let name = caller.peer().map(|peer| &peer.name);
            return match name.filter(|name| name.id.as_str() == record.id.as_str()) {
                Some(_) => Ok(None),
                None => Err(format!("its certificate is another's than that of the node `{}`", record.id)),
            };
        }
        match (&self.token, token) {
            (Some(own), Some(said)) if own.is(&said) => Ok(Some(own.clone())),
            (_, _) => Err("the token is wrong; use the token file that this coordinator shows when it starts".to_owned()),
        }
    }

    fn refused(&self, caller: Option<&Caller>, reason: &str) {
        let Some(membership) = &self.membership else {
            tracing::warn!(reason, "a node that dials in is refused");
            return;
        };
        let mut entry = Entry::new(Kind::Refused, caller.and_then(Caller::peer), "dial", reason.to_owned());
        entry.from = caller.and_then(Caller::from);
        membership.audit.write(entry);
    }
}
