//! The findings as a person reads them.

mod session;

use super::findings::{Findings, Place, ProgramFound, ProviderFound};
use crate::render::{Ink, Role, text};
use capstan_types::node::Fingerprint;

/// How a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    /// Something less works.
    Lacking,
    /// `capstan exec` does not work because of it.
    Bad,
}

struct Row {
    mark: Mark,
    name: String,
    says: String,
}

fn row(mark: Mark, name: impl Into<String>, says: impl Into<String>) -> Row {
    Row { mark, name: name.into(), says: says.into() }
}

pub(super) fn lines(findings: &Findings, ink: Ink) -> Vec<String> {
    let sections = [
        ("this host", host(findings)),
        ("a session here", session::rows(findings)),
        ("sandbox modes", modes(findings)),
        ("model providers", findings.providers.iter().map(provider).collect()),
        ("programs", findings.programs.iter().map(program).collect()),
        ("this user", [place("home", &findings.home), place("config.toml", &findings.config)].into_iter().flatten().collect()),
    ];
    let mut lines = vec![ink.paint(Role::Strong, &format!("capstan {}", findings.version))];
    for (title, rows) in sections {
        lines.push(String::new());
        lines.push(ink.paint(Role::Strong, title));
        lines.extend(rows.iter().map(|row| line(row, ink)));
    }
    lines.push(String::new());
    lines.push(match findings.ready() {
        true => ink.paint(Role::Good, "capstan exec can work here"),
        false => ink.paint(Role::Bad, "capstan exec cannot work here: see the lines marked ✗"),
    });
    lines
}

fn line(row: &Row, ink: Ink) -> String {
    let (sign, role) = match row.mark {
        Mark::Good => ("✓", Role::Good),
        Mark::Lacking => ("–", Role::Warning),
        Mark::Bad => ("✗", Role::Bad),
    };
    format!("  {} {:<18} {}", ink.paint(role, sign), text::line(&row.name), text::line(&row.says)).trim_end().to_owned()
}

fn host(findings: &Findings) -> Vec<Row> {
    let runner = match &findings.runner.problem {
        None => row(Mark::Good, "runner", &findings.runner.command),
        Some(problem) => row(Mark::Bad, "runner", problem),
    };
    [runner].into_iter().chain(findings.host.iter().flat_map(kernel)).collect()
}

fn kernel(host: &Fingerprint) -> Vec<Row> {
    let user = if host.root { "as root" } else { "as an ordinary user" };
    let landlock = match host.landlock_abi {
        Some(abi) => row(Mark::Good, "Landlock", format!("ABI {abi}")),
        None => row(Mark::Bad, "Landlock", "missing; boot with `landlock` in lsm="),
    };
    let seccomp = match host.seccomp {
        true => row(Mark::Good, "seccomp", "system calls can be filtered"),
        false => row(Mark::Bad, "seccomp", "filters cannot be attached"),
    };
    vec![
        row(Mark::Good, "kernel", format!("{} {}, {user}", host.kernel, host.arch)),
        landlock,
        seccomp,
        listed("namespaces", &host.namespaces),
        listed("cgroups", &host.cgroups),
    ]
}

fn listed(name: &str, found: &[String]) -> Row {
    match found {
        [] => row(Mark::Lacking, name, "none"),
        found => row(Mark::Good, name, found.join(" ")),
    }
}

fn modes(findings: &Findings) -> Vec<Row> {
    let confined = |name: &str| match findings.confines() {
        true => row(Mark::Good, name, "works"),
        false => row(Mark::Bad, name, "refused: this host cannot enforce it"),
    };
    vec![confined("read-only"), confined("workspace-write"), row(Mark::Good, "danger-full-access", "works, and confines nothing")]
}

fn provider(provider: &ProviderFound) -> Row {
    match (&provider.problem, &provider.env_key) {
        (Some(problem), _) => row(Mark::Lacking, &provider.id, problem),
        (None, None) => row(Mark::Good, &provider.id, "needs no key"),
        (None, Some(name)) if provider.key => row(Mark::Good, &provider.id, format!("{name} is set")),
        (None, Some(name)) => row(Mark::Lacking, &provider.id, format!("{name} is not set")),
    }
}

fn program(program: &ProgramFound) -> Row {
    match (&program.path, program.required) {
        (Some(path), _) => row(Mark::Good, &program.name, path.display().to_string()),
        (None, true) => row(Mark::Bad, &program.name, format!("missing; it {}", program.purpose)),
        (None, false) => row(Mark::Lacking, &program.name, format!("missing; it {}", program.purpose)),
    }
}

fn place(name: &str, place: &Place) -> Vec<Row> {
    let own = match (&place.problem, &place.path) {
        (Some(problem), _) => row(Mark::Bad, name, problem),
        (None, Some(path)) => row(Mark::Good, name, path.display().to_string()),
        (None, None) => row(Mark::Good, name, "none, so the defaults hold"),
    };
    [own].into_iter().chain(place.warnings.iter().map(|warning| row(Mark::Lacking, "", warning))).collect()
}

#[cfg(test)]
mod tests;
