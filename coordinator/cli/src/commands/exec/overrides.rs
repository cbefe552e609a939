//! What the command line changes in a thread that there is: what it names, and nothing else. What was only configured since the thread
//! began does not change it.

use crate::args::ExecArgs;
use capstan_types::overrides::TurnOverrides;
use capstan_types::path::AbsPath;
use capstan_types::thread::ThreadSettings;

/// What is changed, and what is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is changed.
    pub overrides: TurnOverrides,
    /// Directories that may be written besides those until now.
    pub add_dirs: Vec<AbsPath>,
}

/// Of all that was resolved, what was named. With a profile of the configuration all of it counts as named.
pub(super) fn changes(args: &ExecArgs, resolved: &ThreadSettings, add_dirs: Vec<AbsPath>) -> Changes {
    let set = |key: &str| args.profile.is_some() || args.config.iter().any(|set| top_key(set) == key);
    let bypassed = args.dangerously_bypass_approvals_and_sandbox;
    let sandboxed = args.sandbox.is_some() || args.permission_profile.is_some() || bypassed;
    let sandboxed = sandboxed || set("sandbox_mode") || set("default_permissions");
    let writable = set("sandbox_workspace_write");
    let answered = args.oss || args.script.is_some();
    let overrides = TurnOverrides {
        model: (args.model.is_some() || set("model") || args.oss).then(|| resolved.model.clone()),
        provider: (answered || set("model_provider")).then(|| resolved.provider.clone()),
        effort: resolved.effort.clone().filter(|_| set("model_reasoning_effort")),
        cwd: args.cd.is_some().then(|| resolved.cwd.clone()),
        sandbox: (sandboxed && resolved.profile.is_none()).then_some(resolved.sandbox),
        profile: resolved.profile.clone().filter(|_| sandboxed),
        writable_roots: writable.then(|| resolved.writable_roots.clone()),
        network_access: writable.then_some(resolved.network_access),
        approval: (bypassed || set("approval_policy")).then_some(resolved.approval),
    };
    Changes { overrides, add_dirs }
}

impl Changes {
    /// What a turn changes in a thread with these settings.
    pub(super) fn of(self, settings: &ThreadSettings) -> TurnOverrides {
        let mut overrides = self.overrides;
        if !self.add_dirs.is_empty() {
            let until_now = overrides.writable_roots.take().unwrap_or_else(|| settings.writable_roots.clone());
            let fresh = self.add_dirs.into_iter().filter(|dir| !until_now.contains(dir)).collect::<Vec<_>>();
            overrides.writable_roots = Some(until_now.iter().cloned().chain(fresh).collect());
        }
        overrides
    }
}

fn top_key(set: &str) -> &str {
    let key = set.split('=').next().unwrap_or_default();
    key.split('.').next().unwrap_or_default().trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::render::fixture;
    use capstan_types::policy::SandboxMode;
    use clap::Parser;

    fn changed(line: &str, add_dirs: &[&str]) -> Changes {
        let words = ["capstan", "exec", "resume", "x"].into_iter().chain(line.split_whitespace());
        let Command::Exec(args) = Cli::try_parse_from(words).unwrap().command else { panic!("{line}") };
        let settings = ThreadSettings { effort: Some("high".into()), sandbox: SandboxMode::ReadOnly, ..fixture::settings() };
        changes(&args, &settings, add_dirs.iter().map(|dir| AbsPath::new(*dir).unwrap()).collect())
    }

    #[test]
    fn only_what_is_named_is_changed() {
        assert_eq!(changed("", &[]), Changes::default());
        let settings = fixture::settings();
        let model = TurnOverrides { model: Some(settings.model), ..TurnOverrides::default() };
        assert_eq!(changed("-m other", &[]).overrides, model);
        assert_eq!(changed("-c model=other", &[]).overrides, model);
        let effort = TurnOverrides { effort: Some("high".into()), ..TurnOverrides::default() };
        assert_eq!(changed("-c model_reasoning_effort=high", &[]).overrides, effort);
        let sandbox = TurnOverrides { sandbox: Some(SandboxMode::ReadOnly), ..TurnOverrides::default() };
        assert_eq!(changed("-s read-only", &[]).overrides, sandbox);
        assert!(changed("--yolo", &[]).overrides.approval.is_some());
    }

    #[test]
    fn a_directory_is_added_to_those_until_now() {
        let settings = ThreadSettings { writable_roots: vec![AbsPath::new("/a").unwrap()], ..fixture::settings() };
        let roots = changed("", &["/b", "/a"]).of(&settings).writable_roots.unwrap();
        assert_eq!(roots, [AbsPath::new("/a").unwrap(), AbsPath::new("/b").unwrap()]);
        assert_eq!(changed("", &[]).of(&settings), TurnOverrides::default());
    }
}
