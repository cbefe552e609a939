//! Patches: single cases, and what holds for all of them.

mod laws;
mod scenarios;
