//! From layers and flags to a thread's settings. Pure: the same input gives the same settings.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use super::{docs, permissions, providers, spending, window};
use capstan_coordinator::models::{ProviderConfig, provider_for};
use capstan_types::docs::GlobalDoc;
use capstan_types::output::clean::Cleaning;
use capstan_types::path::AbsPath;
use capstan_types::placement::PlacementSettings;
use capstan_types::policy::{ApprovalPolicy, PermissionProfile, SandboxMode};
use capstan_types::thread::ThreadSettings;
use std::collections::BTreeMap;
use toml::Value;

/// The model that answers when nobody chooses one, by provider.
const DEFAULT_MODELS: [(&str, &str); 3] = [("openai", "gpt-5.5"), ("ollama", "gpt-oss:20b"), ("lmstudio", "openai/gpt-oss-20b")];

/// The local providers, which `--oss` chooses among. The first is the default.
pub const LOCAL_PROVIDERS: [&str; 2] = ["ollama", "lmstudio"];

/// What the command line says about the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// `-m`.
    pub model: Option<String>,
    /// Who answers.
    pub answerer: Answerer,
    /// `-s` and its stronger sister.
    pub sandbox: Sandboxing,
    /// The workspace's directory.
    pub cwd: AbsPath,
    /// `--add-dir`.
    pub add_dirs: Vec<AbsPath>,
    /// The user's home, for `~` in configured paths.
    pub user_home: Option<AbsPath>,
    /// The user's own instructions for all projects.
    pub global_doc: Option<GlobalDoc>,
    /// What is asked of the node.
    pub placement: Box<PlacementSettings>,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answerer {
    /// The provider of the configuration.
    Configured,
    /// `--oss`: a local provider, perhaps a chosen one.
    Local(Option<String>),
    /// A script.
    Scripted,
    /// A coordinator in another process, which alone knows what its providers are.
    Elsewhere,
}

/// What the command line says about the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sandboxing {
    /// Nothing.
    Configured,
    /// Nothing, for a workspace that is made or uploaded: a copy of the thread's own, which it may write unless the configuration says otherwise.
    OwnWorkspace,
    /// `-s`.
    Mode(SandboxMode),
    /// `-P`: the name of a permission profile.
    Profile(String),
    /// `--dangerously-bypass-approvals-and-sandbox`.
    Bypassed,
}

/// What a run is done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The thread's settings.
    pub settings: ThreadSettings,
    /// Who is asked; `None` for a script, and for a provider that is known elsewhere.
    pub provider: Option<ProviderConfig>,
    /// The providers of the models that are asked instead, where they are ours to know.
    pub fallback_providers: Vec<ProviderConfig>,
}

/// Decides what a thread runs with.
///
/// # Errors
/// A value that cannot be used; see [`ConfigError`].
pub fn resolve(layers: &Layers, flags: &Flags) -> Result<Resolved, ConfigError> {
    let (model, id, provider) = model(layers, flags)?;
    let (sandbox, profile, approval) = policy(layers, flags)?;
    // A profile says all that these keys say, and more.
    let older = profile.is_none();
    let fallbacks = if flags.answerer == Answerer::Scripted { Vec::new() } else { spending::fallbacks(layers, &id)? };
    let mut fallback_providers = Vec::new();
    if provider.is_some() {
        for choice in &fallbacks {
            fallback_providers.push(providers::provider(layers, &choice.provider)?);
        }
    }
    let settings = ThreadSettings {
        model,
        provider: id,
        effort: layers.text("model_reasoning_effort")?.map(str::to_owned),
        cwd: flags.cwd.clone(),
        node: None,
        sandbox,
        writable_roots: if older { writable_roots(layers, flags)? } else { flags.add_dirs.clone() },
        network_access: older && layers.flag("sandbox_workspace_write.network_access")?.unwrap_or(false),
        exclude_slash_tmp: older && layers.flag("sandbox_workspace_write.exclude_slash_tmp")?.unwrap_or(false),
        profile,
        approval,
        environment: environment(layers)?,
        instructions: instructions(layers)?,
        plan_tool: plan_tool(layers)?,
        docs: docs::docs(layers, flags.global_doc.clone())?,
        cleaning: if layers.flag("tools.raw_output")?.unwrap_or(false) { Cleaning::Raw } else { Cleaning::Clean },
        fallbacks,
        budgets: spending::budgets(layers)?,
        window: window::window(layers)?,
        placement: placement(layers, flags)?,
        placed: None,
        hosts: Vec::new(),
        source: None,
    };
    Ok(Resolved { settings, provider, fallback_providers })
}

/// The flags go before the configuration.
fn placement(layers: &Layers, flags: &Flags) -> Result<Box<PlacementSettings>, ConfigError> {
    let mut asked = flags.placement.clone();
    if asked.hosts.is_none() {
        asked.hosts = layers.parsed("hosts")?;
    }
    Ok(asked)
}

/// The model, its provider's name, and the provider where it is ours to know.
type Model = (String, String, Option<ProviderConfig>);

fn model(layers: &Layers, flags: &Flags) -> Result<Model, ConfigError> {
    let configured = layers.text("model")?.map(str::to_owned);
    let id = match &flags.answerer {
        Answerer::Scripted => {
            let model = flags.model.clone().or(configured).unwrap_or_else(|| "scripted".to_owned());
            return Ok((model, "script".to_owned(), None));
        }
        Answerer::Local(chosen) => return local_model(layers, flags, chosen.as_deref()),
        Answerer::Configured | Answerer::Elsewhere => layers.text("model_provider")?.map(str::to_owned),
    };
    let model = flags.model.clone().or(configured);
    let id = id.unwrap_or_else(|| model.as_deref().map_or("openai", provider_for).to_owned());
    let provider = match &flags.answerer {
        Answerer::Elsewhere => None,
        Answerer::Configured | Answerer::Local(_) | Answerer::Scripted => Some(providers::provider(layers, &id)?),
    };
    let model = model.or_else(|| default_model(&id)).ok_or_else(|| ConfigError::NoModel(id.clone()))?;
    Ok((model, id, provider))
}

