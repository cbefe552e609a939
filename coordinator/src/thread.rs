//! Threads: each an actor that owns its log and at most one running turn.

pub mod actor;
pub mod answerers;
pub mod at_rest;
pub mod begin;
pub mod budget;
pub mod calls;
pub mod compaction;
pub mod context;
pub mod continued;
pub mod drained;
pub mod final_message;
pub mod fork;
pub mod handle;
pub mod hosts;
pub mod inherit;
pub mod items;
pub mod known_numbers;
pub mod live;
pub mod located;
pub mod log;
pub mod loose_ends;
pub mod message;
pub mod metrics;
pub mod one_at_a_time;
pub mod open;
pub mod order;
pub mod ownership;
pub mod placing;
pub mod prompt;
pub mod put_away;
pub mod queue;
pub mod recall;
pub mod recalling;
pub mod regain;
pub mod resume;
pub mod startup;
pub mod steer;
pub mod step;
pub mod supervisor;
pub mod tally;
pub mod turn;
pub mod waiting;
pub mod workspace;

#[cfg(test)]
pub(crate) mod fixture;
