//! What ractor leaves to its users: bounds on mailboxes, one error for a question, a limit on restarts, and a tree that ends in order.

pub mod ask;
pub mod bounded;
pub mod restart;
pub mod root;

pub use ask::{AskError, ask};
pub use bounded::{Admitted, BoundedRef, CastError};
pub use restart::{Restart, RestartBudget, RestartRule};
pub use root::Root;
