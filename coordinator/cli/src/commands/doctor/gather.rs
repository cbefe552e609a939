//! Looks at this host. Nothing here fails: what cannot be found out is a finding.

use super::findings::{Findings, Place, ProgramFound, ProviderFound, RunnerFound, SessionFound};
use crate::config::auth::KeyRing;
use crate::config::{self, Inputs, Layers, UserConfig, providers};
use crate::failure::Failure;
use crate::home::Home;
use crate::surroundings::Surroundings;
use crate::{level, programs, runner};
use capstan_agent_node::{RunnerPath, probe};
use capstan_coordinator::models::Lookup;
use capstan_types::node::Fingerprint;

/// The programs, what they are for, and whether nothing works without them.
const PROGRAMS: [(&str, &str, bool); 5] = [
    ("sh", "runs commands", true),
    ("bash", "runs commands as most models write them", false),
    ("git", "shows what a turn has changed", false),
    ("cc", "builds the demo's project", false),
    ("rg", "searches faster than grep, where a model asks for it", false),
];

pub(super) async fn gather(surroundings: &Surroundings) -> Result<Findings, Failure> {
    let (runner, host, session) = runner_and_host(surroundings).await;
    let (home, opened) = home(surroundings);
    let (config, layers) = configuration(opened.as_ref());
    let keys = opened.as_ref().and_then(|home| KeyRing::open(home, surroundings).ok()).map(|(keys, _)| keys);
    Ok(Findings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runner,
        host,
        session,
        providers: providers_found(&layers, keys.as_ref()),
        programs: programs_found(surroundings),
        home,
        config,
    })
}

async fn runner_and_host(surroundings: &Surroundings) -> (RunnerFound, Option<Fingerprint>, Option<SessionFound>) {
    let path = match runner::find(surroundings) {
        Ok(path) => path,
        Err(failure) => return (RunnerFound { command: String::new(), problem: Some(failure.sentence) }, None, None),
    };
    let command = [path.program.display().to_string()].into_iter().chain(path.args.clone()).collect::<Vec<_>>().join(" ");
    match probe(&path).await {
        Ok(host) => (RunnerFound { command, problem: None }, Some(host), Some(session(&path).await)),
        Err(error) => (RunnerFound { command, problem: Some(error.to_string()) }, None, None),
    }
}

/// The proof of a session is worth more than what the host says of itself: it is what sessions will have.
async fn session(runner: &RunnerPath) -> SessionFound {
    let place = std::env::temp_dir();
    match level::tried(runner).await {
        Ok(enforced) => SessionFound { place, enforced: Some(enforced), problem: None },
        Err(problem) => SessionFound { place, enforced: None, problem: Some(problem) },
    }
}

fn home(surroundings: &Surroundings) -> (Place, Option<Home>) {
    let path = Home::locate(surroundings).ok().map(|path| path.as_path().to_owned());
    let problem = |problem: String| Place { path: path.clone(), problem: Some(problem), warnings: Vec::new() };
    let home = match Home::open(surroundings) {
        Ok(home) => home,
        Err(failure) => return (problem(failure.sentence), None),
    };
    if let Err(error) = tempfile::tempfile_in(home.path()) {
        return (problem(format!("nothing can be written in it: {error}")), Some(home));
    }
    let keys = KeyRing::open(&home, surroundings);
    let place = match keys {
        Ok((_, warning)) => Place { path, problem: None, warnings: warning.into_iter().collect() },
        Err(failure) => problem(failure.sentence),
    };
    (place, Some(home))
}

fn configuration(home: Option<&Home>) -> (Place, Layers) {
    let Some(home) = home else {
        return (Place { path: None, problem: None, warnings: Vec::new() }, Layers::default());
    };
    let path = Some(home.path().as_path().join("config.toml")).filter(|file| file.exists());
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    match config::read(inputs) {
        Ok((layers, unknown)) => {
            let warnings = unknown.iter().map(config::read::UnknownKey::warning).collect();
            (Place { path, problem: None, warnings }, layers)
        }
        Err(error) => (Place { path, problem: Some(error.to_string()), warnings: Vec::new() }, Layers::default()),
    }
}

fn providers_found(layers: &Layers, keys: Option<&KeyRing>) -> Vec<ProviderFound> {
    let found = |id: String| match providers::provider(layers, &id) {
        Ok(provider) => {
            let env_key = provider.env_key;
            let is_set = |name: &String| keys.and_then(|keys| keys.find(name)).is_some_and(|key| !key.trim().is_empty());
            ProviderFound { id, key: env_key.as_ref().is_some_and(is_set), env_key, problem: None }
        }
        Err(error) => ProviderFound { id, env_key: None, key: false, problem: Some(error.to_string()) },
    };
    providers::names(layers).unwrap_or_default().into_iter().map(found).collect()
}

fn programs_found(surroundings: &Surroundings) -> Vec<ProgramFound> {
    let found = |(name, purpose, required): (&str, &str, bool)| ProgramFound {
        name: name.to_owned(),
        path: programs::find(name, surroundings),
        purpose: purpose.to_owned(),
        required,
    };
    PROGRAMS.map(found).into()
}
