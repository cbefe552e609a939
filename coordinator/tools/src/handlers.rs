//! The tools, one file each.

mod apply_patch;
mod exec_command;
mod list_hosts;
mod run_on_all;
mod sessions;
mod tell;
mod update_plan;
mod view_image;
mod write_stdin;

pub(crate) use apply_patch::ApplyPatch;
pub(crate) use exec_command::ExecCommand;
pub(crate) use list_hosts::ListHosts;
pub(crate) use run_on_all::RunOnAll;
pub(crate) use sessions::Sessions;
pub(crate) use tell::leave;
pub(crate) use update_plan::UpdatePlan;
pub(crate) use view_image::ViewImage;
pub(crate) use write_stdin::WriteStdin;
