//! Placement: choosing the node for a workspace.
//!
//! Nothing here waits, and nothing here knows a clock or a network: [`view::View`] is told what happens, [`choose::choose`] is a pure function
//! of it and a [`need::Need`], and whoever asks acts on the answer.

pub mod facts;
pub mod need;
pub mod reservations;
pub mod view;

pub mod choose;
pub mod gather;
pub mod no_place;

pub mod queue;
