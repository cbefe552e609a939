//! What a model is told before the user speaks.

use capstan_model::ToolDefinition;
use capstan_tools::spec::ToolSpec;
use capstan_types::history::Entry;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;

/// The base instructions of every thread.
const BASE: &str = include_str!("prompt/base.md");

/// The instructions of a thread: the base ones and what its settings add.
#[must_use]
pub fn instructions(settings: &ThreadSettings) -> String {
    match &settings.instructions {
        Some(added) => format!("{BASE}\n{added}\n"),
        None => BASE.to_owned(),
    }
}

/// The first entry of a thread's history: where it works, and what it may do there.
#[must_use]
pub fn environment(settings: &ThreadSettings, facts: &WorkspaceFacts, policy: &SandboxPolicy) -> Entry {
    let git = if facts.git { "a git work tree" } else { "not under git" };
    let text = format!(
        "<environment>\n<node>{}</node>\n<cwd>{}</cwd> ({git})\n<shell>bash</shell>\n</environment>\n\
         <permissions>\nSandbox: {}. {}\nApproval policy: {}. {}\n</permissions>",
        facts.node,
        facts.root,
        policy.mode,
        sandbox(settings, policy),
        settings.approval,
        approval(settings),
    );
    Entry::Developer { text }
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
    let paths: Vec<_> = policy.readable.iter().map(capstan_types::path::AbsPath::as_str).collect();
    (!paths.is_empty()).then(|| format!("besides the system's files these can be read: {}", paths.join(", ")))
}

fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

const fn approval(settings: &ThreadSettings) -> &'static str {
    use capstan_types::policy::ApprovalPolicy;
    match settings.approval {
        ApprovalPolicy::Never => "Nobody can be asked: what the sandbox refuses stays refused, so find another way or report it.",
        ApprovalPolicy::OnRequest => {
            "To run one command without the sandbox, call it again with sandbox_permissions set to require_escalated and a justification."
        }
        ApprovalPolicy::Untrusted => "Every command is shown to a person first.",
    }
}

/// A tool as the model's client is told of it.
#[must_use]
pub fn definition(spec: ToolSpec) -> ToolDefinition {
    ToolDefinition { name: spec.name.to_owned(), description: spec.description.to_owned(), parameters: spec.parameters }
}

#[cfg(test)]
mod tests;
