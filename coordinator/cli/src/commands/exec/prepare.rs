//! From the command line to what a run needs. Everything that can be wrong with what was given is found here, before anything runs.

use super::asked::{Asked, Begin, asked};
use super::belongs;
use super::in_vain;
use super::models::{Answers, every_provider, models};
use super::overrides::{self, Changes};
use super::source::{self, Ground, Local};
use crate::args::ExecArgs;
use crate::client::{self, Reach};
use crate::config::auth::KeyRing;
use crate::config::resolve::{Answerer, Resolved};
use crate::config::{self, ConfigError, Flags, Inputs, Layers, Sandboxing, UserConfig};
use crate::embedded::{Hands, named_node, node_config};
use crate::engaged::Place;
use crate::failure::{self, Failure};
use crate::global_doc;
use crate::hidden_home;
use crate::home::Home;
use crate::last_message;
use crate::prompt::{self, Piped};
use crate::runner;
use crate::surroundings::Surroundings;
use crate::telemetry::Telemetry;
use crate::token_file;
use crate::workspace::{self, GitCheck};
use capstan_agent_node::{CheckpointDir, NodeConfig};
use capstan_coordinator::models::{Models, Priced};
use capstan_proto::transport::Listen;
use capstan_types::budget::Budgets;
use capstan_types::docs::GlobalDoc;
use capstan_types::money::MicroDollars;
use capstan_types::node::NodeAddress;
use capstan_types::overrides::TurnOverrides;
use capstan_types::path::AbsPath;
use capstan_types::placement::PlacementSettings;
use capstan_types::policy::SandboxMode;
use capstan_types::thread::{ThreadSettings, TurnInput};
use std::io;
use std::sync::Arc;

/// What a run needs.
#[derive(Debug)]
pub struct Prepared {
    /// The thread's settings.
    pub settings: ThreadSettings,
    /// What the turn is begun with.
    pub input: TurnInput,
    /// Where it runs.
    pub place: Place,
    /// In which thread.
    pub begin: Begin,
    /// What is changed in a thread that there is.
    pub changes: Changed,
    /// The home directory.
    pub home: Home,
    /// The directory whose threads are looked at for the last one.
    pub cwd: AbsPath,
    /// Logs and spans.
    pub telemetry: Telemetry,
    /// The repository that is uploaded for the thread, if one is.
    pub local: Option<Box<Local>>,
}

/// What the command line changes in a thread that there is.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Its settings.
    pub settings: Changes,
    /// What turns may use, if that is set.
    pub budgets: Option<Budgets>,
    /// `--budget-usd`.
    pub cost: Option<MicroDollars>,
    /// `--budget-tokens`.
    pub tokens: Option<u64>,
}

/// Checks what was given, reads what it names, and decides what the run is done with.
///
/// # Errors
/// The first thing that cannot be used.
pub fn prepare(args: &ExecArgs, surroundings: &Surroundings) -> Result<Prepared, Failure> {
    let Asked { begin, prompt: given } = asked(args)?;
    let is_new = begin == Begin::New;
    let home = Home::open(surroundings)?;
    let reach = client::reach(&args.daemon, surroundings)?;
    if reach.is_some() {
        belongs::refuse(args)?;
    }
    in_vain::refuse(args, &begin, reach.is_some())?;
    let layers = layers(args, &home)?;
    let hands = if reach.is_none() { Some(hands(args, &home, &layers, surroundings)?) } else { None };
    let sight = Sight::of(reach.as_ref(), hands.as_ref());
    let ground = source::ground(&args.source, args.cd.as_deref(), surroundings)?;
    let cwd = match &ground {
        Ground::Made { below, .. } => below.clone(),
        Ground::Uploaded(local) => local.below.clone(),
        Ground::InPlace if is_new || args.cd.is_some() => cwd(args, sight, surroundings)?,
        Ground::InPlace => here(surroundings),
    };
    let answerer = answerer(args, reach.is_some());
    let (global_doc, warning) = global_doc::read(&home)?;
    if let Some(warning) = warning {
        failure::warn(&mut io::stderr(), &warning);
    }
    let flags = flags(args, answerer, (cwd.clone(), sight), global_doc, surroundings)?;
    let mut resolved = config::resolve(&layers, &flags)?;
    let changes = changed(args, &resolved.settings, flags.add_dirs);
    spend(args, &mut resolved.settings);
    if is_new {
        warn_of_no_effect(args, &resolved.settings);
    }
    // Of a thread that there is, the runner refuses what would lay the home open.
    // What is made is the node's own, and beside the home's other things.
    if let (true, Some(Hands::Embedded(node)), Ground::InPlace) = (is_new, &hands, &ground) {
        hidden_home::check(&home, &resolved.settings, &node.runner)?;
    }
    if let Some(file) = &args.output_last_message {
        last_message::check(file)?;
    }
    let telemetry = Telemetry::for_command(&layers, surroundings)?;
    let place = match (reach, hands) {
        (Some(reach), _) => Place::There(reach),
        (None, Some(hands)) => {
            let models = answers(args, is_new, &layers, &resolved, &home, surroundings)?;
            let kept = config::kept(&layers, &home, surroundings)?;
            let kept = if args.ephemeral { kept.ephemeral() } else { kept };
            Place::Here { kept, models, hands }
        }
        (None, None) => return Err(Failure::bad_input("there is nowhere to run")),
    };
    // Last, because it may wait for whoever pipes it in.
    let input = TurnInput { budgets: Some(resolved.settings.budgets), ..input(args, given)? };
    let (source, local) = match ground {
        Ground::InPlace => (None, None),
        Ground::Made { source, .. } => (Some(Box::new(source)), None),
        Ground::Uploaded(local) => (None, Some(local)),
    };
    let settings = ThreadSettings { source, ..resolved.settings };
    Ok(Prepared { settings, input, place, begin, changes, home, cwd, telemetry, local })
}

