//! What developers do must work inside the sandbox: a sandbox that breaks work is switched off.

use crate::arena::Arena;
use crate::stage::Stage;
use crate::trial::{filled, run};
use crate::way::{Walls, Way, Who, is_root};

/// One piece of work: its name, and a script that prints `WORKED` at its end.
const WORK: [(&str, &str); 27] = [
    ("git status, log and diff", "git status --short && git log -1 && git diff && echo WORKED"),
    ("git commit", "echo 2 >>tracked && git add -A . ':!attacker' && git commit -qm two && git log -1 | grep two && echo WORKED"),
    (
        "git branch, stash and rebase",
        "git checkout -qb side && echo 3 >>tracked && git stash -q && git stash pop -q && git commit -qam three && git checkout -q main && git commit -q --allow-empty -m four && git checkout -q side && git rebase -q main && echo WORKED",
    ),
    ("git in a nested repository", "cd vendor/sub && echo 1 >f && git add f && git commit -qm two && echo WORKED"),
    (
        "a server and its client",
        "python3 -c 'import socket,threading as t;s=socket.create_server((\"127.0.0.1\",0));t.Thread(target=lambda:s.accept()[0].send(b\"WORKED\")).start();print(socket.create_connection(s.getsockname(),5).recv(9).decode())'",
    ),
    (
        "a server and its client by datagrams",
        "python3 -c 'import socket as k;s=k.socket(2,2);s.bind((\"127.0.0.1\",0));k.socket(2,2).sendto(b\"WORKED\",s.getsockname());print(s.recv(9).decode())'",
    ),
    (
        "a unix socket",
        "python3 -c 'import socket as k;s=k.socket(1,1);s.bind(\"u.sock\");s.listen();c=k.socket(1,1);c.connect(\"u.sock\");s.accept()[0].send(b\"WORKED\");print(c.recv(9).decode())'",
    ),
    ("a pair of sockets", "python3 -c 'import socket as k;a,b=k.socketpair();a.send(b\"WORKED\");print(b.recv(9).decode())'"),
    ("a terminal", "python3 -c 'import pty,os;m,s=pty.openpty();os.write(s,b\"WORKED\\n\");print(os.read(m,99).decode())'"),
    ("a program in a terminal", "script -qec 'test -t 0 && echo WORKED' /dev/null"),
    (
        "a debugger",
        "command -v gdb || { echo WORKED; exit; }; gdb -batch -ex starti -ex 'info registers rip' -ex continue --args /bin/true && gdb -batch -ex run --args /bin/echo WORKED",
    ),
    (
        "strace of a child",
        "command -v strace || { echo WORKED; exit; }; strace -f -o trace sh -c true && grep -q execve trace && echo WORKED",
    ),
    (
        "machine code made at run time",
        "python3 -c 'import mmap;m=mmap.mmap(-1,4096,prot=7);m.write(b\"\\xc3\");import ctypes;ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))();print(\"WORKED\")'",
    ),
    (
        "node",
        "command -v node || { echo WORKED; exit; }; node -e 'let s=0;for(let i=0;i<3e6;i++)s+=i;console.log(s>0?\"WORKED\":\"\")'",
    ),
    (
        "the tests of a node package",
        "command -v node || { echo WORKED; exit; }; echo \"require('node:test')('adds',()=>require('assert').equal(2,1+1))\" >a.test.js; node --test a.test.js && echo WORKED",
    ),
    (
        "the tests of a Python package",
        "printf 'import unittest\\nclass T(unittest.TestCase):\\n  def test_a(self): self.assertEqual(1+1,2)\\n' >test_a.py; python3 -m unittest test_a && echo WORKED",
    ),
    (
        "several processes in Python",
        "python3 -c 'import multiprocessing as m;p=m.Pool(2);print(\"WORKED\" if p.map(abs,[-1,-2])==[1,2] else \"\");p.close();p.join()'",
    ),
    (
        "shared memory in Python",
        "python3 -c 'from multiprocessing import shared_memory as s;m=s.SharedMemory(create=True,size=99);m.close();m.unlink();print(\"WORKED\")'",
    ),
    ("a C program", "printf '#include <stdio.h>\\nint main(){puts(\"WORKED\");return 0;}' >c.c && gcc c.c -o c.out && ./c.out"),
    (
        "make with two jobs",
        "printf 'all: a b\\n%%: %%.c\\n\\tgcc $< -o $@\\n' >Makefile; for n in a b; do echo 'int main(){return 0;}' >$n.c; done; make -j2 && ./a && ./b && echo WORKED",
    ),
    ("a pipe with a name", "mkfifo p; (echo WORKED >p &) ; cat p"),
    ("a lock", "flock l echo WORKED"),
    (
        "watching files",
        "python3 -c 'import ctypes,os;l=ctypes.CDLL(None);f=l.inotify_init();l.inotify_add_watch(f,b\".\",0x100);open(\"seen\",\"w\");print(\"WORKED\" if os.read(f,99) else \"\")'",
    ),
    ("a temporary file", "f=$(mktemp) && echo 1 >$f && d=$(mktemp -d) && rm -r $f $d && echo WORKED"),
    (
        "links and moves in the workspace",
        "mkdir x y && echo 1 >x/f && mv x/f y/f && ln y/f x/g && ln -s ../y/f x/h && cat x/g x/h && chmod 600 y/f && touch -d 2001-01-01 y/f && echo WORKED",
    ),
    ("signals", "trap 'echo WORKED' USR1; kill -USR1 $$; sh -c 'sleep 99 & kill $!; wait $!'; true"),
    (
        "the system's programs",
        "ls /usr/bin >/dev/null && head -1 /etc/passwd && date && id && uname -a && ps && awk 'BEGIN{print \"WORKED\"}'",
    ),
];

