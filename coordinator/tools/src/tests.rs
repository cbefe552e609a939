//! The tools against a machine made of channels: each test plays the node, event by event, under a clock that stands still.

mod again;
mod apply_patch;
mod exec_command;
mod fake;
mod hosts;
mod later_turns;
mod lost;
mod patch_in_shell;
mod policy;
mod sessions;
mod update_plan;
mod view_image;
mod write_stdin;
