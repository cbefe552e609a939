//! The coordinator that a command works with: one in its own process, or another's.

use crate::client::{Client, Reach};
use crate::embedded::{Door, Hands, Stack};
use crate::failure::Failure;
use crate::kept::Kept;
use capstan_coordinator::models::Models;
use std::sync::Arc;

/// Where a command's turn is to run.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this process.
    Here {
        /// Where the thread is kept.
        kept: Kept,
        /// Who answers.
        models: Arc<dyn Models>,
        /// Where the sessions run.
        hands: Hands,
    },
    /// At a coordinator in another process.
    There(Reach),
}

/// A coordinator that is ready.
#[derive(Debug)]
pub enum Engaged {
    /// In this process, with which it ends.
    Here(Box<Stack>),
    /// In another, which goes on.
    There(Box<Client>),
}

impl Engaged {
    /// Starts it, or connects to it.
    ///
    /// # Errors
    /// A part does not start, or nobody is there who lets us in.
    pub async fn at(place: Place) -> Result<Self, Failure> {
        match place {
            Place::Here { kept, models, hands } => {
                Ok(Self::Here(Box::new(Stack::start(kept, models, hands, Door::default()).await?)))
            }
            Place::There(reach) => Ok(Self::There(Box::new(Client::connect(reach).await?))),
        }
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        match self {
            Self::Here(stack) => stack.client(),
            Self::There(client) => Client::clone(client),
        }
    }

    /// Ends with it what is this process's.
    pub async fn shutdown(self) {
        match self {
            Self::Here(stack) => stack.shutdown().await,
            Self::There(_) => {}
        }
    }
}
