//! What `capstan sandbox --help` says.

pub(super) const HELP: &str = "\
Runs one command in the sandbox that tools get, with this terminal, standard input and output, and exits as the command does.

Usage: capstan sandbox [FLAG VALUE]... -- COMMAND...

What the command may touch:
  -s, --sandbox MODE             read-only (the default): reads the system, toolchains and the workspace, writes nothing
                                 workspace-write: may also write the workspace, the directory of -C
                                 danger-full-access: no sandbox at all; only limits hold
  -P, --permission-profile NAME  a profile in place of -s: [permissions.NAME] of config.toml, or one of :read-only,
                                 :workspace and :danger-full-access. Flags beside it may take away from it, never add to it
  -C, --cd DIR                   the workspace, which the command starts in [default: the working directory]
  -w, --writable DIR             with workspace-write: another directory to write; a symbolic link stands for where it leads
  -r, --readable PATH            another file or directory to read
      --hide PATH                a path that can be neither read nor written, wherever it lies
      --protect NAME             a relative path that is read-only wherever it occurs in a writable directory, as .git/hooks,
                                 .git/config, .capstan, .codex and .agents always are
  -n, --network NET              none; loopback (the default): the command's own; full; or hosts, reached through a proxy that
                                 the environment names: \"crates.io *.crates.io:443\"
  -e, --env NAME[=VALUE]         pass a variable on, or set it

What the command may use:
  -l, --limit NAME=VALUE         memory=3GiB, processes=1024, cpu=1.5 (processors), cpu_time=10m, total_time=1h,
                                 disk_written=1GiB, file_size=4GiB or open_files=1024; the value none lifts the limit.
                                 output, idle_time and keep_all are for sessions of a node: set them in a profile

How strong the sandbox is:
      --level LEVEL              refuse to start with less than landlock, namespaces or full; `capstan doctor` says which level
                                 this host reaches, and why
      --at-most LEVEL            use no more than this level
      --proof FILE               write what was in force, what was refused, and how the command ended, as JSON

All but -P and -s may be given again where that means something. CAPSTAN_HOME, with its keys and conversations, is always hidden.
Temporary files, processes, and the loopback network are the command's own, and go with it.

Of your environment the command gets what says how to work (PATH, HOME, LANG, CARGO_*, …), and nothing that looks like a secret; -e
passes more on. With danger-full-access it gets all.

Signals are passed on; what the command leaves running ends with it. Exit codes: the command's own; 128 plus the number of the signal
that ended it; 127 not found; 126 cannot be executed; 125 not started, with the reason on standard error; 2 a wrong command line.
";
