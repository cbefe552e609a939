//! `capstan coordinator`: a coordinator as a daemon, so that turns outlive the commands that start them.

use super::cluster::own_name;
use super::exec::every_provider;
use crate::args::CoordinatorArgs;
use crate::config::{self, ChosenRegistry, Inputs, Layers, UserConfig, auth::KeyRing};
use crate::daemon::{Configuration, DaemonSignals, Wished};
use crate::embedded::{Door, Hands, Stack, named_node, node_config};
use crate::failure::{self, Exit, Failure};
use crate::home::Home;
use crate::kept::Kept;
use crate::line;
use crate::lone;
use crate::membership::{self, Joining, Keeper, Member};
use crate::monitor;
use crate::surroundings::Surroundings;
use crate::telemetry::{self, Telemetry};
use crate::{runner, runtime, token_file};
use capstan_agent_node::{CheckpointDir, NodeConfig, StateDir};
use capstan_coordinator::models::{Models, Replaceable, Scripted, open_script};
use capstan_coordinator::{RegistryLocation, ServeError, StoreLocation};
use capstan_identity::issuer::Issuer;
use capstan_proto::transport::Listen;
use capstan_runtime::monitor::Monitor;
use capstan_runtime::service_manager;
use capstan_types::principal::Role;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What takes effect without a restart, besides `auth.json`.
const RELOADED: &[&str] = &["model_providers", "prices", "node.watermarks", "node.ceiling", "ownerless_timeout_ms"];

/// Sessions that the node in this process is ready for ahead of their start.
const PREPARED: u32 = 2;

/// Runs the coordinator until a signal asks for its end. Its sessions live on until their ownerless time.
///
/// # Errors
/// What was given cannot be used, another coordinator runs on this home, or this one cannot go on.
pub fn run(args: &CoordinatorArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let home = Home::open(surroundings)?;
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    let (layers, unknown) = config::read(inputs)?;
    unknown.iter().for_each(|key| failure::warn(&mut io::stderr(), &key.warning()));
    let telemetry = Telemetry::for_daemon(&layers, surroundings)?;
    let listen = listen(args, &home)?;
    let models = models(args, &layers, &home, surroundings)?;
    let kept = config::kept(&layers, &home, surroundings)?;
    let _lone = lone::claim(&home)?;
    let over_tcp = listen.iter().any(|listen| matches!(listen, Listen::Tcp(_)));
    let token_file = args.token_file.clone().or_else(|| over_tcp.then(|| home.coordinator_token()));
    let token = token_file.as_deref().map(token_file::read_or_make).transpose()?;
    let hands = hands(args, &home, &layers, token_file.as_deref(), surroundings)?;
    let _telemetry = telemetry::start("capstan-coordinator", &telemetry)?;
    // Of a line one coordinator lives at a time, which the claim sees to.
    let line = match &kept.store {
        StoreLocation::Postgres(_) => line::among_others(&home)?,
        StoreLocation::Sqlite(_) | StoreLocation::Ephemeral => line::ALONE.to_owned(),
    };
    let ChosenRegistry { location, .. } = config::registry(args.registry.as_deref(), &layers, surroundings)?;
    let door = Door {
        line: Some(line),
        listen,
        token,
        orders: Some(home.node_orders()),
        grace: Duration::from_secs(args.grace),
        ..Door::default()
    };
    let configuration = Configuration::read(home.path().as_path().to_owned(), layers, RELOADED);
    let (models, scripted) = (Arc::new(Replaceable::new(models)), args.script.is_some());
    let take = |layers: &Layers| match scripted {
        true => Ok(None),
        false => Ok(Some(every_provider(layers, keys(&home, surroundings)?)?)),
    };
    let joining = Joining::of_words(args.join.as_deref())?;
    runtime::block_on(async {
        let (member, issuer) = member(args, &home, joining.as_ref(), &location, surroundings).await?;
        let to_members = door.listen.iter().find(|listen| matches!(listen, Listen::Tls(_)));
        if let (Some(listen), None) = (to_members, &member) {
            // Before a node is started for nothing.
            return Err(Failure::bad_input(ServeError::MembershipRequired(listen.clone())));
        }
        let door = Door { membership: member.as_ref().map(|member| member.membership.clone()), issuer, ..door };
        let _keeper = member.map(|member| Keeper::start(&member.membership.live, member.source));
        serve((kept, models, hands, door), (configuration, &take), token_file, args.monitor).await
    })
}