fn changed(args: &ExecArgs, resolved: &ThreadSettings, add_dirs: Vec<AbsPath>) -> Changed {
    let set = args.config.iter().any(|set| set.trim_start().starts_with("budget"));
    Changed {
        settings: overrides::changes(args, resolved, add_dirs),
        budgets: set.then_some(resolved.budgets),
        cost: args.budget_usd,
        tokens: args.budget_tokens,
    }
}

/// The working directory, as threads remember it.
fn here(surroundings: &Surroundings) -> AbsPath {
    let cwd = surroundings.cwd();
    cwd.as_path().canonicalize().ok().and_then(|real| AbsPath::new(real).ok()).unwrap_or_else(|| cwd.clone())
}

fn layers(args: &ExecArgs, home: &Home) -> Result<Layers, Failure> {
    let user = if args.ignore_user_config { UserConfig::Ignored } else { UserConfig::Read };
    let home = home.path().as_path();
    let (layers, unknown) = config::read(Inputs { home, user, profile: args.profile.as_deref(), overrides: &args.config })?;
    for key in unknown {
        if args.strict_config {
            return Err(key.into_error().into());
        }
        failure::warn(&mut io::stderr(), &key.warning());
    }
    let names_provider = |set: &String| set.split('=').next().is_some_and(|key| key.trim() == "model_provider");
    if args.oss && args.config.iter().any(names_provider) {
        let sentence = "--oss and -c model_provider exclude each other; leave out one of the two";
        return Err(ConfigError::Conflict(sentence.to_owned()).into());
    }
    Ok(layers)
}

fn hands(args: &ExecArgs, home: &Home, layers: &Layers, surroundings: &Surroundings) -> Result<Hands, Failure> {
    let Some(address) = &args.node else {
        let runner = runner::find(surroundings)?;
        let node = node_config(home, surroundings, runner, config::ceiling(layers)?, config::watermarks(layers)?)?;
        // What keeps no thread keeps nothing of its files either.
        let checkpoints = if args.ephemeral { CheckpointDir::WhileItLives } else { node.checkpoints };
        return Ok(Hands::Embedded(Box::new(NodeConfig { checkpoints, ..node })));
    };
    let token = args.node_token_file.as_deref().map(token_file::read).transpose()?;
    Ok(Hands::Remote(vec![named_node(address, token)?]))
}

/// What this host's directories say of those in which the sessions will work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// They are the same.
    Same,
    /// They are perhaps the same: the node is another process of this host, or one that a coordinator of this host knows.
    Perhaps,
    /// Nothing.
    Other,
}

impl Sight {
    fn of(reach: Option<&Reach>, hands: Option<&Hands>) -> Self {
        match (reach, hands) {
            (Some(Reach { place: Listen::Tls(_), .. }), _) => Self::Other,
            (_, Some(Hands::Embedded(_))) => Self::Same,
            (_, Some(Hands::Remote(nodes))) if nodes.iter().all(|node| matches!(node.address, NodeAddress::Tls(_))) => {
                Self::Other
            }
            (_, Some(Hands::Remote(_) | Hands::Registered(..)) | None) => Self::Perhaps,
        }
    }

    /// The path as it is, where this host cannot tell, or what `look` says of it.
    fn look(self, path: AbsPath, look: impl FnOnce(&AbsPath) -> Result<AbsPath, Failure>) -> Result<AbsPath, Failure> {
        match self {
            Self::Other => Ok(path),
            Self::Perhaps if !path.as_path().exists() => Ok(path),
            Self::Perhaps | Self::Same => look(&path),
        }
    }
}

