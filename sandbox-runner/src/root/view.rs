//! What one policy adds to the base root: the directories it names, read-only places in them, hidden ones, the home of its environment.
//!
//! Decided and opened before the program's process exists, so that what is wrong can be said in words; shown from inside it.

use super::bind::{self, Bind, text};
use super::protect::Protection;
use super::{HOST, layout, leave_host, mask, private};
use crate::kernel::beneath::Held;
use crate::kernel::mounts::{self, HARMLESS, READ_ONLY};
use crate::owners::{Owners, User};
use crate::roots;
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The view of one session.
#[derive(Debug)]
pub(crate) struct View {
    binds: Vec<Bind>,
    writable: Vec<PathBuf>,
    home: Option<PathBuf>,
    private_home: bool,
    protection: Protection,
    hidden: Vec<PathBuf>,
}

/// Why there is no view.
#[derive(Debug)]
pub(crate) enum NoView {
    /// The policy cannot be applied.
    Refused(Refusal),
    /// This directory cannot be given to another user.
    Owner(PathBuf, io::Error),
}

impl From<Refusal> for NoView {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl View {
    /// The view of `policy` for a session whose home is `home`, in a root that shows `shown_home` already. `found` names the places that [`Protection`] would have to look for.
    pub(crate) fn of(
        policy: &SandboxPolicy,
        home: Option<&Path>,
        found: Option<&[AbsPath]>,
        shown_home: Option<&Path>,
        owners: &mut Owners,
    ) -> Result<Self, NoView> {
        let home = home.and_then(|home| home.canonicalize().ok()).filter(|home| layout::may_be_private(home));
        let mut view = Self {
            private_home: home.is_some() && shown_home != home.as_deref(),
            home,
            binds: Vec::new(),
            writable: Vec::new(),
            protection: Protection::default(),
            hidden: Vec::new(),
        };
        if policy.mode == SandboxMode::WorkspaceWrite {
            for root in &policy.writable {
                let root = roots::writable(root.as_path()).map_err(|reason| Refusal::Policy { reason })?;
                view.write(root, owners)?;
            }
            if !policy.unprotected {
                view.protection = Protection::of(&view.writable, &policy.protected, found);
            }
            view.protect_logins();
        }
        for place in &policy.readable {
            view.read(place.as_path(), owners)?;
        }
        view.binds.sort_by(|one, other| one.target().cmp(other.target()));
        // Their modes do for users other than one.
        let of_system = if owners.user().kernel() == 0 { layout::SYSTEM_SECRETS.as_slice() } else { &[] };
        let named = policy.hidden.iter().map(AbsPath::as_path).chain(of_system.iter().map(Path::new));
        let of_home = view.home.as_deref().map(secrets).unwrap_or_default();
        named.map(real).chain(of_home).for_each(|place| view.hide(place));
        Ok(view)
    }

    fn write(&mut self, root: PathBuf, owners: &mut Owners) -> Result<(), NoView> {
        // The session has its own of these.
        if layout::SCRATCH.iter().any(|scratch| root == Path::new(scratch)) || self.shows(&root) {
            return Ok(());
        }
        let opened =
            fs::metadata(&root).and_then(|found| Bind::open(root.clone(), &found, HARMLESS, Some(bind::owner(&found)), owners));
        self.binds.push(opened.map_err(|error| NoView::Owner(root.clone(), error))?);
        self.writable.push(root);
        Ok(())
    }

    fn read(&mut self, place: &Path, owners: &mut Owners) -> Result<(), NoView> {
        let real = roots::readable(place).map_err(|reason| Refusal::Policy { reason })?;
        if self.writable.iter().any(|root| real.starts_with(root)) || self.shows(&real) || layout::is_shown(&real) {
            return Ok(());
        }
        let opened = fs::metadata(&real).and_then(|found| {
            Bind::open(real.clone(), &found, READ_ONLY, Some(bind::owner(&found)), owners)
                // Where owners cannot be translated, what everybody may read can still be read.
                .or_else(|_| Bind::open(real.clone(), &found, READ_ONLY, None, owners))
        });
        self.binds.push(opened.map_err(|error| NoView::Owner(real, error))?);
        Ok(())
    }

    fn shows(&self, place: &Path) -> bool {
        self.binds.iter().any(|bind| bind.target() == place)
    }

    fn protect_logins(&mut self) {
        let Some(home) = self.home.as_deref().filter(|home| self.writable.iter().any(|root| home.starts_with(root))) else {
            return;
        };
        self.protection.keep(layout::HOME_SCRIPTS.iter().map(|name| home.join(name)));
    }

    /// What lies outside of all that is shown is hidden already.
    fn hide(&mut self, real: PathBuf) {
        let shown = self.binds.iter().any(|bind| real.starts_with(bind.target()));
        // A directory that was given by name is given, even below a hidden one.
        if (shown && !self.shows(&real)) || layout::is_shown(&real) {
            self.hidden.push(real);
        }
    }

    /// Where the session may write, as Landlock is told.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &Path> {
        let scratch = layout::SCRATCH.iter().map(Path::new);
        self.writable.iter().map(PathBuf::as_path).chain(scratch).chain(self.home.as_deref())
    }

    /// What is left on the host because of this session, to be judged and taken back after it.
    pub(crate) fn into_protection(self) -> Protection {
        self.protection
    }

    /// What could not be looked at, in words.
    pub(crate) fn gaps(&self) -> Option<String> {
        self.protection.gaps()
    }

    /// Shows it, from inside.
    pub(crate) fn show(&self, user: User) -> io::Result<()> {
        if let Some(home) = self.home.as_deref().filter(|_| self.private_home) {
            private(home, layout::HOME)?;
        }
        self.binds.iter().try_for_each(Bind::attach)?;
        self.protection.pins().try_for_each(|(place, attributes)| present(mounts::pin(&text(place)?, attributes)))?;
        self.hidden.iter().try_for_each(|place| present(mask(place)))?;
        if user == User::Ours && Path::new(HOST).exists() {
            leave_host()?;
        }
        mounts::freeze(c"/")
    }
}

fn real(place: &Path) -> PathBuf {
    place.canonicalize().unwrap_or_else(|_| place.to_owned())
}

/// Where the secrets of a home are, whose own path is real. Most are not there, or are no links, and one look at each tells that.
fn secrets(home: &Path) -> Vec<PathBuf> {
    let held = Held::open(home);
    let plain = |name: &str| held.as_ref().is_ok_and(|held| held.is_plain(Path::new(name)));
    layout::HOME_SECRETS.iter().map(|name| if plain(name) { home.join(name) } else { real(&home.join(name)) }).collect()
}

/// What has vanished since it was found needs no care.
fn present(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_secret_of_a_home_is_hidden_where_it_lies_whatever_leads_there() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        for place in [".ssh", "elsewhere/aws", "settings/gh"] {
            fs::create_dir_all(home.join(place)).unwrap();
        }
        symlink("elsewhere/aws", home.join(".aws")).unwrap();
        symlink("settings", home.join(".config")).unwrap();
        symlink("nowhere", home.join(".netrc")).unwrap();
        let found = secrets(&home);
        assert_eq!(found.len(), layout::HOME_SECRETS.len());
        for place in [".ssh", "elsewhere/aws", "settings/gh", ".netrc", ".gnupg", ".docker"] {
            assert!(found.contains(&home.join(place)), "{place}: {found:?}");
        }
        assert!(!found.contains(&home.join(".aws")) && !found.contains(&home.join(".config/gh")));
    }
}
