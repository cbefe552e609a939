//! A policy in words, for models and people: facts, each once.

use crate::path::AbsPath;
use crate::policy::{Network, PROTECTED, SandboxMode, SandboxPolicy};

/// The most paths or hosts of one list that are named.
const MOST_NAMED: usize = 12;

impl SandboxPolicy {
    /// What may be written, which names are protected, what is hidden, and which network there is: clauses that begin small. Empty
    /// without a sandbox.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let writes = match self.mode {
            SandboxMode::DangerFullAccess => return Vec::new(),
            SandboxMode::WorkspaceWrite if !self.writable.is_empty() => {
                format!("files can be written only below {}", listed(&texts(&self.writable), "and"))
            }
            SandboxMode::WorkspaceWrite | SandboxMode::ReadOnly => "files can be read, not written".to_owned(),
        };
        let names: Vec<&str> = PROTECTED.into_iter().chain(self.protected.iter().map(String::as_str)).collect();
        let protected = (self.mode == SandboxMode::WorkspaceWrite && !self.writable.is_empty())
            .then(|| format!("{} are read-only wherever they occur there", listed(&names, "and")));
        let hidden =
            (!self.hidden.is_empty()).then(|| format!("hidden, not to be read: {}", listed(&texts(&self.hidden), "and")));
        [writes].into_iter().chain(protected).chain(hidden).chain([self.network.told()]).collect()
    }
}

impl Network {
    /// The network as a clause.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::None => "there is no network".to_owned(),
            Self::Loopback => "network: the session's own loopback only".to_owned(),
            Self::Hosts(rules) if rules.is_empty() => Self::Loopback.told(),
            Self::Hosts(rules) => {
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
                format!("network: its own loopback, and through the proxy that the environment names {}", listed(&rules, "and"))
            }
            Self::Full => "network: open".to_owned(),
        }
    }
}

fn texts(paths: &[AbsPath]) -> Vec<&str> {
    paths.iter().map(AbsPath::as_str).collect()
}

fn listed(texts: &[&str], last: &str) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., end] if texts.len() <= MOST_NAMED => format!("{} {last} {end}", first.join(", ")),
        more => {
            let (named, rest) = more.split_at(MOST_NAMED);
            format!("{} {last} {} more", named.join(", "), rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<AbsPath> {
        texts.iter().map(|text| AbsPath::new(text).unwrap()).collect()
    }

    #[test]
    fn a_policy_is_told_as_facts() {
        let policy = SandboxPolicy {
            hidden: paths(&["/w/.env"]),
            protected: vec!["Cargo.lock".into()],
            network: Network::Hosts(vec!["a.io".parse().unwrap()]),
            ..SandboxPolicy::workspace_write(paths(&["/w", "/cache", "/tmp"]))
        };
        let told = [
            "files can be written only below /w, /cache and /tmp",
            ".git/hooks, .git/config, .capstan, .codex, .agents and Cargo.lock are read-only wherever they occur there",
            "hidden, not to be read: /w/.env",
            "network: its own loopback, and through the proxy that the environment names a.io",
        ];
        assert_eq!(policy.told(), told);
        let told = ["files can be read, not written", "network: the session's own loopback only"];
        assert_eq!(SandboxPolicy::read_only().told(), told);
        assert!(SandboxPolicy::full_access().told().is_empty());
    }

    #[test]
    fn a_long_list_is_counted_and_not_told_in_full() {
        let roots: Vec<String> = (0..20).map(|number| format!("/r{number}")).collect();
        let policy = SandboxPolicy::workspace_write(roots.iter().map(|root| AbsPath::new(root).unwrap()).collect());
        assert!(policy.told()[0].ends_with("/r11 and 8 more"), "{:?}", policy.told());
    }
}
