//! The way to a node that called: over the newest connection that it made.
//!
//! A grant is signed by the credentials that the node was shown when that connection was made, since it holds a grant against those.

use capstan_identity::credentials::Credentials;
use capstan_proto::token::Token;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::transport::Channel;

/// What the node knows this coordinator by on a connection.
#[derive(Debug, Clone)]
pub enum ShownAs {
    /// As the member with these credentials.
    Member(Arc<Credentials>),
    /// As one who has the token.
    Token(Token),
}

/// The way to one life of one node. Clones share it.
#[derive(Debug, Clone)]
pub struct DialedWay(Arc<Mutex<(Channel, ShownAs)>>);

impl DialedWay {
    /// Over this connection.
    #[must_use]
    pub fn over(channel: Channel, shown: ShownAs) -> Self {
        Self(Arc::new(Mutex::new((channel, shown))))
    }

    /// From now on over this one. What streams on the one before streams to its end.
    pub fn renewed(&self, channel: Channel, shown: ShownAs) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (channel, shown);
    }

    /// The newest connection.
    pub(super) fn newest(&self) -> (Channel, ShownAs) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
