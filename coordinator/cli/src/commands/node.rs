//! `capstan node`: an agent node as a daemon of its own.

use crate::args::{self, NodeArgs};
use crate::config::{self, ChosenRegistry, Inputs, Layers, UserConfig};
use crate::daemon::{Configuration, DaemonSignals, Wished};
use crate::embedded::named_node;
use crate::failure::{self, Exit, Failure};
use crate::home::Home;
use crate::kept;
use crate::membership::{self, Joining, Keeper, Member};
use crate::monitor;
use crate::render::text;
use crate::surroundings::Surroundings;
use crate::telemetry::{self, Telemetry};
use crate::{host, runner, runtime, token_file};
use capstan_agent_node::{CheckpointDir, JournalSync, NodeConfig, StateDir, Watermarks, base_environment};
use capstan_blobs::{Blobs, Location};
use capstan_coordinator::RegistryLocation;
use capstan_proto::transport::Listen;
use capstan_runtime::monitor::Monitor;
use capstan_runtime::service_manager;
use capstan_types::id::NodeId;
use capstan_types::node::NodeAddress;
use capstan_types::policy::{Ceiling, Level};
use capstan_types::principal::Role;
use capstan_types::stock::{MOST_HELD, Stock, amount, held};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What takes effect without a restart.
const RELOADED: &[&str] = &["node.watermarks", "node.ceiling", "ownerless_timeout_ms"];

/// Sessions that the node is ready for ahead of their start.
const PREPARED: u32 = 2;

/// Runs the node until a signal asks for its end. Its sessions live on until their ownerless time.
///
/// # Errors
/// What was given cannot be used, or the node cannot go on.
pub fn run(args: &NodeArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let home = Home::open(surroundings)?;
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    let (layers, unknown) = config::read(inputs)?;
    unknown.iter().for_each(|key| failure::warn(&mut io::stderr(), &key.warning()));
    let telemetry = Telemetry::for_daemon(&layers, surroundings)?;
    let joining = Joining::of_words(args.join.as_deref())?;
    let ChosenRegistry { location, secrets } = config::registry(args.registry.as_deref(), &layers, surroundings)?;
    if !args.dial_out.is_empty() && location != RegistryLocation::Embedded {
        let sentence =
            "a node that dials out is registered by the coordinators that it calls, and a registry is configured as well";
        return Err(Failure::bad_input(sentence).hint("leave out --dial-out, or [registry] and CAPSTAN_REGISTRY"));
    }
    let (mut config, token_file) = prepare(
        args,
        &home,
        (config::ceiling(&layers)?, config::watermarks(&layers)?, stock(args, config::stock(&layers)?)?),
        blobs(args, &layers)?,
        surroundings,
    )?;
    config.hidden.extend(secrets);
    config.advertise = advertised(args.advertise.as_deref(), &config.listen, location != RegistryLocation::Embedded)?;
    let _telemetry = telemetry::start("capstan-node", &telemetry)?;
    runtime::block_on(async {
        // A node's id is spelt as a member's name is.
        let name = config.id.as_str().parse().map_err(Failure::bad_input)?;
        let member = membership::joined(&home, Role::Node, &name, joining.as_ref()).await?;
        let configuration = Configuration::read(home.path().as_path().to_owned(), layers, RELOADED);
        let told = Told { token_file, monitor: args.monitor, grace: Duration::from_secs(args.grace) };
        serve(config, location, told, (member, configuration)).await
    })
}

