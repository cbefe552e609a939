use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Request, &'static str> {
    Request::parse(text.as_bytes())
}

fn passed_on(text: &str) -> String {
    match read(text) {
        Ok(Request::Forward { head, .. }) => String::from_utf8(head).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_passed_on_without_what_was_meant_for_the_proxy() {
    let asked = "GET http://Allowed.com/a?b=c HTTP/1.1\r\nHost: allowed.com:80\r\nProxy-Authorization: Basic x\r\nProxy-Connection: \
                 keep-alive\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nAccept: \t*/* \r\n\r\n";
    assert_eq!(passed_on(asked), "GET /a?b=c HTTP/1.1\r\nHost: allowed.com\r\nConnection: close\r\nAccept: */*\r\n\r\n");
}

#[test]
fn the_host_is_that_of_the_uri() {
    assert!(passed_on("GET http://a.com:8080 HTTP/1.0\r\n\r\n").starts_with("GET / HTTP/1.0\r\nHost: a.com:8080\r\n"));
    assert!(passed_on("GET HTTP://[::1]?q HTTP/1.0\r\n\r\n").starts_with("GET /?q HTTP/1.0\r\nHost: [::1]\r\n"));
    for host in ["evil.com", "a.com:8080", "a.com.", "a.com@evil.com", "a.com, evil.com", ""] {
        assert!(read(&format!("GET http://a.com/ HTTP/1.1\r\nHost: {host}\r\n\r\n")).is_err(), "{host}");
        assert!(read(&format!("CONNECT a.com:443 HTTP/1.1\r\nHost: {host}\r\n\r\n")).is_err(), "{host}");
    }
    assert!(read("CONNECT a.com:443 HTTP/1.1\r\nHost: A.com\r\n\r\n").is_ok());
    assert!(read("CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443\r\n\r\n").is_ok());
}

#[test]
fn what_two_readers_could_understand_differently_is_refused() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3, 3",
        "Content-Length: +3",
        "Content-Length: 0x3",
        "Content-Length: -1",
        "Content-Length:",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding : chunked",
        "Host: a.com\r\nHost: a.com",
        "Host: a.com\r\nhOST: evil.com",
        "X: a\r\n b",
        "X: a\r\n\tHost: evil.com",
        " X: a",
        "X",
        ": a",
        "X: a\0b",
        "X: a\rb",
        "X: a\nHost: evil.com",
        "Connection: content-length\r\nContent-Length: 3",
        "Connection: close, Host\r\nHost: a.com",
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: h2c",
    ] {
        assert!(read(&format!("POST http://a.com/ HTTP/1.1\r\n{fields}\r\n\r\n")).is_err(), "{fields:?}");
    }
    assert!(read("POST http://a.com/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
}

#[test]
fn first_lines_that_are_not_for_a_proxy_are_refused() {
    for line in [
        "GET / HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET https://a.com/ HTTP/1.1",
        "GET ftp://a.com/ HTTP/1.1",
        "GET http://user:pw@a.com/ HTTP/1.1",
        "GET http://a.com\\@evil.com/ HTTP/1.1",
        "GET http://a.com#@evil.com/ HTTP/1.1",
        "GET http:///a.com HTTP/1.1",
        "GET http://a.com./ HTTP/1.1",
        "GET http://a.com/ b HTTP/1.1",
        "GET  http://a.com/ HTTP/1.1",
        "GET\thttp://a.com/ HTTP/1.1",
        "GET http://a.com/",
        "GET http://a.com/ HTTP/1.2",
        "GET http://a.com/ http/1.1",
        "G@T http://a.com/ HTTP/1.1",
        "GET http://a.com/\u{fc} HTTP/1.1",
        "CONNECT a.com HTTP/1.1",
        "CONNECT http://a.com:443 HTTP/1.1",
        "CONNECT a.com:443/x HTTP/1.1",
        "CONNECT user@a.com:443 HTTP/1.1",
    ] {
        assert!(read(&format!("{line}\r\n\r\n")).is_err(), "{line}");
    }
    assert!(read("PRI * HTTP/2.0\r\n\r\n").unwrap_err().contains("HTTP/2 is not spoken"));
    assert!(read("CONNECT a.com:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n").unwrap_err().contains("no body"));
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), tail in any::<bool>()) {
        let mut bytes = bytes;
        if tail {
            bytes.extend_from_slice(b"\r\n\r\n");
        }
        let _ = Request::parse(&bytes);
    }

    #[test]
    fn what_is_passed_on_names_one_host_and_is_framed_once(
        fields in proptest::collection::vec(("(?i:host|connection|content-length|transfer-encoding|x)", "[a-z0-9.,: \t]{0,12}"), 0..5)
    ) {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        if let Ok(Request::Forward { to, head, .. }) = read(&format!("GET http://a.com/ HTTP/1.1\r\n{fields}\r\n")) {
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            prop_assert_eq!(head.matches("\nhost: a.com\r").count(), 1);
            prop_assert_eq!(head.matches("\nhost").count(), 1);
            prop_assert!(head.matches("\ncontent-length").count() + head.matches("\ntransfer-encoding").count() <= 1);
            prop_assert_eq!(to.to_string(), "a.com:80");
        }
    }
}
