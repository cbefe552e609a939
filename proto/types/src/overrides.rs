//! What one turn changes in the settings of its thread, for itself and for all turns after it.

use crate::path::AbsPath;
use crate::policy::{ApprovalPolicy, PermissionProfile, SandboxMode};
use serde::{Deserialize, Serialize};

/// What a turn changes. `None` leaves a setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnOverrides {
    /// The model.
    pub model: Option<String>,
    /// The provider; a model without one is asked of the thread's own.
    pub provider: Option<String>,
    /// How hard the model should think.
    pub effort: Option<String>,
    /// Where the turn works, on the thread's node.
    pub cwd: Option<AbsPath>,
    /// The sandbox. It takes the place of a permission profile.
    pub sandbox: Option<SandboxMode>,
    /// The permission profile. It takes the place of a sandbox.
    pub profile: Option<Box<PermissionProfile>>,
    /// Directories that may be written besides the workspace, instead of those until now.
    pub writable_roots: Option<Vec<AbsPath>>,
    /// Whether sessions may use the network under `workspace-write`.
    pub network_access: Option<bool>,
    /// When a person is asked.
    pub approval: Option<ApprovalPolicy>,
}

/// Overrides that cannot be meant. For the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OverridesError {
    /// Two sandboxes at once.
    #[error("a sandbox mode and a permission profile exclude each other; leave out one of the two")]
    TwoSandboxes,
    /// A word that is none.
    #[error("the {0} is empty; leave it out to keep the thread's")]
    Empty(&'static str),
}

impl TurnOverrides {
    /// Checks what can be checked without a node or a provider.
    ///
    /// # Errors
    /// See [`OverridesError`].
    pub fn checked(self) -> Result<Self, OverridesError> {
        if self.sandbox.is_some() && self.profile.is_some() {
            return Err(OverridesError::TwoSandboxes);
        }
        let words = [("model", &self.model), ("provider", &self.provider), ("effort", &self.effort)];
        let empty = words.into_iter().find(|(_, word)| word.as_ref().is_some_and(|word| word.trim().is_empty()));
        empty.map_or(Ok(()), |(name, _)| Err(OverridesError::Empty(name)))?;
        Ok(self)
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_or_is_no_word_is_refused() {
        let two = TurnOverrides {
            sandbox: Some(SandboxMode::ReadOnly),
            profile: PermissionProfile::built_in(":workspace").map(Box::new),
            ..TurnOverrides::default()
        };
        assert_eq!(two.checked(), Err(OverridesError::TwoSandboxes));
        let blank = TurnOverrides { effort: Some(" ".into()), ..TurnOverrides::default() };
        assert_eq!(blank.checked().unwrap_err().to_string(), "the effort is empty; leave it out to keep the thread's");
        assert!(TurnOverrides::default().checked().unwrap().is_empty());
    }
}
