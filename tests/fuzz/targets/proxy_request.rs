//! The head of a request to the proxy: what is passed on names one host, is framed once, and reads as what it is.
#![no_main]

use capstan_egress::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Request::Forward { to, head, .. }) = Request::parse(bytes) else { return };
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(text.ends_with("\r\n\r\n") && text.matches("\r\n\r\n").count() == 1);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let fields = |name: &str| text.lines().filter(|line| line.split(':').next() == Some(name)).count();
    assert_eq!(fields("host"), 1);
    assert!(fields("content-length") + fields("transfer-encoding") <= 1);
    assert_eq!(fields("proxy-authorization") + fields("proxy-connection") + fields("upgrade"), 0);
    assert!(text.contains(&format!("\r\nhost: {}", to.host)));
});
