//! The directory of one session: output, control socket, and the record of its end.
//!
//! The holder works from inside it, so that the socket's name is short enough for the kernel wherever the directory lies.

use crate::kernel::process;
use crate::spool::{All, LateFile, Spool};
use capstan_types::launch::{EndRecord, LaunchSpec};
use capstan_types::spool::{ALL, HEAD, TAIL};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

const SOCKET: &str = "control.sock";
const UNFINISHED_END: &str = "end.json.tmp";
/// More than any end record takes. What is left of it behind the record are spaces, which mean nothing behind a JSON document.
const RESERVE: usize = 2048;

/// The entered directory of a session.
#[derive(Debug)]
pub(crate) struct SessionDir {
    /// The end record to be, with its room on the disk taken: a disk that is full by then must not cost the exit status.
    end: File,
}

fn create(name: &str) -> io::Result<File> {
    File::options().read(true).write(true).create_new(true).mode(0o600).open(name)
}

impl SessionDir {
    /// Enters `dir`, which must exist and hold no session yet, and takes room for the end record.
    pub(crate) fn enter(dir: &Path) -> io::Result<Self> {
        std::env::set_current_dir(dir)?;
        // A second session in one directory would overwrite the first one's end.
        if Path::new(EndRecord::FILE).exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut end = create(UNFINISHED_END)?;
        end.write_all(&[b' '; RESERVE]).inspect_err(|_| {
            let _ = fs::remove_file(UNFINISHED_END);
        })?;
        Ok(Self { end })
    }

    /// The spool for the session's output, whose files come with it.
    pub(crate) fn spool(&self, spec: &LaunchSpec) -> Spool {
        let (head, tail) = (spec.limits.head, spec.limits.tail);
        Spool::new(LateFile::named(HEAD), LateFile::named(TAIL), head, tail).keeping(All::of(spec))
    }

    /// The control socket, for this user alone.
    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        // So from its first moment on.
        let mask = process::set_umask(0o177);
        let bound = UnixListener::bind(SOCKET);
        process::set_umask(mask);
        let listener = bound?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Writes the end record, so that it is there whichever process dies from now on. It can be tried again.
    pub(crate) fn record(&mut self, record: &EndRecord) -> io::Result<()> {
        let mut json = serde_json::to_vec(record)?;
        // To the end of the room, over whatever an attempt that failed has left.
        json.resize(json.len().max(RESERVE), b' ');
        self.end.write_all_at(&json, 0)?;
        fs::rename(UNFINISHED_END, EndRecord::FILE)
    }

    /// Brings the end record to the disk. It takes a millisecond and more, so it comes a moment after the end is told: a host that loses its power
    /// in between may come back without the record, or with an empty one, and whoever was told has the end all the same. The directory is
    /// not synced, for the same reason: one without a record holds a session whose end is not known.
    pub(crate) fn sync(&self) {
        // After a refusal nothing is known of what the disk has, so there is nothing to try again.
        let _ = self.end.sync_all();
    }

    /// Takes away the control socket: nobody answers there any more.
    pub(crate) fn remove_socket(&self) {
        let _ = fs::remove_file(SOCKET);
    }

    /// Takes away the output: its end has been taken note of, and nobody will ask for it again.
    pub(crate) fn remove_output(&self) {
        let _ = fs::remove_file(HEAD);
        let _ = fs::remove_file(TAIL);
    }

    /// Takes away what was kept whole, as [`SessionDir::remove_output`] does the rest.
    pub(crate) fn remove_all_output(&self) {
        let _ = fs::remove_file(ALL);
    }

    /// Takes away everything that was made here, because no session came of it.
    pub(crate) fn abandon(&self) {
        self.remove_socket();
        self.remove_output();
        let _ = fs::remove_file(UNFINISHED_END);
    }
}
