//! Where the threads are: a coordinator that runs, or the store of this home, for which one without models is set up in this process, with a
//! node where workspaces are to be touched.

use crate::args::DaemonArgs;
use crate::client::{self, Client, Reach};
use crate::config::{self, Inputs, Layers, UserConfig};
use crate::embedded::{Door, Hands, Stack, node_config};
use crate::failure::Failure;
use crate::home::Home;
use crate::kept::Kept;
use crate::lone;
use crate::runner;
use crate::surroundings::Surroundings;
use capstan_coordinator::models::Providers;
use capstan_proto::transport::Listen;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// The way to the threads.
#[derive(Debug)]
pub(in crate::commands) enum Place {
    There(Reach),
    Here(Kept, Hands),
}

impl Place {
    /// The coordinator that is named, else the one that runs on this home, else its store.
    pub(super) fn of(daemon: &DaemonArgs, surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::chosen(daemon, surroundings, |_, _| Ok(Hands::Remote(Vec::new())))
    }

    /// The same, with hands for the workspaces of threads that commands ran on this host.
    pub(in crate::commands) fn with_workspaces(daemon: &DaemonArgs, surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::chosen(daemon, surroundings, |home, layers| {
            let (ceiling, watermarks) = (config::ceiling(layers)?, config::watermarks(layers)?);
            let node = node_config(home, surroundings, runner::find(surroundings)?, ceiling, watermarks)?;
            Ok(Hands::Embedded(Box::new(node)))
        })
    }

    fn chosen(
        daemon: &DaemonArgs,
        surroundings: &Surroundings,
        hands: impl FnOnce(&Home, &Layers) -> Result<Hands, Failure>,
    ) -> Result<Self, Failure> {
        if let Some(reach) = client::reach(daemon, surroundings)? {
            return Ok(Self::There(reach));
        }
        let home = Home::open(surroundings)?;
        if lone::is_claimed(&home) {
            return client::to(Listen::Unix(home.coordinator_socket()), daemon, surroundings).map(Self::There);
        }
        let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
        let (layers, _) = config::read(inputs)?;
        Ok(Self::Here(config::kept(&layers, &home, surroundings)?, hands(&home, &layers)?))
    }

    /// Does it with a client of what is there.
    pub(in crate::commands) async fn with<T, F>(self, act: impl FnOnce(Client) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match self {
            Self::There(reach) => act(Client::connect(reach).await?).await,
            Self::Here(kept, hands) => {
                let models = Arc::new(Providers::new(BTreeMap::new(), Box::new(|_: &str| None)));
                let stack = Stack::start(kept, models, hands, Door::default()).await?;
                let done = act(stack.client()).await;
                stack.leave().await;
                done
            }
        }
    }
}
