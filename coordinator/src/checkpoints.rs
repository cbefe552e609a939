//! Checkpoints of workspaces, as a coordinator takes, keeps and carries them.

pub mod rules;