fn prepare(
    args: &NodeArgs,
    home: &Home,
    (ceiling, watermarks, stock): (Ceiling, Watermarks, Stock),
    blobs: Option<Location>,
    surroundings: &Surroundings,
) -> Result<(NodeConfig, Option<PathBuf>), Failure> {
    let id = name(args.name.as_deref())?;
    let listen = args.listen.iter().map(|text| text.parse()).collect::<Result<Vec<Listen>, _>>();
    let listen = listen.map_err(|error| Failure::bad_input(format!("--listen: {error}")))?;
    let dial_out = args.dial_out.iter().map(|text| text.parse()).collect::<Result<Vec<Listen>, _>>();
    let dial_out = dial_out.map_err(|error| Failure::bad_input(format!("--dial-out: {error}")))?;
    let dial_out_token = args.dial_out_token_file.as_deref().map(token_file::read).transpose()?;
    let labels = labels(&args.labels)?;
    let over_tcp = listen.iter().any(|listen| matches!(listen, Listen::Tcp(_)));
    // A Unix socket is its owner's alone, so it needs no token unless one is named.
    let token_file = args.token_file.clone().or_else(|| over_tcp.then(|| home.daemon_token(&id)));
    let token = token_file.as_deref().map(token_file::read_or_make).transpose()?;
    let mut hidden = hidden(home, [token_file.as_deref(), args.dial_out_token_file.as_deref()], surroundings)?;
    hidden.extend(blobs.as_ref().and_then(kept::place_to_hide));
    let blobs = blobs.as_ref().map(Blobs::open).transpose().map_err(Failure::bad_input)?;
    let state_dir = args.state_dir.clone().unwrap_or_else(|| home.daemon(&id));
    let config = NodeConfig {
        state_dir: StateDir::Own(surroundings.absolute(&state_dir)?.as_path().to_owned()),
        checkpoints: CheckpointDir::WithState,
        runner: runner::find(surroundings)?,
        prepared: PREPARED,
        listen,
        token,
        advertise: None,
        dial_out,
        dial_out_token,
        membership: None,
        capacity: host::capacity(args.sessions),
        stock,
        watermarks,
        labels,
        base_env: base_environment(|name| surroundings.variable(name).map(str::to_owned)),
        hidden,
        ceiling,
        root_allowed: false,
        blobs,
        strongest: Level::Full,
        journal: match args.journal_sync {
            args::JournalSync::On => JournalSync::On,
            args::JournalSync::Off => JournalSync::Off,
        },
        id,
    };
    Ok((config, token_file))
}

/// Where coordinators are to reach the node, if that was said. A place for every address of the host is nothing that another host can dial.
fn advertised(given: Option<&str>, listen: &[Listen], registered: bool) -> Result<Option<NodeAddress>, Failure> {
    if let Some(text) = given {
        return named_node(text, None)
            .map(|node| Some(node.address))
            .map_err(|failure| Failure { sentence: failure.sentence.replacen("--node:", "--advertise:", 1), ..failure });
    }
    let everywhere = |listen: &&Listen| match listen {
        Listen::Tls(host) => host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_unspecified()),
        Listen::Tcp(_) | Listen::Unix(_) => false,
    };
    match listen.first().filter(everywhere) {
        Some(listen) if registered => Err(Failure::bad_input(format!("{listen} is no address that a coordinator can dial"))
            .hint("say where this node is reached, with --advertise https://HOST:PORT")),
        Some(_) | None => Ok(None),
    }
}

/// What sessions may not see: the home directory, and the tokens, wherever they lie.
fn hidden(
    home: &Home,
    token_files: [Option<&Path>; 2],
    surroundings: &Surroundings,
) -> Result<Vec<capstan_types::path::AbsPath>, Failure> {
    let tokens = token_files.into_iter().flatten().map(|path| surroundings.absolute(path));
    [Ok(home.path().clone())].into_iter().chain(tokens).collect()
}

fn name(given: Option<&str>) -> Result<NodeId, Failure> {
    match given {
        Some(name) => name.parse().map_err(|error| Failure::bad_input(format!("--name: {error}"))),
        None => host::name().ok_or_else(|| Failure::bad_input("this host has no name").hint("name the node with --name")),
    }
}

fn labels(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let label = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err(Failure::bad_input(format!("--label: `{text}` is not a label; write KEY=VALUE"))),
    };
    given.iter().map(label).collect()
}

/// The store that is named; without one, what the node saves is carried by coordinators.
fn blobs(args: &NodeArgs, layers: &Layers) -> Result<Option<Location>, Failure> {
    match &args.blobs {
        Some(text) => text.parse().map(Some).map_err(|error| Failure::bad_input(format!("--blobs: {error}"))),
        None => config::blobs(layers).map_err(Failure::from),
    }
}

/// What a node is told on its command line beside its configuration.
struct Told {
    token_file: Option<PathBuf>,
    monitor: Option<SocketAddr>,
    grace: Duration,
}

