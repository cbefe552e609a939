//! What this host can do to make checkouts cheap: found by trying, once in the node's life.

use super::overlay;
use crate::session::launcher::{Launcher, Program};
use crate::session::run;
use bytes::Bytes;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

/// How long the session may take that tries a layer.
const DEADLINE: Duration = Duration::from_secs(10);

/// How workspaces get their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Each is a layer over what is checked out once.
    Overlay,
    /// Each shares the blocks of what is checked out once.
    Reflink,
    /// Each is checked out by itself.
    Copy,
}

impl Strategy {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Reflink => "reflink",
            Self::Copy => "copy",
        }
    }

    /// The best that works in `dir`, which is emptied. Sessions must work in it as well.
    pub(crate) async fn find(launcher: &Launcher, dir: &Path) -> Self {
        // An earlier life may have died in the middle of this.
        let _ = overlay::take_down(dir);
        let _ = fs::remove_dir_all(dir);
        let tried = try_overlay(launcher, dir).await;
        let _ = overlay::take_down(dir);
        let found = match tried {
            Ok(()) => Self::Overlay,
            Err(reason) => {
                tracing::debug!(%reason, "workspaces are no layers on this host");
                if shares_blocks(dir).is_ok() { Self::Reflink } else { Self::Copy }
            }
        };
        let _ = fs::remove_dir_all(dir);
        found
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Has a session change and rename what lies below a layer.
async fn try_overlay(launcher: &Launcher, dir: &Path) -> Result<(), String> {
    let base = dir.join("base");
    let laid_out = || {
        fs::create_dir_all(base.join("inner"))?;
        fs::write(base.join("inner/file"), "base")?;
        fs::create_dir(dir.join("tree"))?;
        overlay::lay_out(dir)?;
        overlay::mount(&base, dir).map(drop)
    };
    laid_out().map_err(|error| error.to_string())?;
    let tree = dir.join("tree").canonicalize().map_err(|error| error.to_string())?;
    let tree = AbsPath::new(tree).map_err(|error| error.to_string())?;
    let script = "echo changed >inner/file && mv inner outer && mkdir inner && cat outer/file";
    let program = Program {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).into(),
        cwd: tree.clone(),
        env: BTreeMap::new(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy::workspace_write(vec![tree.clone()]),
        limits: SessionLimits::default(),
    };
    let outcome = run::to_end(launcher, program, Bytes::new(), 200, DEADLINE).await.map_err(|error| format!("{error:?}"))?;
    let changed = fs::read_to_string(tree.as_path().join("outer/file")).map_err(|error| error.to_string())?;
    let kept = fs::read_to_string(base.join("inner/file")).map_err(|error| error.to_string())?;
    if outcome.end == (SessionEnd::Exited { code: 0 }) && changed == "changed\n" && kept == "base" {
        Ok(())
    } else {
        Err(format!("a session cannot work there: {}", String::from_utf8_lossy(&outcome.output).trim()))
    }
}

fn shares_blocks(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("one"), "blocks")?;
    let (one, other) = (File::open(dir.join("one"))?, File::create(dir.join("other"))?);
    Ok(rustix::fs::ioctl_ficlone(&other, &one)?)
}
