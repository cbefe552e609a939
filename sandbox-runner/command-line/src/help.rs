//! The help of the runner, in one piece.

/// What `--help` prints.
pub const HELP: &str = "\
Runs programs in the sandbox of Capstan.

Usage: capstan-sandbox VERB

  run [FLAG VALUE]... -- COMMAND...
             Run one command with this terminal, and exit as it does
               -s, --sandbox MODE   read-only (the default), workspace-write or danger-full-access
               -C, --cd DIR         run it in DIR: the workspace
               -w, --writable DIR   with workspace-write: a directory to write besides the workspace
               -r, --readable PATH  a file or directory to read besides the system, toolchains and the workspace
                   --hide PATH      a path that cannot be read
                   --protect NAME   a relative path that is read-only wherever it occurs in a writable directory, besides
                                    .git/hooks, .git/config, .capstan, .codex and .agents
               -n, --network NET    none, loopback (the default), full, or hosts: \"crates.io *.crates.io:443\"
               -l, --limit N=VALUE  memory=3GiB, processes=1024, cpu=1.5, cpu_time=10m, disk_written=1GiB, file_size=4GiB,
                                    open_files=1024 or total_time=1h; none lifts it (output, idle_time and keep_all are for sessions
                                    of a node)
               -e, --env NAME[=V]   pass on a variable that looks like a secret or is not known to be harmless, or set it
                   --level LEVEL    refuse to run it with less: landlock, namespaces or full
                   --at-most LEVEL  use no more, though this host could
                   --policy JSON    a whole policy and limits, in place of these flags: [POLICY, LIMITS]
                   --proof FILE     write what was enforced, and how it ended, as JSON
  hold       Start the session described by the JSON document on standard input, and hold it until it is released
  serve [--prepared N] [--hide PATH]...
             Do as hold does for each connection to the listening Unix socket on standard input, until standard output is closed,
             with N holders (none unless said) forked ahead, and ready for sessions from which these paths are hidden
  patch      Apply the patch in the JSON document on standard input, all of it or nothing
  probe      Print what this host can enforce, as JSON
  scan [--protect NAME]... [--since NANOSECONDS] DIR...
             Print what is protected below directories, as JSON; with NANOSECONDS since 1970, first rename what has come
             to be since then and would be obeyed

  --help     Print this
  --version  Print the version
";
