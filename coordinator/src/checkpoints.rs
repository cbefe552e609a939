//! Checkpoints of workspaces, as a coordinator takes, keeps and carries them.

pub mod rules;

pub mod retention;
pub mod risk;
pub mod shelf;
pub mod sweep;

pub mod carry;
