//! When a command ends, for whatever reason, nothing of it is left.

use crate::attack::{Attack, Ending::*};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack::leaving("lifecycle-background", Itself, "a child in the background", "sleep @MARK@ >/dev/null 2>&1 & sleep 1.5"),
    Attack::leaving("lifecycle-double-fork", Itself, "a child of a child", "(sleep @MARK@ >/dev/null 2>&1 &); sleep 1.5"),
    Attack::leaving(
        "lifecycle-setsid",
        Itself,
        "a child in a session of its own",
        "setsid setsid sleep @MARK@ >/dev/null 2>&1 & sleep 1.5",
    ),
    Attack::leaving(
        "lifecycle-nohup",
        Itself,
        "a child that does not hear",
        "trap '' HUP TERM INT; nohup sleep @MARK@ >/dev/null 2>&1 & sleep 1.5",
    ),
    Attack::leaving("lifecycle-output", Itself, "a child that holds the output", "sleep @MARK@ & sleep 1.5"),
    Attack::leaving(
        "lifecycle-stopped",
        Itself,
        "a child that is stopped",
        "sleep @MARK@ >/dev/null 2>&1 & sleep 0.3; kill -STOP $!; sleep 1.5",
    ),
    Attack::leaving(
        "lifecycle-many",
        Itself,
        "fifty children in sessions of their own",
        "for i in $(seq 50); do setsid sleep @MARK@ >/dev/null 2>&1 & done; sleep 0.5",
    ),
    Attack::leaving(
        "lifecycle-respawn",
        Itself,
        "children that start each other again",
        "setsid sh -c 'trap \"\" TERM HUP; for i in $(seq 100); do sleep @MARK@; sleep 0.05; done' >/dev/null 2>&1 & sleep 0.4",
    ),
    Attack::leaving(
        "lifecycle-crash",
        Itself,
        "a child of a command that crashes",
        "sleep @MARK@ >/dev/null 2>&1 & sleep 1.5; kill -SEGV $$",
    ),
    Attack::leaving("lifecycle-killed", Killed, "a child whose launcher is killed", "sleep @MARK@ & sleep @MARK@; true"),
    Attack::leaving(
        "lifecycle-killed-deaf",
        Killed,
        "the same, when nobody hears",
        "trap '' TERM HUP INT; setsid sleep @MARK@ & sleep @MARK@; true",
    ),
    Attack::leaving(
        "lifecycle-terminated",
        Terminated,
        "a child whose launcher is asked to end",
        "setsid sleep @MARK@ & sleep @MARK@; true",
    ),
    Attack::leaving(
        "lifecycle-hung-up",
        HungUp,
        "a child whose launcher lost its terminal",
        "setsid nohup sleep @MARK@ & sleep @MARK@; true",
    ),
];
