//! What a user can get wrong: each case ends at once with exit code 2, one sentence and perhaps a hint, and makes nothing that should
//! not be there. All messages stand side by side in snapshots, to be read as a user reads them.

mod case;
mod command_line;
mod configuration;
mod disk_full;
mod files;
mod ordinary_user;
mod prompts;

pub(crate) use case::{assert_told, programs_for_all};
pub(crate) use ordinary_user::{am_root, as_ordinary_user};

use case::{Case, told};
