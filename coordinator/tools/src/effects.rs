//! What a call reads and writes, as far as its order among the other calls of its answer depends on that.

/// What a call reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effects {
    /// Nothing that another call could change.
    Nothing,
    /// It reads files of the workspace.
    Reads,
    /// It runs a program, or speaks to one, which may read and write whatever its sandbox lets it. A model that asks for several programs in one
    /// answer has asked for them side by side: they may even wait for each other.
    Runs,
    /// It writes files of the workspace that it names.
    Writes,
    /// It replaces the plan that the turn shows.
    Plans,
}

/// What a call must hold of a thing that several calls of an answer touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It does not touch it.
    Nothing,
    /// It may have it together with others that share it.
    Share,
    /// It has it alone: those that were asked for before it have let go, those after it wait.
    Alone,
}

impl Effects {
    /// What it must hold of the workspace. A program lets go when it ends, or is left to run on.
    #[must_use]
    pub const fn on_workspace(self) -> Hold {
        match self {
            Self::Nothing | Self::Plans => Hold::Nothing,
            Self::Reads | Self::Runs => Hold::Share,
            Self::Writes => Hold::Alone,
        }
    }

    /// What it must hold of the turn's plan.
    #[must_use]
    pub const fn on_plan(self) -> Hold {
        match self {
            Self::Plans => Hold::Alone,
            Self::Nothing | Self::Reads | Self::Runs | Self::Writes => Hold::Nothing,
        }
    }
}
