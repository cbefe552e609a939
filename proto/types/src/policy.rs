//! What is allowed, decided by pure functions. The runner enforces; nothing here touches a machine.

pub mod approval;
pub mod host;
mod level;
mod network;
pub mod sandbox;

pub use approval::{ApprovalPolicy, Escalation, Verdict};
pub use host::{Host, HostError, HostRule};
pub use level::{Level, LevelError};
pub use network::Network;
pub use sandbox::{Access, PROTECTED, SandboxMode, SandboxPolicy};
