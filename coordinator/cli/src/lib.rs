//! The `capstan` program: its command line, its output, and everything in one process.
//!
//! It is the only crate that knows both daemons. What it shows it has from `capstan.client.v1`, as any other client would.

pub mod run;

pub mod args;
pub mod commands;

pub mod config;
pub mod given_file;
mod global_doc;
pub mod home;
pub mod prompt;
pub mod surroundings;
pub mod workspace;

pub mod client;
pub mod daemon;
pub mod embedded;
pub mod engaged;
pub mod hidden_home;
pub mod kept;
pub mod signals;
pub mod thread_choice;
pub mod turn;

pub mod cast;
pub mod last_message;
pub mod render;
pub mod screen;
pub mod signal_name;
pub mod terminal;

pub mod host;
pub mod level;
pub mod membership;
pub mod monitor;
pub mod programs;
pub mod runner;
pub mod token_file;
pub mod who;

pub mod line;
pub mod lone;

pub mod fetched;
pub mod local_git;
pub mod local_program;
pub mod patches;
pub mod upload;

pub mod failure;
pub mod hint;
pub mod refusal;
pub mod runtime;
pub mod telemetry;
