//! Who must be asked before a call runs, decided from the policy and what the call asks for.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// When a person is asked, spelled as on the command line and in config.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalPolicy {
    /// Before every command.
    Untrusted,
    /// When the model asks to leave the sandbox.
    OnRequest,
    /// Never: what would need a person is declined.
    #[default]
    Never,
}

impl ApprovalPolicy {
    /// The policy as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::OnRequest => "on-request",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for ApprovalPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not an approval policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an approval policy; use untrusted, on-request or never")]
pub struct ApprovalPolicyError(String);

impl FromStr for ApprovalPolicy {
    type Err = ApprovalPolicyError;

    /// Reads a policy. `on-failure`, which older configurations hold, is read as `on-request`: a sandbox denial goes to the model,
    /// which may then ask.
    fn from_str(text: &str) -> Result<Self, ApprovalPolicyError> {
        match text {
            "untrusted" => Ok(Self::Untrusted),
            "on-request" | "on-failure" => Ok(Self::OnRequest),
            "never" => Ok(Self::Never),
            other => Err(ApprovalPolicyError(other.to_owned())),
        }
    }
}

/// What a call asks for beyond its policy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Escalation {
    /// The sandbox as the thread's policy sets it.
    #[default]
    None,
    /// To run without the sandbox.
    LeaveSandbox {
        /// The model's reason, shown to whoever decides.
        justification: Option<String>,
    },
    /// To write below a path that the policy keeps read-only.
    WriteOutside {
        /// The path, as the call named it.
        path: String,
    },
}

/// What the policy says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Run it under the thread's policy.
    Run,
    /// Ask a person first.
    Ask {
        /// What to tell that person.
        reason: String,
    },
    /// Do not run it.
    Decline {
        /// What to tell the model.
        reason: String,
    },
}

impl ApprovalPolicy {
    /// Decides whether a call may run, must be asked about, or is declined.
    ///
    /// `unconfined` says that the thread's policy has no sandbox to leave, so that an escalation asks for nothing.
    #[must_use]
    pub fn decide(self, escalation: &Escalation, unconfined: bool) -> Verdict {
        match (self, escalation) {
            (Self::Never | Self::OnRequest, Escalation::None) => Verdict::Run,
            (Self::Never | Self::OnRequest, _) if unconfined => Verdict::Run,
            (Self::Untrusted, Escalation::None) => {
                Verdict::Ask { reason: "the approval policy `untrusted` asks before every command".to_owned() }
            }
            (Self::Never, Escalation::LeaveSandbox { .. }) => Verdict::Decline {
                reason: "the approval policy is `never`, so nobody can grant escalated permissions; work inside the sandbox, or say in \
                         your answer what has to be done outside it"
                    .to_owned(),
            },
            (Self::Never, Escalation::WriteOutside { path }) => Verdict::Decline {
                reason: format!(
                    "`{path}` is outside the writable roots, and the approval policy is `never`; change only files inside them"
                ),
            },
            (Self::OnRequest | Self::Untrusted, Escalation::LeaveSandbox { justification }) => Verdict::Ask {
                reason: justification.clone().unwrap_or_else(|| "the call asks to run without the sandbox".to_owned()),
            },
            (Self::OnRequest | Self::Untrusted, Escalation::WriteOutside { path }) => {
                Verdict::Ask { reason: format!("the patch writes to `{path}`, outside the writable roots") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVE: Escalation = Escalation::LeaveSandbox { justification: None };

    #[test]
    fn never_declines_what_a_person_would_have_to_grant() {
        assert_eq!(ApprovalPolicy::Never.decide(&Escalation::None, false), Verdict::Run);
        assert!(matches!(ApprovalPolicy::Never.decide(&LEAVE, false), Verdict::Decline { .. }));
        assert_eq!(ApprovalPolicy::Never.decide(&LEAVE, true), Verdict::Run);
        let outside = Escalation::WriteOutside { path: "/etc/passwd".into() };
        assert!(
            matches!(ApprovalPolicy::Never.decide(&outside, false), Verdict::Decline { reason } if reason.contains("/etc/passwd"))
        );
    }

    #[test]
    fn untrusted_asks_for_every_command_and_on_request_only_for_more() {
        assert!(matches!(ApprovalPolicy::Untrusted.decide(&Escalation::None, true), Verdict::Ask { .. }));
        assert_eq!(ApprovalPolicy::OnRequest.decide(&Escalation::None, false), Verdict::Run);
        let why = Escalation::LeaveSandbox { justification: Some("needs docker".into()) };
        assert_eq!(ApprovalPolicy::OnRequest.decide(&why, false), Verdict::Ask { reason: "needs docker".into() });
    }

    #[test]
    fn the_older_word_on_failure_is_still_read() {
        assert_eq!("on-failure".parse(), Ok(ApprovalPolicy::OnRequest));
        assert_eq!(
            "sometimes".parse::<ApprovalPolicy>().unwrap_err().to_string(),
            "`sometimes` is not an approval policy; use untrusted, on-request or never"
        );
    }
}