/// The workspace. On another node only that node can tell what is there.
fn cwd(args: &ExecArgs, sight: Sight, surroundings: &Surroundings) -> Result<AbsPath, Failure> {
    let path = args.cd.as_deref().map_or_else(|| Ok(surroundings.cwd().clone()), |path| surroundings.absolute(path))?;
    let skipped = args.skip_git_repo_check || args.dangerously_bypass_approvals_and_sandbox;
    let check = if skipped { GitCheck::Skipped } else { GitCheck::Required };
    sight.look(path, |path| workspace::local(path, check))
}

fn answerer(args: &ExecArgs, elsewhere: bool) -> Answerer {
    match &args.script {
        _ if elsewhere => Answerer::Elsewhere,
        Some(_) => Answerer::Scripted,
        None if args.oss => Answerer::Local(args.local_provider.map(|provider| provider.id().to_owned())),
        None => Answerer::Configured,
    }
}

fn flags(
    args: &ExecArgs,
    answerer: Answerer,
    (cwd, sight): (AbsPath, Sight),
    global_doc: Option<GlobalDoc>,
    surroundings: &Surroundings,
) -> Result<Flags, Failure> {
    let sandbox = match (args.sandbox, &args.permission_profile) {
        _ if args.dangerously_bypass_approvals_and_sandbox => Sandboxing::Bypassed,
        (Some(mode), _) => Sandboxing::Mode(mode.into()),
        (None, Some(name)) => Sandboxing::Profile(name.clone()),
        (None, None) if args.source.is_made() => Sandboxing::OwnWorkspace,
        (None, None) => Sandboxing::Configured,
    };
    let add_dir = |path: &std::path::PathBuf| sight.look(surroundings.absolute(path)?, workspace::writable);
    Ok(Flags {
        model: args.model.clone(),
        answerer,
        sandbox,
        cwd,
        add_dirs: args.add_dir.iter().map(add_dir).collect::<Result<_, _>>()?,
        user_home: surroundings.variable("HOME").and_then(|home| AbsPath::new(home).ok()),
        global_doc,
        placement: Box::new(placement(args)),
    })
}

fn placement(args: &ExecArgs) -> PlacementSettings {
    let placement = args.placement.settings();
    let selector = args.source.on.clone().unwrap_or(placement.selector);
    PlacementSettings { selector, ..placement }
}

fn warn_of_no_effect(args: &ExecArgs, settings: &ThreadSettings) {
    let base = settings.profile.as_ref().map_or(settings.sandbox, |profile| profile.base);
    if !args.add_dir.is_empty() && base == SandboxMode::ReadOnly {
        failure::warn(&mut io::stderr(), "--add-dir has no effect in a read-only sandbox; pass -s workspace-write as well");
    }
    if args.source.applies() && base == SandboxMode::ReadOnly {
        let sentence = "a read-only sandbox changes nothing that could be applied here; pass -s workspace-write as well";
        failure::warn(&mut io::stderr(), sentence);
    }
}

/// What the flags say of budgets goes before what the configuration says.
fn spend(args: &ExecArgs, settings: &mut ThreadSettings) {
    let turn = &mut settings.budgets.turn;
    (turn.cost, turn.tokens) = (args.budget_usd.or(turn.cost), args.budget_tokens.or(turn.tokens));
    if args.record.is_some() {
        // One model is recorded, and it is of one provider.
        settings.fallbacks.retain(|choice| choice.provider == settings.provider);
    }
}

fn answers(
    args: &ExecArgs,
    is_new: bool,
    layers: &Layers,
    resolved: &Resolved,
    home: &Home,
    surroundings: &Surroundings,
) -> Result<Arc<dyn Models>, Failure> {
    let (keys, warning) = KeyRing::open(home, surroundings)?;
    if let Some(warning) = warning {
        failure::warn(&mut io::stderr(), &warning);
    }
    let answers = match (&args.script, &args.record, &resolved.provider) {
        (Some(script), _, _) => Answers::Script(script),
        (None, Some(file), Some(provider)) => Answers::Recorded(provider, file),
        // Its provider is known once the thread is.
        (None, None, _) if !is_new => return every_provider(layers, keys),
        (None, None, Some(provider)) => Answers::Provider(provider, &resolved.fallback_providers),
        (None, _, None) => return Err(Failure::bad_input("there is nobody to answer")),
    };
    Ok(Arc::new(Priced { models: models(answers, keys)?, prices: config::spending::prices(layers)? }))
}

fn input(args: &ExecArgs, given: Option<&str>) -> Result<TurnInput, Failure> {
    let images = prompt::images(&args.image)?;
    let output_schema = args.output_schema.as_deref().map(prompt::schema).transpose()?;
    let text = prompt::prompt(given, Piped::of_process(), &mut io::stderr())?;
    Ok(TurnInput { text, images, output_schema, budgets: None, overrides: TurnOverrides::default(), compact: false })
}
