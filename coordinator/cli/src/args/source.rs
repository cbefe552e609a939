//! What `capstan exec` makes a new thread's workspace of.

use capstan_types::selector::Selector;
use capstan_types::source::{GitUrl, History, Revision};
use clap::Args;
use std::num::NonZeroU32;

/// The heading under which these stand in the help.
const HEADING: &str = "What the workspace is made of [default: the directory itself, in place]";

/// The flags. They count where a thread begins.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Upload the repository of this directory, run on a node with these labels, and apply what was changed there to the files here when the
    /// turn ends; '*' is any node. The same as --upload --apply --selector SELECTOR
    #[arg(long, value_name = "SELECTOR", value_parser = anywhere, conflicts_with_all = ["selector", "git", "empty", "upload"], help_heading = HEADING)]
    pub on: Option<Selector>,
    /// The repository of this directory, uploaded: what git tracks, what is changed and what is new, without what is ignored. Only what was not
    /// sent before travels, and nothing of the repository's configuration
    #[arg(long, conflicts_with_all = ["git", "empty"], help_heading = HEADING)]
    pub upload: bool,
    /// With --upload: apply what the turn changed to the files here when it ends, if it fits
    #[arg(long, requires = "upload", help_heading = HEADING)]
    pub apply: bool,
    /// With --on: leave the files here alone; `capstan apply` brings the changes over
    #[arg(long, requires = "on", help_heading = HEADING)]
    pub no_apply: bool,
    /// A repository, fetched by the node: https://, ssh://, USER@HOST:PATH, or file:// on the node. -C DIR is then a directory within it
    #[arg(long, value_name = "URL", conflicts_with = "empty", help_heading = HEADING)]
    pub git: Option<GitUrl>,
    /// With --git: the branch, tag or commit [default: the repository's HEAD]
    #[arg(long, value_name = "REV", requires = "git", help_heading = HEADING)]
    pub rev: Option<Revision>,
    /// With --git: how much of its history: whole, blobless (all commits, and files' contents of the revision only), or a number of commits
    /// [default: whole]
    #[arg(long, value_name = "HOW", requires = "git", value_parser = history, help_heading = HEADING)]
    pub history: Option<History>,
    /// With --git: its submodules as well
    #[arg(long, requires = "git", help_heading = HEADING)]
    pub submodules: bool,
    /// With --git: the files that it keeps in LFS, and not their pointers
    #[arg(long, requires = "git", help_heading = HEADING)]
    pub lfs: bool,
    /// An empty directory
    #[arg(long, help_heading = HEADING)]
    pub empty: bool,
}

impl SourceArgs {
    /// Whether the repository of this directory is uploaded.
    #[must_use]
    pub const fn uploads(&self) -> bool {
        self.upload || self.on.is_some()
    }

    /// Whether the workspace is made for the thread: uploaded, fetched or empty.
    #[must_use]
    pub const fn is_made(&self) -> bool {
        self.uploads() || self.git.is_some() || self.empty
    }

    /// Whether what was changed is applied here when the turn ends.
    #[must_use]
    pub const fn applies(&self) -> bool {
        self.apply || (self.on.is_some() && !self.no_apply)
    }

    /// Whether the workspace is made, and is no directory that is there.
    #[must_use]
    pub const fn makes(&self) -> bool {
        self.uploads() || self.git.is_some() || self.empty
    }
}

fn anywhere(text: &str) -> Result<Selector, String> {
    if text == "*" {
        Ok(Selector::default())
    } else {
        text.parse().map_err(|error: capstan_types::selector::SelectorError| error.to_string())
    }
}

fn history(text: &str) -> Result<History, String> {
    match text {
        "whole" => Ok(History::Whole),
        "blobless" => Ok(History::Blobless),
        number => number
            .parse::<NonZeroU32>()
            .map(History::Shallow)
            .map_err(|_| "write whole, blobless, or a number of commits".to_owned()),
    }
}
