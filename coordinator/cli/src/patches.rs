//! Patches of what a thread changed, brought into a repository of this host: onto its files, or as a commit on a branch.
//!
//! Invariant: what is not committed is never lost. A patch is first judged on a bench beside the repository; only what it comes to is written,
//! and git refuses to write over what is not as it was then.

mod apply;
mod commit;
mod judge;
mod names;
mod told;

pub use apply::{Applied, How, apply};
pub use commit::{Commit, commit};
pub use judge::{Conflict, Direction};
pub use told::{told, untold};
