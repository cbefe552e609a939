//! What a thread changed, brought into a repository of the person's: as a patch, onto its files, as a commit on a branch.

mod applied;
mod committed;
mod refused;

use crate::scripted::{self, command, exited, says, step};
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::git::Repository;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Every kind of change that a file can undergo, in a work tree of `Desk::files`.
const EVERYTHING: &str = r"set -e
printf 'one\nTWO\nthree\n' > text.txt
printf 'a\r\nB\r\nc\r\n' > crlf.txt
head -c 70000 /dev/zero | tr '\0' '\377' > picture.bin
chmod +x script.sh
rm link; ln -s script.sh link
rm gone.txt
mv old/name.txt 'new näme.txt'
mkdir -p 'deep/er one'
printf 'no line end' > 'deep/er one/q\uote	tab'
printf '' > empty
ln -s nowhere dangling
rm was-a-file; ln -s text.txt was-a-file
";

/// A thread's work tree and a person's, which were the same when the thread began.
struct Desk {
    home: Home,
    work: PathBuf,
    mine: Repository,
    thread: String,
}

impl Desk {
    /// A thread that has run this command.
    fn after(cmd: &str) -> Self {
        let home = Home::new();
        let work = home.root().join("work");
        Self::files(&work);
        let _ = Repository::of(&work);
        let mine = home.root().join("mine");
        copy(&work, &mine);
        let steps = [step([], [command("do", cmd)]), step([exited("do", 0)], [says("done")])];
        let script = scripted::write(home.root(), &steps);
        let run = Capstan::exec(&home, "Do it.").args(["-s", "workspace-write", "--script"]).arg(script).in_dir(&work).run();
        run.assert_code(0);
        let thread = run.lines()[0]["thread_id"].as_str().expect("a thread").to_owned();
        Self { work, mine: Repository::at(&mine), thread, home }
    }

    fn files(dir: &Path) {
        fs::create_dir_all(dir.join("old")).expect("a directory can be made");
        let files: [(&str, &[u8]); 7] = [
            ("text.txt", b"one\ntwo\nthree\n"),
            ("crlf.txt", b"a\r\nb\r\nc\r\n"),
            ("picture.bin", b"\x00\x01\x02\xff\xfe\x00"),
            ("script.sh", b"#!/bin/sh\n"),
            ("gone.txt", b"gone\n"),
            ("old/name.txt", b"a name\nand more lines\nso that it is found again\n"),
            ("was-a-file", b"x\n"),
        ];
        for (name, content) in files {
            fs::write(dir.join(name), content).expect("a file can be written");
        }
        fs::set_permissions(dir.join("script.sh"), fs::Permissions::from_mode(0o644)).expect("a mode can be set");
        symlink("text.txt", dir.join("link")).expect("a link can be made");
    }

    /// `capstan` in the person's work tree.
    fn capstan(&self, args: &[&str]) -> Run {
        Capstan::new(&self.home).args(args.iter().copied()).in_dir(self.mine.dir()).run()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.mine.dir().join(name), content).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.mine.dir().join(name)).expect("a file can be read")
    }
}

fn copy(from: &Path, to: &Path) {
    let mut copy = capstan_tests::process::command("cp");
    let done = copy.arg("-a").arg(from).arg(to).status().expect("cp can be started");
    assert!(done.success(), "a copy can be made");
}
