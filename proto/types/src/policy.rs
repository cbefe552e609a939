//! What is allowed, decided by pure functions. The runner enforces; nothing here touches a machine.

pub mod approval;
pub mod sandbox;

pub use approval::{ApprovalPolicy, Escalation, Verdict};
pub use sandbox::{Access, SandboxMode, SandboxPolicy};
