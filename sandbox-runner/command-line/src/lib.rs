//! What people write to the runner: the flags of `run`, the variables that its command gets, and the help.
//!
//! It turns words into a policy and enforces nothing; the runner takes the policy as it takes any other.

mod asked;
mod environment;
mod help;
mod policy;

pub use asked::Asked;
pub use help::HELP;
