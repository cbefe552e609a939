//! How fast one provider is asked, by all threads of a coordinator together.
//!
//! A provider tells its limits mostly by refusing. What it tells is learned here, once for everybody: how many requests it takes at the
//! same time, and how fast its quotas fill up again. [`line`] decides, and is pure; [`gate`] waits. Invariants: who came first is
//! admitted first; a place is given back whatever becomes of its holder; a refused request never makes more requests than it was.

mod gate;
mod line;
mod pace;
mod quota;

pub(crate) use gate::{Gate, NoPlace, Permit};
pub(crate) use line::Ticket;
pub(crate) use pace::Bounds;
pub(crate) use quota::Quotas;

#[cfg(test)]
mod tests;