/// The member of a cluster that this coordinator is, and the cluster's authority if it holds that.
async fn member(
    args: &CoordinatorArgs,
    home: &Home,
    joining: Option<&Joining>,
    location: &RegistryLocation,
    surroundings: &Surroundings,
) -> Result<(Option<Member>, Option<Arc<Issuer>>), Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        // Asked for only by whoever is a member.
        None => own_name().or_else(|_| "coordinator".parse().map_err(Failure::bad_input))?,
    };
    let cluster = match &args.cluster {
        Some(dir) => Some(surroundings.absolute(dir)?.as_path().to_owned()),
        None => membership::holds_authority(home).then(|| home.cluster()),
    };
    match cluster {
        Some(_) if joining.is_some() => {
            Err(Failure::bad_input("this home holds the authority of a cluster, and cannot join another")
                .hint("set CAPSTAN_HOME to another directory"))
        }
        Some(dir) => {
            let issuer = membership::issuer_in(&dir, || Ok(location.clone()))?;
            let (member, issuer) = membership::authority(home, issuer, &name).await?;
            Ok((Some(member), Some(issuer)))
        }
        None => Ok((membership::joined(home, Role::Coordinator, &name, joining).await?, None)),
    }
}

/// The home's own socket first.
fn listen(args: &CoordinatorArgs, home: &Home) -> Result<Vec<Listen>, Failure> {
    let given = args.listen.iter().map(|text| text.parse()).collect::<Result<Vec<Listen>, _>>();
    let given = given.map_err(|error| Failure::bad_input(format!("--listen: {error}")))?;
    let own = Listen::Unix(home.coordinator_socket());
    Ok([own.clone()].into_iter().chain(given.into_iter().filter(|place| *place != own)).collect())
}

/// Every provider that the configuration knows. A key that is missing is told to whoever asks for its provider.
fn models(args: &CoordinatorArgs, layers: &Layers, home: &Home, surroundings: &Surroundings) -> Result<Arc<dyn Models>, Failure> {
    if let Some(script) = &args.script {
        return Ok(Arc::new(Scripted(open_script(script).map_err(Failure::bad_input)?)));
    }
    every_provider(layers, keys(home, surroundings)?)
}

fn keys(home: &Home, surroundings: &Surroundings) -> Result<KeyRing, Failure> {
    let (keys, warning) = KeyRing::open(home, surroundings)?;
    if let Some(warning) = warning {
        failure::warn(&mut io::stderr(), &warning);
    }
    Ok(keys)
}

