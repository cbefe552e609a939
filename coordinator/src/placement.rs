//! Placement: choosing the node for a workspace. The view is a snapshot, the choice a pure function of it.

pub mod choose;
pub mod view;