/// The flags go before the configuration, each kind as a whole.
fn stock(args: &NodeArgs, configured: Stock) -> Result<Stock, Failure> {
    let mut stock = configured;
    if !args.resources.is_empty() {
        let custom = args.resources.iter().map(|text| amount(text)).collect::<Result<_, _>>();
        stock.custom = custom.map_err(|error| Failure::bad_input(format!("--resource: {error}")))?;
    }
    if !args.holds.is_empty() {
        let holds = args.holds.iter().map(|text| held(text)).collect::<Result<_, _>>();
        stock.holds = holds.map_err(|error| Failure::bad_input(format!("--holds: {error}")))?;
    }
    if stock.holds.len() > MOST_HELD {
        return Err(Failure::bad_input(format!("--holds: at most {MOST_HELD} names are told")));
    }
    Ok(stock)
}

async fn serve(
    config: NodeConfig,
    location: RegistryLocation,
    told: Told,
    (member, mut configuration): (Option<Member>, Configuration),
) -> Result<Exit, Failure> {
    let config = NodeConfig { membership: member.as_ref().map(|member| member.membership.clone()), ..config };
    let dial_out = config.dial_out.clone();
    let _keeper = member.map(|member| Keeper::start(&member.membership.live, member.source));
    let mut signals = DaemonSignals::listen()?;
    let registry = capstan_coordinator::open_registry(&location).await.map_err(Failure::bad_input)?;
    let mut node = tokio::select! {
        node = capstan_agent_node::serve(config, registry) => node.map_err(Failure::bad_input)?,
        // A registry that does not answer is waited for.
        () = signals.end() => return Ok(Exit::Success),
    };
    let monitor = monitor::start(told.monitor, |metrics| node.register_metrics(metrics), node.checks()).await?;
    announce(&node, &dial_out, told.token_file.as_deref(), monitor.as_ref());
    let _watchdog = service_manager::ready("the node serves");
    let failed = loop {
        tokio::select! {
            wished = signals.next() => match wished {
                Wished::End => break false,
                Wished::Reload => reload(&mut configuration, &node),
            },
            () = node.ended() => break true,
        }
    };
    service_manager::stopping();
    if !failed {
        tokio::select! {
            left = node.drain(told.grace) => tell_of(left),
            // Asked again: without waiting.
            () = signals.end() => {}
        }
    }
    tokio::select! {
        () = node.shutdown() => {}
        // And again: what is left ends with the process.
        () = signals.end() => {}
    }
    if failed {
        Err(Failure::failed("the node cannot go on; its log says why").hint("start it again"))
    } else {
        Ok(Exit::Success)
    }
}

/// All of it is read before any of it is taken in.
fn reload(configuration: &mut Configuration, node: &capstan_agent_node::Running) {
    service_manager::reloading();
    configuration.reload(|layers| {
        let (marks, ceiling) = (config::watermarks(layers)?, config::ceiling(layers)?);
        node.reload(marks, &ceiling);
        Ok(())
    });
    service_manager::reloaded();
}

/// What stays when the node goes.
fn tell_of(sessions: u32) {
    if sessions > 0 {
        let sentence = format!(
            "{} still run and are kept; the next start of this node takes them up",
            text::counted(usize::try_from(sessions).unwrap_or(usize::MAX), "session")
        );
        failure::warn(&mut io::stderr(), &sentence);
    }
}

