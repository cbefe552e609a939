//! What a hostile or merely unusual program does, played by this very binary inside a session: no interpreter has to be installed.
//!
//! Each act prints lines of `act: NAME RESULT`, where the result is `ok` or the name of the error.
#![expect(unsafe_code, reason = "what is tried here are bare system calls")]

use crate::session::Launch;
use std::collections::BTreeMap;
use std::io::Write;

/// The results of an act, by name.
pub(crate) fn results(text: &str) -> BTreeMap<String, String> {
    // The test harness writes around them, and without a line end before the first.
    let lines = text.lines().filter_map(|line| line.split_once("act: ").map(|(_, result)| result));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(name, result)| (name.to_owned(), result.to_owned())).collect()
}

/// A session in which `act` is played.
pub(crate) fn playing(act: &str) -> Launch {
    let me = std::env::current_exe().unwrap();
    Launch::new(&[
        me.to_str().unwrap(),
        "--exact",
        "acts::an_act_is_played_where_the_environment_names_one",
        "--nocapture",
        "--test-threads=1",
    ])
    .env("ACT", act)
}

/// The first `length` bytes of the stream that the act `stream` writes.
pub(crate) fn stream(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// As a test among others it has nothing to do. In a session of another test, it is the program.
#[test]
fn an_act_is_played_where_the_environment_names_one() {
    let act = std::env::var("ACT").unwrap_or_default();
    let mut words = act.split(' ');
    let (name, argument) = (words.next().unwrap(), words.next().unwrap_or_default());
    match name {
        "sockets" => sockets(),
        "tracing" => tracing(argument.parse().unwrap()),
        "limits" => limits(argument.parse().unwrap()),
        "connect" => connect(argument),
        "kernel" => kernel(),
        "metadata" => metadata(argument),
        "flee" => flee(),
        "guard" => guards(),
        "memory" => hold_memory(argument.parse().unwrap()),
        "bomb" => bomb(argument.parse().unwrap()),
        "compute" => compute(argument.parse().unwrap()),
        "litter" => litter(),
        "stream" => write_stream(argument.parse().unwrap()),
        _ => {}
    }
}

fn tell(name: &str, result: libc::c_long) {
    let result = if result < 0 { std::io::Error::last_os_error().raw_os_error().unwrap().to_string() } else { "ok".to_owned() };
    println!("act: {name} {result}");
}

fn sockets() {
    let kinds = [
        ("unix", libc::AF_UNIX, libc::SOCK_STREAM, 0),
        ("tcp", libc::AF_INET, libc::SOCK_STREAM, 0),
        ("tcp6", libc::AF_INET6, libc::SOCK_STREAM, 0),
        ("udp", libc::AF_INET, libc::SOCK_DGRAM, 0),
        ("mptcp", libc::AF_INET, libc::SOCK_STREAM, 262),
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, 0),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ("packet", libc::AF_PACKET, libc::SOCK_RAW, 0),
    ];
    for (name, family, kind, protocol) in kinds {
        // SAFETY: takes integers only.
        tell(name, unsafe { libc::socket(family, kind, protocol) }.into());
    }
    let mut pair = [0; 2];
    // SAFETY: the array has room for two descriptors.
    tell("pair", unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) }.into());
    connect_tcp("plain", libc::SOCK_STREAM, 0, 0);
    connect_tcp("fast-open", libc::SOCK_STREAM, 0, libc::MSG_FASTOPEN);
    connect_tcp("mptcp-connect", libc::SOCK_STREAM, 262, 0);
}

/// Reaches the listener on the port in `PORT`, by connecting or by sending with the connection.
fn connect_tcp(name: &str, kind: i32, protocol: i32, send_flags: i32) {
    let port: u16 = std::env::var("PORT").unwrap_or_default().parse().unwrap_or(9);
    // SAFETY: the address is a live struct of the length given, and the buffer of one byte is live.
    unsafe {
        let socket = libc::socket(libc::AF_INET, kind, protocol);
        if socket < 0 {
            return tell(name, -1);
        }
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = 2;
        address.sin_port = port.to_be();
        address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).unwrap();
        let address = (&raw const address).cast();
        if send_flags == 0 {
            tell(name, libc::connect(socket, address, length).into());
        } else {
            tell(name, libc::sendto(socket, b"x".as_ptr().cast(), 1, send_flags, address, length) as libc::c_long);
        }
    }
}

