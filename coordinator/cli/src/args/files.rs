//! The flags of `capstan files`.

use super::DaemonArgs;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// `capstan files`.
#[derive(Debug, Args)]
#[command(
    after_help = "Paths are given from the top of the thread's workspace, wherever that is. What the thread's sandbox hides from its commands is \
    not there, and only what they may write can be written. A thread is named by its id, the beginning of its id, or its name."
)]
pub struct FilesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: FilesCommand,
}

/// What to do with files.
#[derive(Debug, Subcommand)]
pub enum FilesCommand {
    /// Lists the files in a directory, or all below it
    #[command(name = "ls", visible_alias = "list")]
    List(ListFilesArgs),
    /// Prints a file, or a part of it
    Cat(CatArgs),
    /// Prints lines that match a regular expression; exits with 1 when there are none
    Search(SearchFilesArgs),
    /// Writes a file, whole or not at all; one that is there stays unless it is said to be written over
    Put(PutArgs),
    /// Tells what changes, as it changes
    Watch(WatchFilesArgs),
}

/// Where, and how it is told.
#[derive(Debug, Args)]
pub struct InThreadArgs {
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan files ls`.
#[derive(Debug, Args)]
pub struct ListFilesArgs {
    /// The thread
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// The directory [default: the workspace's top]
    #[arg(value_name = "PATH", default_value = "", hide_default_value = true)]
    pub path: OsString,
    /// Go so many levels deep
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=128))]
    pub depth: u16,
    /// Also what git ignores, and `.git`
    #[arg(short, long)]
    pub all: bool,
    /// Kinds, permissions, sizes and times as well
    #[arg(short, long)]
    pub long: bool,
    /// At most so many names
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub limit: u64,
    /// Go on behind this name, the last one of an earlier list
    #[arg(long, value_name = "PATH")]
    pub after: Option<OsString>,
    /// As they lie on the disk, which is quicker in huge directories
    #[arg(long, conflicts_with = "after")]
    pub unsorted: bool,
    /// How it is told.
    #[command(flatten)]
    pub rest: InThreadArgs,
}

/// `capstan files cat`.
#[derive(Debug, Args)]
pub struct CatArgs {
    /// The thread
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// The file
    #[arg(value_name = "PATH")]
    pub path: OsString,
    /// Begin with this byte
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,
    /// At most so many bytes [default: all]
    #[arg(long, value_name = "N")]
    pub bytes: Option<u64>,
    /// Print to a terminal what speaks to it, too
    #[arg(long)]
    pub raw: bool,
    /// Print what is known of the file, with its SHA-256, as one JSON object, and none of its bytes
    #[arg(long, conflicts_with_all = ["offset", "bytes", "raw"])]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan files search`.
#[derive(Debug, Args)]
pub struct SearchFilesArgs {
    /// The thread
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// The regular expression
    #[arg(value_name = "PATTERN")]
    pub pattern: String,
    /// The directory, or the file [default: the workspace's top]
    #[arg(value_name = "PATH", default_value = "", hide_default_value = true)]
    pub path: OsString,
    /// The pattern is a text, not a regular expression
    #[arg(short = 'F', long)]
    pub fixed: bool,
    /// Upper and lower case are one
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Only in files that this matches, as in .gitignore; with a ! in front, in those that it does not; may be given again
    #[arg(short, long = "glob", value_name = "GLOB")]
    pub globs: Vec<String>,
    /// So many lines before and behind each as well
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=50))]
    pub context: u16,
    /// Print only the names of files
    #[arg(short = 'l', long, conflicts_with = "count")]
    pub files: bool,
    /// Print only how many lines match in each file
    #[arg(short, long)]
    pub count: bool,
    /// Also in what git ignores, and in `.git`
    #[arg(short, long)]
    pub all: bool,
    /// At most so many lines
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
    /// How it is told.
    #[command(flatten)]
    pub rest: InThreadArgs,
}

/// `capstan files put`.
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The thread
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// The file
    #[arg(value_name = "PATH")]
    pub path: OsString,
    /// What to write: a file here [default: standard input]; at most 8 MiB
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Write over what is there, whatever it is
    #[arg(long)]
    pub replace: bool,
    /// Write over a file that has this SHA-256, and over no other
    #[arg(long, value_name = "SHA256", conflicts_with = "replace")]
    pub expect: Option<String>,
    /// Make directories above it that are missing
    #[arg(short, long)]
    pub parents: bool,
    /// Its permissions, as 755 [default: those that it has, or those of a new file]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<u16>,
    /// How it is told.
    #[command(flatten)]
    pub rest: InThreadArgs,
}

/// `capstan files watch`.
#[derive(Debug, Args)]
pub struct WatchFilesArgs {
    /// The thread
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// The directory [default: the workspace's top]
    #[arg(value_name = "PATH", default_value = "", hide_default_value = true)]
    pub path: OsString,
    /// Also what git ignores, and `.git`
    #[arg(short, long)]
    pub all: bool,
    /// How it is told.
    #[command(flatten)]
    pub rest: InThreadArgs,
}

fn mode(text: &str) -> Result<u16, String> {
    let mode = u16::from_str_radix(text, 8).ok().filter(|mode| (1..=0o777).contains(mode));
    mode.ok_or_else(|| "it is not the permissions of a file: three digits from 0 to 7, as 644".to_owned())
}