fn hands(
    args: &CoordinatorArgs,
    home: &Home,
    layers: &Layers,
    token_file: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Hands, Failure> {
    let ChosenRegistry { location, .. } = config::registry(args.registry.as_deref(), layers, surroundings)?;
    let token = args.node_token_file.as_deref().map(token_file::read).transpose()?;
    let registered = location != RegistryLocation::Embedded;
    if registered && args.node.is_empty() {
        return Ok(Hands::Registered(location, token));
    }
    if registered {
        return Err(Failure::bad_input("--node names nodes by their addresses, and the registry that is configured finds them")
            .hint("leave out --node, or [registry] and CAPSTAN_REGISTRY"));
    }
    if !args.node.is_empty() {
        let nodes = args.node.iter().map(|address| named_node(address, token.clone()));
        return Ok(Hands::Remote(nodes.collect::<Result<_, _>>()?));
    }
    if token.is_some() {
        return Err(Failure::bad_input(
            "--node-token-file is for nodes elsewhere; name them with --node, or find them by --registry",
        ));
    }
    let node =
        node_config(home, surroundings, runner::find(surroundings)?, config::ceiling(layers)?, config::watermarks(layers)?)?;
    // The token lies below the home most often, which is hidden as a whole.
    let token = token_file.map(|path| surroundings.absolute(path)).transpose()?;
    // And so does the cluster's authority, unless it was named.
    let authority = args.cluster.as_deref().map(|path| surroundings.absolute(path)).transpose()?;
    let hidden = node.hidden.iter().cloned().chain(token).chain(authority).collect();
    let state_dir = StateDir::Own(home.coordinator_node());
    // With those of commands of their own, so that what one of them did is shown and undone by the other.
    let checkpoints = CheckpointDir::At(home.checkpoints());
    // Whoever may speak to this coordinator is not made root by it, as with a daemon of a node.
    Ok(Hands::Embedded(Box::new(NodeConfig { state_dir, checkpoints, prepared: PREPARED, hidden, root_allowed: false, ..node })))
}

/// Reads the models of a configuration; `None` where they come from a script.
type Take<'a> = &'a (dyn Fn(&Layers) -> Result<Option<Arc<dyn Models>>, Failure> + Sync);

async fn serve(
    (kept, models, hands, door): (Kept, Arc<Replaceable>, Hands, Door),
    (mut configuration, take): (Configuration, Take<'_>),
    token_file: Option<PathBuf>,
    monitor: Option<SocketAddr>,
) -> Result<Exit, Failure> {
    let mut signals = DaemonSignals::listen()?;
    let mut stack = tokio::select! {
        stack = Stack::start(kept, Arc::clone(&models) as Arc<dyn Models>, hands, door) => stack?,
        () = signals.end() => return Ok(Exit::Success),
    };
    let monitor = monitor::start(monitor, |metrics| stack.register_metrics(metrics), stack.checks()).await?;
    announce(&stack, token_file.as_deref(), monitor.as_ref());
    let _watchdog = service_manager::ready("the coordinator serves");
    let failed = loop {
        tokio::select! {
            wished = signals.next() => match wished {
                Wished::End => break false,
                Wished::Reload => reload(&mut configuration, take, &models, &stack),
            },
            () = stack.ended() => break true,
        }
    };
    service_manager::stopping();
    tokio::select! {
        () = stack.leave() => {}
        // Asked again: what is left ends with the process.
        () = signals.end() => {}
    }
    if failed {
        Err(Failure::failed("the coordinator cannot go on; its log says why").hint("start it again"))
    } else {
        Ok(Exit::Success)
    }
}

/// All of it is read before any of it is taken in.
fn reload(configuration: &mut Configuration, take: Take<'_>, models: &Replaceable, stack: &Stack) {
    service_manager::reloading();
    configuration.reload(|layers| {
        let (fresh, marks, ceiling) = (take(layers)?, config::watermarks(layers)?, config::ceiling(layers)?);
        fresh.into_iter().for_each(|fresh| models.replace(fresh));
        stack.reload_node(marks, &ceiling);
        Ok(())
    });
    service_manager::reloaded();
}

/// One line on standard output, for whoever waits until the coordinator can be used.
fn announce(stack: &Stack, token_file: Option<&Path>, monitor: Option<&Monitor>) {
    let places: Vec<String> = stack.places().iter().map(ToString::to_string).collect();
    let token = token_file.map(|path| format!("; token file {}", path.display())).unwrap_or_default();
    let mut out = io::stdout();
    // A coordinator that nobody reads about serves all the same.
    let _ = writeln!(out, "coordinator listens at {}{token}{}", places.join(", "), monitor::announced(monitor))
        .and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;

    #[test]
    fn the_homes_socket_is_served_first_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().display().to_string();
        let surroundings = Surroundings::new([("CAPSTAN_HOME".to_owned(), root.clone())].into(), AbsPath::new("/").unwrap());
        let home = Home::open(&surroundings).unwrap();
        let own = format!("unix://{root}/coordinator.sock");
        let args = |listen: &[&str]| CoordinatorArgs {
            listen: listen.iter().map(ToString::to_string).collect(),
            ..CoordinatorArgs::default()
        };
        let places = |listen: &[&str]| -> Result<Vec<String>, String> {
            let places = super::listen(&args(listen), &home).map_err(|failure| failure.sentence)?;
            Ok(places.iter().map(ToString::to_string).collect())
        };
        assert_eq!(places(&[]), Ok(vec![own.clone()]));
        assert_eq!(places(&["[::1]:0", &own]), Ok(vec![own, "http://[::1]:0".to_owned()]));
        assert!(places(&["10.0.0.1:80"]).unwrap_err().contains("can be reached from other hosts"));
    }
}