/// Tries to look into the process `outside`, and into a child of its own.
fn tracing(outside: libc::pid_t) {
    // SAFETY: the child only waits; the calls below take live buffers or integers.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::pause();
            libc::_exit(0);
        }
        for (who, pid) in [("child", child), ("outside", outside)] {
            tell(&format!("signal {who}"), libc::kill(pid, 0).into());
            let mut byte = 0_u8;
            let place = (&raw const outside).cast_mut().cast();
            let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
            let remote = libc::iovec { iov_base: place, iov_len: 1 };
            tell(
                &format!("read memory of {who}"),
                libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) as libc::c_long,
            );
            tell(&format!("trace {who}"), libc::ptrace(libc::PTRACE_ATTACH, pid, 0, 0));
            let environment = std::fs::read(format!("/proc/{pid}/environ"));
            println!("act: environ of {who} {}", if environment.is_ok_and(|bytes| !bytes.is_empty()) { "ok" } else { "hidden" });
        }
        libc::kill(child, libc::SIGKILL);
    }
}

fn limits(outside: libc::pid_t) {
    // SAFETY: the struct is live and initialised by the first call.
    unsafe {
        let mut now: libc::rlimit = std::mem::zeroed();
        tell("read own", libc::prlimit(0, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut now).into());
        tell("set own", libc::prlimit(0, libc::RLIMIT_NOFILE, &raw const now, std::ptr::null_mut()).into());
        tell("set outside", libc::prlimit(outside, libc::RLIMIT_NOFILE, &raw const now, std::ptr::null_mut()).into());
    }
}

/// Connects to a named socket and sees whether anybody speaks there.
fn connect(path: &str) {
    use std::io::Read;
    let greeting = std::os::unix::net::UnixStream::connect(path).and_then(|mut stream| stream.read(&mut [0; 1]));
    println!(
        "act: greeted {}",
        greeting.map_or_else(|error| error.kind().to_string().replace(' ', "-"), |count| count.to_string())
    );
}

/// Calls that are denied whatever the user, each with arguments that fail otherwise or do nothing.
fn kernel() {
    // SAFETY: every call takes integers or null here, and none changes memory of this process.
    unsafe {
        tell("unshare user", libc::unshare(libc::CLONE_NEWUSER).into());
        tell("io_uring", libc::syscall(libc::SYS_io_uring_setup, 0, 0));
        tell("keyring", libc::syscall(libc::SYS_keyctl, 0, 0, 0));
        tell("bpf", libc::syscall(libc::SYS_bpf, 0, 0, 0));
        tell("clone3", libc::syscall(libc::SYS_clone3, 0, 0));
        tell("type into terminal", libc::ioctl(0, libc::TIOCSTI, c"x".as_ptr()).into());
        tell("type with garbage", libc::syscall(libc::SYS_ioctl, 0, 0x1_0000_0000_u64 | libc::TIOCSTI, c"x".as_ptr()));
        tell("thread", if std::thread::spawn(|| 1).join().is_ok() { 0 } else { -1 });
    }
}

fn metadata(path: &str) {
    let path = std::ffi::CString::new(path).unwrap();
    // SAFETY: the path is a live C string.
    unsafe {
        tell("chmod", libc::chmod(path.as_ptr(), 0o640).into());
        tell("utime", libc::utimes(path.as_ptr(), std::ptr::null()).into());
        tell("setxattr", libc::setxattr(path.as_ptr(), c"user.x".as_ptr(), c"y".as_ptr().cast(), 1, 0).into());
    }
}

