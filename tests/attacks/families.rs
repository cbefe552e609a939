//! The tables of attacks, one file for each family.

mod files;
mod git;
mod kernel;
mod lifecycle;
mod network;
mod processes;
mod resources;
mod secrets;
mod terminal;

use crate::attack::{Attack, Family};

/// Every attack there is, by family.
pub(crate) const ALL: [(Family, &[Attack]); 9] = [
    (Family::Files, files::ATTACKS),
    (Family::Git, git::ATTACKS),
    (Family::Secrets, secrets::ATTACKS),
    (Family::Processes, processes::ATTACKS),
    (Family::Kernel, kernel::ATTACKS),
    (Family::Network, network::ATTACKS),
    (Family::Terminal, terminal::ATTACKS),
    (Family::Lifecycle, lifecycle::ATTACKS),
    (Family::Resources, resources::ATTACKS),
];
