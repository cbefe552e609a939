//! Patches of what a thread changed, brought into a repository of this host: onto its files, or as a commit on a branch.
//!
//! Invariant: what is not committed is never lost. A patch is first judged on a bench beside the repository; only what it comes to is written,
//! by renaming, over what is still as it was then; what was there is kept until all of it is done, and put back when something fails.

mod apply;
mod commit;
mod differences;
mod exchange;
mod judge;
mod names;
mod told;
mod write;

pub use apply::{Applied, How, apply};
pub use commit::{Commit, commit};
pub use judge::{Conflict, Direction};
pub use told::{told, untold};
