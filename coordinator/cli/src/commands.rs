//! What the program does, one file per command.

pub mod apply;
pub mod cluster;
pub mod coordinator;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod exec;
pub mod files;
pub mod node;
pub mod nodes;
pub mod sandbox;
pub mod sessions;
pub mod threads;
pub mod workspaces;