/// Work that takes the toolchain, which is root's here.
const CARGO: &str = "export PATH=@TOOLS@:$PATH; mkdir -p c/src; printf '[package]\\nname=\"c\"\\nedition=\"2021\"\\n' >c/Cargo.toml; \
    printf '#[test]\\nfn adds(){assert_eq!(1+1,2)}\\npub fn a(){}' >c/src/lib.rs; cd c && CARGO_HOME=$PWD/h cargo build --offline && CARGO_HOME=$PWD/h cargo test --offline && echo WORKED";

fn assert_works(who: Who) {
    // An ordinary user cannot look into root's home, and has no toolchain of its own.
    let walls = if who == Who::Caller { Walls::WithTools } else { Walls::WorkspaceWrite };
    let (stage, way) = (Stage::new(), Way { who, walls });
    let mut failed = Vec::new();
    let cargo = is_root().then_some(("cargo build and test", CARGO)).filter(|_| who == Who::Caller);
    for (name, script) in WORK.into_iter().chain(cargo) {
        let arena = Arena::new(&stage, way);
        let tools = capstan_tests::capstan::toolchain_bin().display().to_string();
        let script = filled(&arena, script).replace("@TOOLS@", &tools);
        let said = run(&arena, &["/bin/sh".to_owned(), "-c".to_owned(), script], &mut |_, _| ());
        if !said.text.contains("WORKED") {
            eprintln!("{name} does not work (exit code {:?}): {}", said.code, said.text);
            failed.push(format!("{name} (exit code {:?}):\n{}", said.code, said.text));
        }
    }
    assert!(failed.is_empty(), "{} things do not work as {who:?}:\n{}", failed.len(), failed.join("\n"));
}

fn assert_faithful(who: Who) {
    let (stage, way) = (Stage::new(), Way { who, walls: Walls::WorkspaceWrite });
    let arena = Arena::new(&stage, way);
    let shell = |words: &[&str]| run(&arena, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), &mut |_, _| ());
    assert_eq!(shell(&["/bin/sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(shell(&["/bin/sh", "-c", "kill -TERM $$"]).code, Some(128 + 15));
    let odd = ["a b", "", "q'\"q", "nl\nnl", "é中", "$HOME", "*"];
    let said = shell(&[&["/usr/bin/printf", "<%s>"], &odd[..]].concat());
    assert_eq!(said.text, odd.map(|word| format!("<{word}>")).concat());
    let bytes =
        shell(&["/bin/sh", "-c", "python3 -c 'import sys;sys.stdout.buffer.write(bytes(range(256))*64)' | sha256sum"]).text;
    let _all = shell(&["/usr/bin/python3", "-c", "import sys;sys.stdout.buffer.write(bytes(range(256))*64)"]);
    let seen = std::fs::read(arena.beside("output")).expect("the output was kept");
    assert_eq!(seen, (0..=255_u8).collect::<Vec<_>>().repeat(64), "every byte arrives; {bytes}");
}

#[test]
fn work_goes_on_for_the_caller() {
    assert_works(Who::Caller);
}

#[test]
fn work_goes_on_for_an_ordinary_user() {
    if is_root() {
        assert_works(Who::OrdinaryUser);
    }
}

#[test]
fn what_goes_in_and_out_is_passed_on_as_it_is() {
    assert_faithful(Who::Caller);
    assert_faithful(Who::OrdinaryUser);
}