/// One line on standard output, for whoever waits until the node can be used.
fn announce(node: &capstan_agent_node::Running, dial_out: &[Listen], token_file: Option<&Path>, monitor: Option<&Monitor>) {
    let record = node.record();
    let addresses: Vec<String> = node.addresses().iter().map(ToString::to_string).collect();
    let token = token_file.map(|path| format!("; token file {}", path.display())).unwrap_or_default();
    let listens = if addresses.is_empty() { String::new() } else { format!(" listens at {}", addresses.join(", ")) };
    let dials: Vec<String> = dial_out.iter().map(ToString::to_string).collect();
    let dials = if dials.is_empty() { String::new() } else { format!(" dials out to {}", dials.join(", ")) };
    let line =
        format!("node {} (generation {}){listens}{dials}{token}{}", record.id, record.generation, monitor::announced(monitor));
    let mut out = io::stdout();
    // A node that nobody reads about serves all the same.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_agent_node::default_ceiling;
    use capstan_types::path::AbsPath;

    fn prepared(listen: &str, more: impl FnOnce(&mut NodeArgs)) -> Result<(NodeConfig, Option<PathBuf>), String> {
        let dir = tempfile::tempdir().unwrap();
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().to_str().unwrap().to_owned())].into();
        let surroundings = Surroundings::new(variables, AbsPath::new("/").unwrap());
        let mut args = NodeArgs {
            listen: vec![listen.to_owned()],
            join: None,
            token_file: None,
            name: Some("n1".to_owned()),
            state_dir: None,
            labels: Vec::new(),
            resources: Vec::new(),
            holds: Vec::new(),
            sessions: 3,
            registry: None,
            blobs: None,
            monitor: None,
            advertise: None,
            dial_out: Vec::new(),
            dial_out_token_file: None,
            grace: 5,
            journal_sync: args::JournalSync::On,
        };
        more(&mut args);
        let stock = stock(&args, Stock::default()).map_err(|failure| failure.sentence)?;
        prepare(
            &args,
            &Home::open(&surroundings).unwrap(),
            (default_ceiling(), Watermarks::default(), stock),
            None,
            &surroundings,
        )
        .map_err(|failure| failure.sentence)
    }

    #[test]
    fn a_node_on_tcp_has_a_token_and_hides_it() {
        let (config, token_file) = prepared("127.0.0.1:0", |_| {}).unwrap();
        assert!(config.token.is_some());
        assert!(token_file.unwrap().ends_with("n1.token"));
        assert_eq!((config.hidden.len(), config.capacity.sessions), (2, 3));
        let (config, token_file) = prepared("unix:///run/n1", |_| {}).unwrap();
        assert!(config.token.is_none() && token_file.is_none());
    }

    #[test]
    fn what_a_node_says_that_it_has_is_read_or_refused_in_words() {
        let (config, _) = prepared("unix:///run/n1", |args| {
            args.resources = vec!["gpu=2".to_owned(), "x.io/fpga=1".to_owned()];
            args.holds = vec!["github.com/org/repo".to_owned()];
        })
        .unwrap();
        assert_eq!(config.stock.custom.values().copied().collect::<Vec<_>>(), [2, 1]);
        assert!(config.stock.holds.contains("github.com/org/repo"));
        let refused = prepared("unix:///run/n1", |args| args.resources = vec!["gpu".to_owned()]).unwrap_err();
        assert!(refused.starts_with("--resource: `gpu` is no amount") && refused.contains("write NAME=N"), "{refused}");
    }

    #[test]
    fn a_registered_node_says_where_it_is_reached() {
        let listen = |text: &str| vec![text.parse::<Listen>().unwrap()];
        let said = |given: Option<&str>, text: &str, registered| {
            advertised(given, &listen(text), registered).map_err(|failure| failure.sentence)
        };
        assert_eq!(said(None, "https://0.0.0.0:7070", false), Ok(None));
        assert_eq!(said(None, "https://10.0.0.7:7070", true), Ok(None));
        assert_eq!(
            said(Some("https://a.example:7070"), "https://0.0.0.0:7070", true),
            Ok(Some(NodeAddress::Tls("a.example:7070".to_owned())))
        );
        let error = said(None, "https://[::]:7070", true).unwrap_err();
        assert_eq!(error, "https://[::]:7070 is no address that a coordinator can dial");
        assert!(
            said(Some("nonsense"), "https://[::]:7070", true)
                .unwrap_err()
                .starts_with("--advertise: `nonsense` is not an address")
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_in_a_sentence() {
        assert!(
            prepared("10.0.0.1:80", |_| {}).unwrap_err().starts_with("--listen: 10.0.0.1:80 can be reached from other hosts")
        );
        assert!(prepared("nonsense", |_| {}).unwrap_err().starts_with("--listen: `nonsense` is not an address"));
        let label = prepared("127.0.0.1:0", |args| args.labels = vec!["=x".to_owned()]);
        assert_eq!(label.unwrap_err(), "--label: `=x` is not a label; write KEY=VALUE");
        let name = prepared("127.0.0.1:0", |args| args.name = Some("N 1".to_owned()));
        assert!(name.unwrap_err().starts_with("--name: `N 1` is not a node id"));
    }
}
