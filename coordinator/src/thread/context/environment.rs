//! Where a turn works and what it may do there, as the model is told: whole at first, and then only what has changed.
//!
//! What a model knows is read from what it was told, its own history, so that no other record can disagree with it: after a crash, on
//! another coordinator, and when a history was shortened.

use capstan_types::history::Entry;
use capstan_types::id::NodeId;
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, SandboxPolicy};
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;
use std::collections::BTreeMap;

const WHOLE: &str = "<environment>";
const CHANGE: &str = "<environment_change>";

/// What is told, as tags and their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    place: Vec<(&'static str, String)>,
    permissions: Vec<(&'static str, String)>,
}

/// What the model knows, by tag.
pub type Known = BTreeMap<String, String>;

impl Environment {
    /// The environment of a turn; `today` is a date.
    #[must_use]
    pub fn of(settings: &ThreadSettings, facts: &WorkspaceFacts, policy: &SandboxPolicy, today: &str) -> Self {
        let repository = match &facts.top {
            Some(top) => top.to_string(),
            None if facts.git => "a git work tree that holds more than a project".to_owned(),
            None => "none; the directory is not under git".to_owned(),
        };
        let mut place = vec![
            ("node", facts.node.to_string()),
            ("system", facts.system.clone()),
            ("cwd", facts.root.to_string()),
            ("repository", repository),
            ("shell", "bash".to_owned()),
            ("date", format!("{today} (UTC)")),
        ];
        if !settings.hosts.is_empty() {
            place.push(("hosts", others(settings, &facts.node)));
        }
        let permissions = [
            ("sandbox", format!("{}. {}", policy.mode, sandbox(settings, policy))),
            ("approval", format!("{}. {}", settings.approval, approval(settings.approval))),
        ];
        let said = |facts: Vec<(&'static str, String)>| facts.into_iter().map(|(tag, text)| (tag, one_line(&text))).collect();
        Self { place: said(place), permissions: said(permissions.to_vec()) }
    }

    /// What is new to a model that knows this much: all of it, what has changed, or nothing.
    #[must_use]
    pub fn news(&self, known: &Known) -> Option<Entry> {
        let text = if known.is_empty() { self.whole() } else { self.change(known)? };
        Some(Entry::Developer { text })
    }

    fn whole(&self) -> String {
        let (place, permissions) = (lines(&self.place), lines(&self.permissions));
        format!("{WHOLE}\n{place}</environment>\n<permissions>\n{permissions}</permissions>")
    }

    fn change(&self, known: &Known) -> Option<String> {
        let changed = |(tag, text): &&(&'static str, String)| known.get(*tag) != Some(text);
        let changed: Vec<_> = self.place.iter().chain(&self.permissions).filter(changed).cloned().collect();
        let lines = (!changed.is_empty()).then(|| lines(&changed))?;
        Some(format!("{CHANGE}\nFrom here on this holds; the rest is as it was.\n{lines}</environment_change>"))
    }
}

/// How many hosts are named; `list_hosts` tells all.
const NAMED_HOSTS: usize = 20;

fn others(settings: &ThreadSettings, home: &NodeId) -> String {
    let mut names: Vec<&str> =
        settings.hosts.iter().map(|host| host.node.as_str()).filter(|name| *name != home.as_str()).collect();
    let more = names.len().saturating_sub(NAMED_HOSTS);
    names.truncate(NAMED_HOSTS);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "{home} is home; calls may also name {}{more}. Each host has files of its own: what is written on one is not on the others. A call works          in the directory that list_hosts tells of its host.",
        names.join(", ")
    )
}

/// What a model with this history knows of its environment.
#[must_use]
pub fn known(history: &[Entry]) -> Known {
    let told = history.iter().filter_map(|entry| match entry {
        Entry::Developer { text } if text.starts_with(WHOLE) || text.starts_with(CHANGE) => Some(text),
        _ => None,
    });
    told.flat_map(|text| text.lines()).filter_map(fact).map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect()
}

/// Whether an entry tells of the environment.
#[must_use]
pub fn is_told_by(entry: &Entry) -> bool {
    matches!(entry, Entry::Developer { text } if text.starts_with(WHOLE) || text.starts_with(CHANGE))
}

fn fact(line: &str) -> Option<(&str, &str)> {
    let (tag, rest) = line.strip_prefix('<')?.split_once('>')?;
    Some((tag, rest.strip_suffix('>')?.strip_suffix(tag)?.strip_suffix("</")?))
}

fn lines(facts: &[(&str, String)]) -> String {
    facts.iter().map(|(tag, text)| format!("<{tag}>{text}</{tag}>\n")).collect()
}

/// A path may hold anything but NUL, and must not look like the end of what it stands in.
fn one_line(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() };
    text.replace('<', "&lt;").chars().map(plain).collect()
}

fn sandbox(settings: &ThreadSettings, policy: &SandboxPolicy) -> String {
    let told = policy.told();
    let told = if told.is_empty() { "commands run without a sandbox".to_owned() } else { told.join("; ") };
    let limits = settings.limits().told();
    let limits = (!limits.is_empty()).then(|| format!("each command may use {}", limits.join(", ")));
    let readable = readable(policy);
    let sentences: Vec<_> = [told].into_iter().chain(readable).chain(limits).map(|clause| sentence(&clause)).collect();
    sentences.join(" ")
}

/// What may be read that one would not expect: neither the system's own nor what the sentences before name.
fn readable(policy: &SandboxPolicy) -> Option<String> {
    let paths: Vec<_> = policy.readable.iter().map(AbsPath::as_str).collect();
    (!paths.is_empty()).then(|| format!("besides the system's files these can be read: {}", paths.join(", ")))
}

fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

const fn approval(policy: ApprovalPolicy) -> &'static str {
    match policy {
        ApprovalPolicy::Never => "Nobody can be asked: what the sandbox refuses stays refused, so find another way or report it.",
        ApprovalPolicy::OnRequest => {
            "To run one command without the sandbox, call it again with sandbox_permissions set to require_escalated and a justification."
        }
        ApprovalPolicy::Untrusted => "Every command is shown to a person first.",
    }
}

#[cfg(test)]
mod tests;
