//! What every long-running process of Capstan needs and none of them is about: actors with bounds, telemetry, configuration files,
//! and an orderly end. It knows no noun of the system.

pub mod actors;

pub mod monitor;
pub mod service_manager;
pub mod telemetry;
pub mod trace_context;

pub mod config_file;
pub mod shutdown;
