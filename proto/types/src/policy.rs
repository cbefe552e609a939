//! What is allowed, decided by pure functions. The runner enforces; nothing here touches a machine.

pub mod approval;
pub mod ceiling;
pub mod host;
mod level;
mod narrow;
mod network;
pub mod profile;
pub mod sandbox;
mod told;

pub use approval::{ApprovalPolicy, Escalation, Verdict};
pub use ceiling::{Ceiling, CeilingError};
pub use host::{Host, HostError, HostRule};
pub use level::{Level, LevelError};
pub use network::Network;
pub use profile::{PermissionProfile, Place, ProfileError};
pub use sandbox::{Access, PROTECTED, SandboxMode, SandboxPolicy};
