//! What a new thread's workspace is made of, as the command line says it.

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::local_git::{Git, Repository};
use crate::surroundings::Surroundings;
use capstan_types::path::AbsPath;
use capstan_types::source::{GitSource, WorkspaceSource};
use std::path::{Component, Path};

/// Where a thread is to work.
#[derive(Debug)]
pub(super) enum Ground {
    /// In a directory that is there.
    InPlace,
    /// In a workspace that is made of this, in the directory `below` its top.
    Made { source: WorkspaceSource, below: AbsPath },
    /// In a copy of the person's repository.
    Uploaded(Box<Local>),
}

/// The repository that is uploaded.
#[derive(Debug, Clone)]
pub struct Local {
    /// For what is asked of it.
    pub git: Git,
    /// It.
    pub repository: Repository,
    /// The directory in which the thread works, from the top.
    pub below: AbsPath,
    /// Whether what was changed is applied to it when the turn ends.
    pub applies: bool,
}

/// Reads the flags. `cd` is that of `-C`.
///
/// # Errors
/// They do not go together, or there is no repository.
pub(super) fn ground(args: &SourceArgs, cd: Option<&Path>, surroundings: &Surroundings) -> Result<Ground, Failure> {
    if args.uploads() {
        return uploaded(args, cd, surroundings).map(|local| Ground::Uploaded(Box::new(local)));
    }
    let source = match &args.git {
        Some(url) => WorkspaceSource::Git(GitSource {
            revision: args.rev.clone(),
            history: args.history.unwrap_or_default(),
            submodules: args.submodules,
            lfs: args.lfs,
            ..GitSource::whole(url.clone())
        }),
        None if args.empty => WorkspaceSource::Empty,
        None => return Ok(Ground::InPlace),
    };
    Ok(Ground::Made { below: below(cd, source.kind())?, source })
}

/// A directory of a workspace that is not there yet.
fn below(cd: Option<&Path>, kind: &str) -> Result<AbsPath, Failure> {
    let cd = cd.unwrap_or_else(|| Path::new(""));
    let stays = cd.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !stays {
        let sentence =
            format!("with --{kind}, -C names a directory within the workspace that is made, and {} is none", cd.display());
        return Err(
            Failure::bad_input(sentence).hint("write it from the workspace's top, such as -C crates/core, or leave it out")
        );
    }
    let plain: std::path::PathBuf = cd.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    AbsPath::new(Path::new("/").join(plain)).map_err(Failure::bad_input)
}

fn uploaded(args: &SourceArgs, cd: Option<&Path>, surroundings: &Surroundings) -> Result<Local, Failure> {
    let git = Git::find(surroundings)?;
    let directory = cd.map_or_else(|| Ok(surroundings.cwd().clone()), |path| surroundings.absolute(path))?;
    let real = directory.as_path().canonicalize().map_err(|error| {
        Failure::bad_input(format!("{directory} cannot be uploaded: {error}")).hint("name an existing directory with -C DIR")
    })?;
    let repository = Repository::of(&git, &real)?;
    let top = repository.top.canonicalize().unwrap_or_else(|_| repository.top.clone());
    let inner = real.strip_prefix(&top).unwrap_or_else(|_| Path::new(""));
    let below = AbsPath::new(Path::new("/").join(inner)).map_err(Failure::bad_input)?;
    Ok(Local { git, repository, below, applies: args.applies() })
}