/// Eight processes that are forever somebody else: each forks and ends, and its child does the same.
fn flee() {
    println!("act: flee ok");
    // SAFETY: the children only fork and exit.
    unsafe {
        for _ in 0..8 {
            if libc::fork() == 0 {
                while libc::fork() == 0 {}
                libc::_exit(0);
            }
        }
        libc::pause();
    }
}

/// Forty processes that watch this one, each in a session of its own. Whoever sees the process die that it watches makes another one,
/// and the two watch each other.
fn guards() {
    // Those that are not caught must not live for ever.
    let last = std::time::Instant::now() + std::time::Duration::from_secs(20);
    println!("act: guard ok");
    // SAFETY: the children only fork, wait and exit.
    unsafe {
        for _ in 0..40 {
            if libc::fork() == 0 {
                libc::setsid();
                guard(libc::getppid(), last);
            }
        }
        println!("act: all ok");
        libc::pause();
    }
}

/// # Safety
/// To be called in a child, which does not return from it.
unsafe fn guard(watched: libc::pid_t, last: std::time::Instant) -> ! {
    let mut watched = watched;
    while std::time::Instant::now() < last {
        // SAFETY: the struct is live; the rest takes integers.
        unsafe {
            let handle = i32::try_from(libc::syscall(libc::SYS_pidfd_open, watched, 0)).unwrap_or(-1);
            let mut wait = libc::pollfd { fd: handle, events: libc::POLLIN, revents: 0 };
            if handle >= 0 {
                libc::poll(&raw mut wait, 1, 1000);
                libc::close(handle);
            }
            if handle < 0 || wait.revents != 0 {
                watched = match libc::fork() {
                    0 => {
                        libc::setsid();
                        libc::getppid()
                    }
                    child => child,
                };
            }
        }
    }
    // SAFETY: ends this child.
    unsafe { libc::_exit(0) }
}

/// Takes so many MiB, one after the other, and keeps them.
fn hold_memory(mebibytes: usize) {
    let held: Vec<Vec<u8>> = (0..mebibytes).map(|_| vec![7; 1 << 20]).collect();
    println!("act: held ok");
    std::thread::sleep(std::time::Duration::from_secs(1000));
    drop(held);
}

/// Doubles without end, up to so many processes in all, which stay.
fn bomb(most: u32) {
    println!("act: bomb ok");
    // SAFETY: the counter lies in memory that all of them share; the children only fork and wait.
    unsafe {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let shared = libc::mmap(std::ptr::null_mut(), 4096, prot, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0);
        assert!(shared != libc::MAP_FAILED);
        let made = &*shared.cast::<std::sync::atomic::AtomicU32>();
        while made.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < most {
            if libc::fork() < 0 {
                // Tries again, as a bomb does, and not for ever.
                libc::usleep(1000);
            }
        }
        loop {
            libc::pause();
        }
    }
}

/// Uses so many milliseconds of processor time.
fn compute(millis: i64) {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    while now.tv_sec * 1000 + now.tv_nsec / 1_000_000 < millis {
        // SAFETY: the struct is live.
        unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    }
    println!("act: compute ok");
}

/// 500 children, 50 daemons and 200 dead whom nobody has waited for.
fn litter() {
    // SAFETY: the children only wait or exit.
    unsafe {
        for number in 0..750 {
            if libc::fork() == 0 {
                if number >= 550 {
                    libc::_exit(0);
                }
                if number >= 500 {
                    libc::setsid();
                    for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGINT] {
                        libc::signal(signal, libc::SIG_IGN);
                    }
                    if libc::fork() > 0 {
                        libc::_exit(0);
                    }
                }
                loop {
                    libc::pause();
                }
            }
        }
    }
    println!("act: litter ok");
}

fn write_stream(length: usize) {
    let mut out = std::io::stdout();
    out.write_all(b"\n").unwrap();
    out.write_all(b"====").unwrap();
    out.write_all(&stream(length)).unwrap();
    out.flush().unwrap();
}