/// A local provider's own default goes before a configured model, which most often is a hosted one.
fn local_model(layers: &Layers, flags: &Flags, chosen: Option<&str>) -> Result<Model, ConfigError> {
    let id = match chosen {
        Some(id) => id.to_owned(),
        None => layers.text("oss_provider")?.unwrap_or(LOCAL_PROVIDERS[0]).to_owned(),
    };
    if !LOCAL_PROVIDERS.contains(&id.as_str()) {
        let known = LOCAL_PROVIDERS.join(" or ");
        return Err(ConfigError::Conflict(format!("`{id}` is not a local provider; use {known} with --oss")));
    }
    if let Some(model) = &flags.model {
        let hosted = provider_for(model);
        if hosted != "openai" {
            return Err(ConfigError::Conflict(format!(
                "--oss asks a local model, and `{model}` is one of {hosted}; leave out one of the two"
            )));
        }
    }
    let provider = providers::provider(layers, &id)?;
    let model = flags.model.clone().or_else(|| default_model(&id)).ok_or_else(|| ConfigError::NoModel(id.clone()))?;
    Ok((model, id, Some(provider)))
}

fn default_model(provider: &str) -> Option<String> {
    DEFAULT_MODELS.iter().find(|(id, _)| *id == provider).map(|(_, model)| (*model).to_owned())
}

type Policy = (SandboxMode, Option<Box<PermissionProfile>>, ApprovalPolicy);

fn policy(layers: &Layers, flags: &Flags) -> Result<Policy, ConfigError> {
    let named = |name: &str| {
        let profile = permissions::profile(layers, name, flags.user_home.as_ref())?;
        Ok((profile.mode(), Some(Box::new(profile)), approval(layers)?))
    };
    match &flags.sandbox {
        Sandboxing::Bypassed => Ok((SandboxMode::DangerFullAccess, None, ApprovalPolicy::Never)),
        Sandboxing::Mode(mode) => Ok((*mode, None, approval(layers)?)),
        Sandboxing::Profile(name) => named(name),
        Sandboxing::Configured | Sandboxing::OwnWorkspace => match permissions::chosen(layers)? {
            Some(permissions::Chosen::Profile(name)) => named(&name),
            Some(permissions::Chosen::Mode) | None => {
                let unsaid = match flags.sandbox {
                    Sandboxing::OwnWorkspace => SandboxMode::WorkspaceWrite,
                    _ => SandboxMode::ReadOnly,
                };
                Ok((layers.parsed("sandbox_mode")?.unwrap_or(unsaid), None, approval(layers)?))
            }
        },
    }
}

/// A word, or Codex's table of finer choices: with nobody to ask, those all come to the same.
fn approval(layers: &Layers) -> Result<ApprovalPolicy, ConfigError> {
    match layers.find("approval_policy")? {
        Some((_, Value::Table(_))) => Ok(ApprovalPolicy::OnRequest),
        Some(_) => Ok(layers.parsed("approval_policy")?.unwrap_or_default()),
        None => Ok(ApprovalPolicy::Never),
    }
}

fn writable_roots(layers: &Layers, flags: &Flags) -> Result<Vec<AbsPath>, ConfigError> {
    const KEY: &str = "sandbox_workspace_write.writable_roots";
    let mut roots = Vec::new();
    for text in layers.texts(KEY)? {
        roots.push(absolute(&text, flags).map_err(|reason| match layers.find(KEY) {
            Ok(Some((place, _))) => bad_value(place, KEY, reason),
            Ok(None) => ConfigError::Conflict(reason),
            Err(error) => error,
        })?);
    }
    roots.extend(flags.add_dirs.iter().cloned());
    roots.dedup();
    Ok(roots)
}

fn absolute(text: &str, flags: &Flags) -> Result<AbsPath, String> {
    let below_home = text.strip_prefix("~/").zip(flags.user_home.as_ref());
    let path = below_home.map_or_else(|| AbsPath::new(text), |(rest, home)| home.join(rest));
    path.map_err(|error| error.to_string())
}

fn environment(layers: &Layers) -> Result<BTreeMap<String, String>, ConfigError> {
    const KEY: &str = "shell_environment_policy.set";
    let mut environment = BTreeMap::new();
    for (name, value) in layers.table(KEY)? {
        let Value::String(text) = value else {
            return match layers.find(KEY)? {
                Some((place, _)) => Err(wrong_type(place, &format!("{KEY}.{name}"), "text", &value)),
                None => Ok(environment),
            };
        };
        environment.insert(name, text);
    }
    Ok(environment)
}

fn instructions(layers: &Layers) -> Result<Option<String>, ConfigError> {
    let parts = [layers.text("instructions")?, layers.text("developer_instructions")?];
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    Ok((!parts.is_empty()).then(|| parts.join("\n\n")))
}

/// `tools.update_plan = true`, or `[tools.update_plan] enabled = true`.
fn plan_tool(layers: &Layers) -> Result<bool, ConfigError> {
    match layers.find("tools.update_plan")? {
        Some((_, Value::Table(_))) => Ok(layers.flag("tools.update_plan.enabled")?.unwrap_or(false)),
        Some(_) => Ok(layers.flag("tools.update_plan")?.unwrap_or(false)),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests;
