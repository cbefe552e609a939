//! A large repository, written as a stream for `git fast-import`.

use capstan_tests::process::command;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// How many files its last commit has, and how many commits there are.
const FILES: usize = 50_000;
const COMMITS: usize = 10_000;

/// Makes it below `dir`.
pub(crate) fn make(dir: &Path) -> PathBuf {
    let place = dir.join("large.git");
    let git = |args: &[&str]| {
        let mut git = command("git");
        git.args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        git
    };
    let path = place.to_str().expect("the path is UTF-8");
    assert!(git(&["init", "-q", "--bare", "-b", "main", path]).status().expect("git runs").success());
    let mut import = git(&["-C", path, "fast-import", "--quiet", "--done"]).stdin(Stdio::piped()).spawn().expect("git runs");
    let mut stream = BufWriter::new(import.stdin.take().expect("its input is piped"));
    write(&mut stream).and_then(|()| stream.flush()).expect("git reads the stream");
    drop(stream);
    assert!(import.wait().expect("git ends").success(), "git could not import the history");
    place
}

fn write(stream: &mut impl Write) -> std::io::Result<()> {
    for commit in 0..COMMITS {
        let message = format!("commit {commit}");
        let time = 1_700_000_000 + commit;
        write!(stream, "commit refs/heads/main\ncommitter t <t@example.org> {time} +0000\ndata {}\n{message}\n", message.len())?;
        // Each one adds its share of the files, and changes one that is there.
        for file in (commit * FILES / COMMITS)..((commit + 1) * FILES / COMMITS) {
            write_file(stream, file, 0)?;
        }
        write_file(stream, commit * 7919 % (commit * FILES / COMMITS + 1), commit)?;
    }
    writeln!(stream, "done")
}

fn write_file(stream: &mut impl Write, file: usize, version: usize) -> std::io::Result<()> {
    let text = format!("file {file}, version {version}\n").repeat(20 + file % 60);
    let (outer, inner) = (file / 2_500, file / 50 % 50);
    write!(stream, "M 100644 inline dir{outer}/sub{inner}/file{file}.txt\ndata {}\n{text}\n", text.len())
}
