//! Requests in HTTP: what is passed on, and every way in which one is refused.

use crate::world::{ANSWER, host, proxy, proxy_with};
use capstan_egress::Bounds;
use std::sync::atomic::Ordering;

#[test]
fn a_request_for_an_allowed_host_is_passed_on_and_answered() {
    let host = host("\r\n\r\nhello");
    let port = host.port;
    let world = proxy(&[&format!("private:allowed.test:{port}")]);
    let asked = format!(
        "POST http://ALLOWED.test:{port}/a HTTP/1.1\r\nHost: allowed.test:{port}\r\nProxy-Connection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"
    );
    assert_eq!(world.say(asked), ANSWER);
    let heard = format!("POST /a HTTP/1.1\r\nHost: allowed.test:{port}\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(host.heard(), heard);
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_address_that_a_rule_names_is_reached_without_a_name() {
    let host = host("\r\n\r\n");
    let world = proxy(&[&format!("127.0.0.1:{}", host.port)]);
    for spelling in ["127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"] {
        assert_eq!(world.say(format!("GET http://{spelling}:{} HTTP/1.0\r\n\r\n", host.port)), ANSWER);
        assert!(host.heard().contains(&format!("Host: 127.0.0.1:{}\r\n", host.port)));
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_host_that_is_not_on_the_list_is_refused_in_a_sentence() {
    let world = proxy(&["allowed.test"]);
    for (asked, named) in [
        ("CONNECT example.com:443 HTTP/1.1\r\n\r\n", "example.com:443"),
        ("CONNECT allowed.test:22 HTTP/1.1\r\n\r\n", "allowed.test:22"),
        ("CONNECT allowed.test:25 HTTP/1.1\r\n\r\n", "allowed.test:25"),
        ("GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n", "169.254.169.254:80"),
        ("GET http://x.allowed.test/ HTTP/1.1\r\n\r\n", "x.allowed.test:80"),
    ] {
        let answer = world.say(asked);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{named} is not in the list of allowed hosts\n")), "{answer}");
        assert_eq!(world.denial(), format!("connect to {named} refused: not in the list of allowed hosts"));
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn an_empty_list_reaches_nothing() {
    let host = host("\r\n\r\n");
    let world = proxy(&[]);
    assert!(world.say(format!("GET http://127.0.0.1:{} HTTP/1.1\r\n\r\n", host.port)).starts_with("HTTP/1.1 403 "));
    assert!(world.say(format!("CONNECT localhost:{} HTTP/1.1\r\n\r\n", host.port)).starts_with("HTTP/1.1 403 "));
    assert!(host.heard_nothing());
}

#[test]
fn a_name_that_leads_inside_is_refused_and_not_looked_up_again() {
    let host = host("\r\n\r\n");
    let rule = format!("allowed.test:{}", host.port);
    for answers in [&[&["93.184.215.14", "127.0.0.1"][..]][..], &[&["127.0.0.1"]], &[&["127.0.0.1"], &["93.184.215.14"]]] {
        let world = proxy_with(&[&rule], answers, Bounds::default());
        let answer = world.say(format!("CONNECT {rule} HTTP/1.1\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("127.0.0.1, a loopback address"), "{answer}");
        assert_eq!(world.asked.load(Ordering::SeqCst), 1);
    }
    assert!(host.heard_nothing());
}

#[test]
fn other_spellings_of_an_allowed_host_are_refused() {
    let host = host("\r\n\r\n");
    let port = host.port;
    let world = proxy(&[&format!("private:allowed.test:{port}"), &format!("127.0.0.1:{port}")]);
    for spelling in [
        "allowed.test\0evil",
        "allowed.test.",
        "user@allowed.test",
        "all\u{f6}wed.test",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "[64:ff9b::7f00:1]",
        "[::127.0.0.1]",
    ] {
        for asked in [format!("CONNECT {spelling}:{port} HTTP/1.1"), format!("GET http://{spelling}:{port}/ HTTP/1.1")] {
            let answer = world.say(format!("{asked}\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 40"), "{asked}: {answer}");
        }
    }
    assert!(host.heard_nothing());
}

#[test]
fn a_second_request_on_a_connection_reaches_nobody() {
    let host = host("\r\n\r\n");
    let port = host.port;
    let world = proxy(&[&format!("private:allowed.test:{port}")]);
    let one = format!("GET http://allowed.test:{port}/1 HTTP/1.1\r\n\r\n");
    let answer = world.say(one.replace("\r\n\r\n", "\r\n\r\nGET http://evil.test/2 HTTP/1.1\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("a second request"), "{answer}");
    assert!(host.heard_nothing());
    let chunked = format!(
        "POST http://allowed.test:{port}/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: evil\r\n\r\n"
    );
    assert_eq!(world.say(chunked), ANSWER);
    assert!(host.heard().ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
}

#[test]
fn what_is_not_plain_http_1_is_refused_in_clear() {
    let world = proxy(&["private:allowed.test"]);
    for (bytes, reason) in [
        (&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], "HTTP/2 is not spoken"),
        (b"\x16\x03\x01\x00\x05hello", "TLS is not spoken"),
        (b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", "version 5 of SOCKS"),
        (b"GET http://allowed.test/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "only within a CONNECT"),
        (b"GET http://allowed.test/ HTTP/1.1\nHost: allowed.test\n\n", "without a carriage return"),
        (b"GET http://allowed.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", "its Host is not"),
        (
            b"POST http://allowed.test/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both a Content-Length",
        ),
    ] {
        let answer = world.say(bytes);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(reason), "{answer}");
        assert!(world.denial().contains(reason));
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_head_past_its_limit_is_refused() {
    let world = proxy(&["private:allowed.test"]);
    let answer = world.say(format!("GET http://allowed.test/ HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(16 * 1024)));
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("16 KiB"), "{answer}");
}

#[test]
fn a_host_that_does_not_answer_is_no_denial() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = proxy(&[&format!("127.0.0.1:{port}")]);
    let answer = world.say(format!("GET http://127.0.0.1:{port} HTTP/1.1\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("cannot be reached"), "{answer}");
    assert!(world.denials.try_recv().is_err());
}
