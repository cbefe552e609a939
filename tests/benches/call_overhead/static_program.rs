//! A program that does nothing and has no libc to start: with it, what is measured is the way to it and not its own start.

use capstan_tests::process::command;
use std::path::{Path, PathBuf};

const SOURCE: &str = "void _start(void) {\n#if defined(__x86_64__)\n  __asm__ volatile(\"mov $60, %eax; xor %edi, %edi; syscall\");\n\
    #elif defined(__aarch64__)\n  __asm__ volatile(\"mov x8, #93; mov x0, #0; svc #0\");\n#endif\n}\n";

/// Builds it in `dir`.
///
/// # Panics
/// Without a C compiler.
pub(crate) fn build(dir: &Path) -> PathBuf {
    let (source, program) = (dir.join("nothing.c"), dir.join("nothing"));
    std::fs::write(&source, SOURCE).expect("a file can be written");
    let mut cc = command("cc");
    cc.args(["-Os", "-nostdlib", "-static", "-o"]).arg(&program).arg(&source);
    let built = cc.status().expect("a C compiler is installed");
    assert!(built.success(), "the C compiler builds a static program");
    program
}
