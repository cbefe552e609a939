//! What calls of tools become: items for people, outputs for the model, and processes and files on the machine.

mod arguments;
mod commands;
mod output;
mod parallel;
mod patches;
mod requests;
mod sessions;
mod time_limits;
mod transcript;
